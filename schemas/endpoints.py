"""Which model plays a role, and how it is reached. A secret is named by its environment variable, never given."""

import re
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from schemas.closed import Closed, Share


class SelfplayModel(Closed):
    """The embedded endpoint: rule-based, templated, there to try, test and load the pipeline, not to train on."""

    kind: Literal["selfplay"] = "selfplay"
    mistake_rate: Share = 0.03
    """Chance that a simulated assistant turns one of its dialogues' replies into a real mistake."""
    seed: int = 0
    """Seed of the embedded endpoint; a reply is a pure function of the request body and this number."""


class Price(Closed):
    """What an endpoint charges, in US dollars per million tokens."""

    prompt: float = Field(ge=0.0)
    """Dollars per million prompt tokens."""
    completion: float = Field(ge=0.0)
    """Dollars per million generated tokens."""


class EndpointModel(Closed):
    """A model behind an OpenAI-compatible endpoint."""

    kind: Literal["endpoint"] = "endpoint"
    base_url: str | list[str]
    """Root of the API, as in `http://127.0.0.1:8000/v1`; several that serve the same model share the load."""
    name: str = Field(min_length=1)
    """Model name sent with each request."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key; none means that the endpoint wants no key."""
    temperature: float = Field(default=0.7, ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    max_tokens: int = Field(default=2048, ge=16)
    """Most tokens that one reply may have."""
    extra_body: dict[str, Any] = {}
    """Further fields of the request, as the endpoint names them."""
    timeout_seconds: float = Field(default=120.0, gt=0.0)
    """Longest wait for one reply before the call counts as an infrastructure failure and is retried."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    price: Price | None = None
    """Without a price the run reports tokens and says that the cost is unknown."""

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str | list[str]) -> str | list[str]:
        urls = [value] if isinstance(value, str) else value
        if not urls:
            raise ValueError("needs at least one URL")
        for url in urls:
            if not re.match(r"https?://[^\s]+$", url):
                raise ValueError(f"{url!r} is not an http(s) URL")
            if "@" in url.split("//", 1)[1].split("/", 1)[0]:
                raise ValueError("must not hold a user or password; use api_key_env")
        return value

    @property
    def urls(self) -> tuple[str, ...]:
        """The endpoint roots, without trailing slashes."""
        urls = [self.base_url] if isinstance(self.base_url, str) else self.base_url
        return tuple(url.rstrip("/") for url in urls)


class RoleOverride(Closed):
    """What one role does differently from `model`; a field left out is taken from there."""

    base_url: str | list[str] | None = None
    name: str | None = None
    api_key_env: str | None = None
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    max_tokens: int | None = Field(default=None, ge=16)
    price: Price | None = None


def _model_kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)  # pyright: ignore
    if kind is None:
        return "endpoint"
    return str(kind)  # pyright: ignore


ModelChoice = Annotated[
    Annotated[SelfplayModel, Tag("selfplay")] | Annotated[EndpointModel, Tag("endpoint")],
    Discriminator(_model_kind),
]


def allow_short_form(schema: dict[str, Any]) -> None:
    """`model: selfplay` is valid where the schema alone decides, too, as in the parameters of a deployment."""
    schema["oneOf"] = [*schema["oneOf"], {"const": "selfplay", "title": "selfplay", "type": "string"}]
