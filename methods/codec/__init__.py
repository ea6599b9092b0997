"""Codecs by themselves: label maps to latents and back, with one exchangeable bottleneck."""
