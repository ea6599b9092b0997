"""The documentation, and what makes the README's figure, tables and sentences."""
