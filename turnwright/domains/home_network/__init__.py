"""A helpdesk for home networks: the assistant sees the line, the user stands at the router (dual control)."""

from turnwright.domains.home_network.domain import HomeNetwork

__all__ = ["HomeNetwork"]
