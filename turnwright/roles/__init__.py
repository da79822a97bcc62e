"""Roles: one file for each thing that a model is asked to be."""
