"""Quantisers: latents to maps of codes and back, one interface for all (``quantiser.py``)."""
