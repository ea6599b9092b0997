"""Discriminative decode heads that no library has, on image encoders of timm."""
