"""Predictions that were made elsewhere: any model, through a folder of its label maps."""
