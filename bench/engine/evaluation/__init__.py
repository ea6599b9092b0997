"""From a trained method and a split to counts per image."""
