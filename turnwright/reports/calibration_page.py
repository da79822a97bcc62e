"""A calibration as a page of its own, in the style of the run's report."""

from pathlib import Path

from turnwright.calibration.record import Calibration
from turnwright.reports.html import CONTENT_POLICY, make_environment
from turnwright.reports.sections import calibration as section
from turnwright.storage.store import replace_file


def write_calibration_page(calibration: Calibration, file: Path) -> Path:
    """Writes the page and returns its path.

    Raises:
        OSError: the folder cannot be written.
    """
    replace_file(file, render_calibration_page(calibration).encode("utf-8", "replace"))
    return file


def render_calibration_page(calibration: Calibration) -> str:
    """The page."""
    environment = make_environment()
    body = environment.get_template("calibration.html").render(section.build_values(calibration))
    parts = [{"name": "calibration", "title": section.TITLE, "body": body}]
    return environment.get_template("page.html").render(sections=parts, run_id=calibration.run, policy=CONTENT_POLICY)
