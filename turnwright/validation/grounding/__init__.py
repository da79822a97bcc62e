"""Grounding: every value, record and deed in the assistant's prose is traced to what it could have known.

claims.py reads prose, evidence.py and records.py what is known, tracing.py and attribution.py hold one against the
other, deeds.py looks at claimed actions, and check.py is the one entry.
"""
