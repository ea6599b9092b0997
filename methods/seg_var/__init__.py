"""Seg-VAR: segmentation as next-scale autoregressive generation (arXiv:2511.12594)."""
