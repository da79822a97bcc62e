"""Calibration: known defects are planted in valid dialogues, and what the validator makes of them is counted."""
