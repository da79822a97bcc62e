"""What Prefect shows: the pipeline, one flow per stage, and the command line that starts them."""
