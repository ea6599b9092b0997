"""Datasets, their label spaces and splits, and what is between a file and a tensor."""
