"""The one way to a model: OpenAI protocol, permits, retries, structured output, call journal, usage."""
