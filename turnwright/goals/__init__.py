"""Latent goals: what a simulated user pursues, with a plan that was proved by running it."""
