"""Which questions the tools of a domain answer least: for these, tools are written."""

from collections.abc import Sequence

from schemas.tools import Tool
from turnwright.tools.text_vectors import Vectoriser, compare_vectors
from turnwright.tools.tool_text import compose_text, list_own_descriptions


def rank_uncovered(questions: Sequence[str], tools: Sequence[Tool], vectoriser: Vectoriser) -> list[int]:
    """Positions of the questions, the least covered first.

    A question is covered as far as the closest tool says the same (cosine). Whether a tool is really missing, the
    writer decides: it may answer that none is.
    """
    if not questions:
        return []
    own = list_own_descriptions(tools)
    texts = [compose_text(tool, text) for tool, text in zip(tools, own, strict=True)]
    similar = compare_vectors(vectoriser([*questions, *texts]))
    count = len(questions)
    closest = [float(similar[row, count:].max()) if texts else 0.0 for row in range(count)]
    return sorted(range(count), key=lambda row: (closest[row], row))
