"""Gates between stages: one Great Expectations suite per table. Great Expectations is imported when a gate runs."""
