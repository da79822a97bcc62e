"""Migrations of the catalog, one file a revision in `versions/`; turnwright/lineage/schema.py runs them."""
