"""Autoencoders that two or more methods use: small, and as released."""
