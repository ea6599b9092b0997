"""Segments of predictions and truths, and the scores that are made of them."""
