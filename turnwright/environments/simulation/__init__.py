"""Tools that a model answers: the facts it has told, what code makes itself, and what it must not contradict."""
