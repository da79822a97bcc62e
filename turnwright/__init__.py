"""turnwright: a data factory for tool-using language models. The library; the workflow stands in flows/ and tasks/."""

__version__ = "0.1.0"
