"""Tools: SQL drafts checked, shaped, described, proved by execution, and grouped into toolsets."""
