"""What a run was told, as `run.json` keeps it: config, versions, endpoints. Never a secret."""

import platform
import re
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from schemas.config import RunConfig
from schemas.endpoints import SelfplayModel
from schemas.vocabulary import Role

_PACKAGES = ("turnwright", "prefect", "pydantic", "pyarrow", "great-expectations", "openai", "sqlalchemy", "sqlglot")


def describe_endpoint(role: Role, config: RunConfig) -> dict[str, Any]:
    """Who plays a role: name, roots and sampling; never a key."""
    model = config.model_for(role)
    if isinstance(model, SelfplayModel):
        return model.model_dump(mode="json")
    fields = {"kind", "name", "base_url", "temperature", "top_p", "max_tokens", "extra_body"}
    return model.model_dump(mode="json", include=fields)


def mask_config(config: RunConfig) -> dict[str, Any]:
    """The config as JSON, without the password of a URL that holds one."""
    content = config.model_dump(mode="json")
    for source in content["sources"]:
        if source.get("url"):
            source["url"] = re.sub(r"//([^/@:]*):[^/@]*@", r"//\1:***@", source["url"])
    return content


def list_versions() -> dict[str, str]:
    """Versions of Python and of the packages that data depends on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found
