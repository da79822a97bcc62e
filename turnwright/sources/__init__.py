"""Where seeds come from: databases, looked at without being changed."""
