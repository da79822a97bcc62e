"""What is handed to a trainer: selection, splits, export formats, the dataset card."""
