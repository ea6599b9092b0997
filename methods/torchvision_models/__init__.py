"""Segmentation networks of torchvision: FCN, DeepLabV3 and LR-ASPP."""
