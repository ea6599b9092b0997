"""Architectures of segmentation-models-pytorch on encoders of timm."""
