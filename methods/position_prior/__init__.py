"""The floor: the most frequent class at each pixel position of the training labels.

It never looks at the image. A learned method that does not beat it has learned no more
than where things usually are.
"""
