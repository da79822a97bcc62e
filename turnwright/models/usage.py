"""What the calls of a run cost, by role."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from schemas.endpoints import Price
from schemas.vocabulary import Role
from turnwright.models.reply import ModelReply


@dataclass(slots=True)
class RoleUsage:
    """The calls of one role in this process."""

    requests: int = 0
    """Requests sent to an endpoint, retries included."""
    calls: int = 0
    """New replies that an endpoint gave."""
    replayed: int = 0
    """Replies that came from the journal."""
    repaired: int = 0
    """Malformed replies that a repair call mended, new and replayed."""
    failed: int = 0
    """Calls that ended in an error."""
    prompt_tokens: int = 0
    """Of new replies only."""
    completion_tokens: int = 0
    cached_tokens: int = 0
    """Prompt tokens that the endpoint says its prefix cache served."""
    estimated: int = 0
    """New replies whose tokens are an estimate, because the endpoint gave none."""
    replayed_tokens: int = 0
    """Tokens of replies that came from the journal: paid for earlier."""
    cost_usd: float | None = 0.0
    """Cost of new replies; None where the model has no price."""


@dataclass
class Usage:
    """The calls of a run in this process."""

    roles: dict[Role, RoleUsage] = field(default_factory=dict[Role, RoleUsage])

    def of(self, role: Role) -> RoleUsage:
        """The figures of one role."""
        return self.roles.setdefault(role, RoleUsage())

    def add(self, earlier: Mapping[str, Any]) -> None:
        """Adds figures as `to_dict` gave them: what the same run used in another process, or before it failed."""
        known = RoleUsage.__dataclass_fields__
        for role, figures in earlier.get("roles", {}).items():
            ours = self.of(role)
            for name, figure in figures.items():
                if name in known:
                    mine = getattr(ours, name)
                    setattr(ours, name, None if mine is None or figure is None else mine + figure)

    def since(self, earlier: "Usage") -> "Usage":
        """What was used after `earlier`, which is this one as it was before.

        A role that was not asked since cost nothing since, whatever is known of its price.
        """
        spent = Usage()
        for role, now in self.roles.items():
            before, figures = earlier.roles.get(role, RoleUsage()), spent.of(role)
            for name in RoleUsage.__dataclass_fields__:
                if name != "cost_usd":
                    setattr(figures, name, getattr(now, name) - getattr(before, name))
            if now.cost_usd is not None and before.cost_usd is not None:
                figures.cost_usd = now.cost_usd - before.cost_usd
            elif figures.calls:
                figures.cost_usd = None
        return spent

    def record_reply(self, role: Role, reply: ModelReply, price: Price | None, *, free: bool, cached: int) -> None:
        """Counts one reply; `free` marks an endpoint that costs nothing by nature (the embedded one)."""
        figures = self.of(role)
        if reply.replayed:
            figures.replayed += 1
            figures.replayed_tokens += reply.prompt_tokens + reply.completion_tokens
            return
        figures.calls += 1
        figures.prompt_tokens += reply.prompt_tokens
        figures.completion_tokens += reply.completion_tokens
        figures.cached_tokens += cached
        figures.estimated += reply.usage_estimated
        if price is None and not free:
            figures.cost_usd = None
        elif price is not None and figures.cost_usd is not None:
            figures.cost_usd += cost_usd(price, reply.prompt_tokens, reply.completion_tokens)

    @property
    def requests(self) -> int:
        """Requests sent to endpoints; 0 for a rerun that the journal serves whole."""
        return sum(figures.requests for figures in self.roles.values())

    @property
    def tokens(self) -> int:
        """Tokens of new replies, prompt and completion."""
        return sum(figures.prompt_tokens + figures.completion_tokens for figures in self.roles.values())

    @property
    def cost_usd(self) -> float | None:
        """Cost of new replies; None if a price is missing."""
        costs = [figures.cost_usd for figures in self.roles.values()]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON, roles sorted."""
        return {
            "requests": self.requests,
            "tokens": self.tokens,
            "cost_usd": self.cost_usd,
            "roles": {role: asdict(self.roles[role]) for role in sorted(self.roles)},
        }


def cost_usd(price: Price, prompt_tokens: int, completion_tokens: int) -> float:
    """Dollars for one call."""
    return (prompt_tokens * price.prompt + completion_tokens * price.completion) / 1e6
