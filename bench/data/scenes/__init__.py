"""Drawing of street scenes: a street is laid out in metres, then rendered at any size.

``street`` draws what a street is like, ``layout`` puts things on it with the help of
``vehicles``, ``people``, ``roadside`` and ``houses``, all as polygons of a ``Mesh``;
``raster`` finds which polygon each pixel shows, ``shade`` and ``ground`` colour it,
``weather`` puts light, air and the camera's sensor in between.
"""
