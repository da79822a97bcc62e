"""What this run is: where the data comes from, who wrote it, how much came out."""

from typing import Any

from turnwright.reports.material import Material
from turnwright.sources.names import name_source

TITLE = "Overview"
SELFPLAY = "selfplay"


def build(material: Material) -> dict[str, Any]:
    """Head figures, sources and models."""
    counts = material.statistics.counts
    config: dict[str, Any] = material.run.get("config") or {}
    sources: list[dict[str, Any]] = config.get("sources") or []
    paradigms: dict[str, float] = config.get("paradigms") or {}
    exported = sum(counts.exported.values())
    return {
        "cards": [
            ("dialogues exported", exported, f"{counts.exported.get('validation', 0):,} of them for validation"),
            ("valid", counts.valid_rate, f"{counts.valid:,} of {counts.dialogues:,} simulated"),
            ("tools verified", counts.tools_verified, f"{counts.tools_rejected:,} rejected"),
            ("domains", counts.domains, f"{counts.toolsets:,} toolsets"),
        ],
        "facts": [
            # The page is written before the run has ended.
            ("state", "" if material.run.get("state") == "running" else material.run.get("state")),
            ("seed", config.get("seed")),
            ("sources", ", ".join(name_source(source) for source in sources[:8])),
            ("paradigms", ", ".join(paradigms) or "by source"),
            ("models", ", ".join(material.statistics.models)),
        ],
        "templated": SELFPLAY in material.statistics.models,
        "error": material.run.get("error"),
    }
