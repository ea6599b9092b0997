"""Polygons of the things that stand in a scene."""
