"""What a person reads about a run: the HTML report, dialogues and tables in a terminal."""
