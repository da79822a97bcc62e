"""A retail shop: tau2's domain, in our own writing."""

from turnwright.domains.retail.domain import Retail

__all__ = ["Retail"]
