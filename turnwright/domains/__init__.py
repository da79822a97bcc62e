"""Stateful domains of our own: retail and airline (tau2's, against its data) and a home network with dual control."""
