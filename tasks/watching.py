"""Whether somebody looks at the Prefect server that this process reports to."""

from prefect.settings import get_current_settings


def is_watched() -> bool:
    """False for the server of a run's own, which nobody can open: it gets neither logs nor artifacts nor events."""
    return get_current_settings().logging.to_api.enabled
