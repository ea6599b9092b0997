"""UViM: a base model guided by codes, which a second model predicts from the image."""
