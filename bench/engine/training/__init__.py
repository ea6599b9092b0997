"""The training loop, its optimiser, and the weights that it starts from and leaves."""
