"""A judge that says nothing: what validation finds without one."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.messages import Message
from schemas.vocabulary import Role
from turnwright.models.errors import MalformedReply
from turnwright.models.reply import StructuredReply


class SilentJudge:
    """Stands in the place of `Models` where no model is to be asked: no vote can be read, so code alone decides."""

    async def structured(
        self,
        role: Role,
        messages: Sequence[Message],  # noqa: ARG002
        *,
        draw: int = 0,  # noqa: ARG002
        unit: str = "",  # noqa: ARG002
        remaining: float = 1.0,  # noqa: ARG002
        fields: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> StructuredReply[Any]:
        """No reply.

        Raises:
            MalformedReply: always.
        """
        raise MalformedReply(f"{role} is not asked in this calibration", problem="not asked")

    def name_of(self, role: Role) -> str:  # noqa: ARG002
        """Name that stands in rows."""
        return "none"
