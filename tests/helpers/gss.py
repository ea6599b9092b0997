"""Settings of a GSS that learns in a fraction of a second."""

SMALL = {
    "conv": {"widths": [8, 8], "num_codes": 16, "code_dim": 4},
    "dalle": {"width": 8, "first_width": 8, "blocks": 1, "num_codes": 16},
    "head": {"level_width": 8, "fused_width": 16, "token_width": 16},
    "learned_inverse": {"width": 8},
}
