"""Discriminative baselines from well-kept libraries: SegFormer and DeepLabV3+."""
