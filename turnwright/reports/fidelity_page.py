"""A comparison of arms as a page of its own, in the style of the run's report."""

from pathlib import Path

from turnwright.reports.html import CONTENT_POLICY, make_environment
from turnwright.reports.sections import fidelity as section
from turnwright.statistics.fidelity.record import Fidelity
from turnwright.storage.store import replace_file


def write_fidelity_page(fidelity: Fidelity, file: Path) -> Path:
    """Writes the page and returns its path.

    Raises:
        OSError: the folder cannot be written.
    """
    replace_file(file, render_fidelity_page(fidelity).encode("utf-8", "replace"))
    return file


def render_fidelity_page(fidelity: Fidelity) -> str:
    """The page."""
    environment = make_environment()
    body = environment.get_template("fidelity.html").render(section.build_values(fidelity))
    parts = [{"name": "fidelity", "title": section.TITLE, "body": body}]
    names = " · ".join(arm.name for arm in fidelity.arms)
    return environment.get_template("page.html").render(sections=parts, run_id=names, policy=CONTENT_POLICY)
