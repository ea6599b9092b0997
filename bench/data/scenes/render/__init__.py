"""From polygons to pixels: visibility, surfaces, ground, light and weather."""
