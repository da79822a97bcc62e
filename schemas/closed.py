"""The base of every model that turnwright defines: immutable, and closed against fields nobody declared; and shares."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Closed(BaseModel):
    """A frozen value that refuses unknown fields, so that a misspelt key is an error and never silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A part of a whole."""
