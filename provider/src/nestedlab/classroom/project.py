"""A Pulumi project as its Pulumi.yaml describes it, as far as the class has to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nestedlab.errors import ConfigurationError

FILES = ("Pulumi.yaml", "Pulumi.yml")


@dataclass(frozen=True)
class Project:
    """A lab program's project."""

    folder: Path
    name: str
    program: Path
    """The folder with the program's __main__.py."""
    virtual_environment: Path | None
    """The environment that Pulumi runs the program in; None is that of the shell."""


def project(folder: Path) -> Project:
    """The project in a folder. Raises ConfigurationError if it is none, or not in Python."""
    file = _file(folder)
    if file is None:
        raise ConfigurationError(f"there is no Pulumi.yaml in {folder}. Name the folder of a Pulumi project.")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    values: Mapping[str, Any] = content if isinstance(content, Mapping) else {}
    runtime = values.get("runtime")
    language, options = (runtime.get("name"), runtime.get("options")) if isinstance(runtime, Mapping) else (runtime, {})
    if language != "python":
        raise ConfigurationError(f"{file} has no runtime python. Labs are programs in Python.")
    if not values.get("name"):
        raise ConfigurationError(f"{file} has no name. Give the project one.")
    environment = (options or {}).get("virtualenv")
    return Project(
        folder,
        str(values["name"]),
        folder / str(values.get("main") or "."),
        folder / str(environment) if environment else None,
    )


def change_options(folder: Path, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Change the options of the runtime of a project that was checked, such as `virtualenv`, if it has any."""
    file = _file(folder)
    content: Any = yaml.safe_load(file.read_text(encoding="utf-8")) if file is not None else {}
    runtime = content.get("runtime")
    if file is not None and isinstance(runtime, dict) and isinstance(runtime.get("options"), dict):
        content["runtime"] = {**runtime, "options": dict(change(runtime["options"]))}
        file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _file(folder: Path) -> Path | None:
    return next((folder / name for name in FILES if (folder / name).is_file()), None)
