"""The sections of the HTML report, one module each, with a template of the same name.

A section has a `TITLE` and a function `build(material)` that gives its template's values, or none where the run has
nothing to show in it. `html.SECTIONS` says which there are and in which order.
"""
