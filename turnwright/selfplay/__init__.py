"""The embedded endpoint: an OpenAI-compatible server of rules and templates, one player a role."""
