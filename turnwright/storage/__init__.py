"""Tables in and out of Parquet, the content-addressed store, the run folder."""
