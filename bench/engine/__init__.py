"""Plans, training, evaluation, and re-execution."""
