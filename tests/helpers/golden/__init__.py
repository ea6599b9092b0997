"""Golden numbers: what each version stands for, as far as a small probe shows it.

``observe`` of a subject computes its numbers, ``tests/golden/*.json`` keep them with their
version, and ``python -m tests.golden`` compares or writes them.
"""
