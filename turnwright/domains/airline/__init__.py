"""An airline: tau2's domain, in our own writing."""

from turnwright.domains.airline.domain import Airline

__all__ = ["Airline"]
