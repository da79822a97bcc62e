"""What a source is called where people read about it."""

from collections.abc import Mapping
from typing import Any


def name_source(source: Mapping[str, Any]) -> str:
    """Kind and name of a source of the config; of a URL, path or program only the last part: no host, no folder."""
    place = (
        source.get("url") or source.get("path") or source.get("module") or next(iter(source.get("command") or ()), "")
    )
    last = str(place).split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    return f"{source.get('kind', 'source')}: {source.get('name') or last or source.get('url_env') or 'unnamed'}"
