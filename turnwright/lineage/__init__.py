"""Which row and file came from which."""
