"""Segmentation methods: one file or package each; the file name is the registry."""
