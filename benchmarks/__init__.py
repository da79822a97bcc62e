"""How close turnwright comes to the speed limit of an endpoint, and what it does when things break. See __main__.py."""
