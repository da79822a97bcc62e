"""The base of every model that turnwright defines: immutable, and closed against fields nobody declared."""

from pydantic import BaseModel, ConfigDict


class Closed(BaseModel):
    """A frozen value that refuses unknown fields, so that a misspelt key is an error and never silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
