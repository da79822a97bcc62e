"""Settings of the OpenLineage events that a run can send to a data catalog."""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.closed import Closed
from schemas.sources import check_url


class OpenLineage(Closed):
    """Where lineage events go. They tell about a run, never about a dialogue, and change nothing that it makes."""

    transport: Literal["none", "file", "http"] = "none"
    path: str | None = Field(default=None, min_length=1)
    """For `file`: a JSON Lines file that events are added to. Relative paths are taken from the working directory."""
    url: str | None = None
    """For `http`: root of the server, as `http://127.0.0.1:5000`; events go to its `api/v1/lineage`."""
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Name of the environment variable that holds the server's key."""
    namespace: str = Field(default="turnwright", min_length=1, max_length=200)
    """Namespace of the jobs."""
    timeout_seconds: float = Field(default=5.0, gt=0.0, le=60.0)
    """Longest wait for the server with one event."""

    @model_validator(mode="after")
    def _place(self) -> Self:
        if self.transport == "file" and self.path is None:
            raise ValueError("transport file needs path")
        if self.transport == "http":
            if self.url is None:
                raise ValueError("transport http needs url")
            check_url(self.url)
        return self
