"""Whether a dialogue is kept: rules, replay, outcome, and the rubric judge."""
