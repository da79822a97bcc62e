"""What is counted over the tables of a run: steps, turns, tasks, yield, cost, mix, information."""
