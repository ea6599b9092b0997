"""Figures and pictures, from a block to what the page and ``plots/`` hold."""
