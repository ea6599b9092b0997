"""CAM-Seg: continuous mask latents from a masked transformer with a diffusion head."""
