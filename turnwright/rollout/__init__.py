"""The dialogue loop: what is said and called, in which order, until the task is complete."""
