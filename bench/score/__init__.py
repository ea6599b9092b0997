"""Label maps to counts, counts to scores, scores to intervals."""
