"""What Prefect runs: one file per stage. A task reads rows, calls the library once per row, and writes rows."""
