"""Generative Semantic Segmentation (Chen et al., CVPR 2023, arXiv:2303.11316)."""
