"""What every other package agrees on: the run's configuration, the rows of each table, the replies asked of each role.

Nothing here does I/O and nothing here imports from the rest of the project.
"""
