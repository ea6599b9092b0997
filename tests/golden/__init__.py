"""Golden numbers of every part whose version is in keys; see ``python -m tests.golden -h``."""
