"""A student's work folder: a copy of the lab program.

A copy, since the CLI writes a stack's configuration beside Pulumi.yaml and locks nothing there, refuses a program that
is outside of the project's folder, and lets programs keep files in it: thirty students in one folder would meet. So the
folder also has what was last applied, whatever happens to the program meanwhile.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nestedlab.classroom.project import FILES, change_options
from nestedlab.classroom.work import Place

_LEFT_OUT = {".git", ".hg", ".nestedlab", ".venv", "__pycache__", "node_modules", "venv"}


def lay_out(program: Path, place: Place) -> None:
    """Make the work folder a copy of the program as it is now, and keep the stack's configuration.

    The copy is made beside it and takes its place whole: an interruption leaves the old one.
    """
    folder = place.folder
    new, old = (folder.with_name(f"_{which}-{folder.name}") for which in ("new", "old"))
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(program, new, ignore=_ignored, ignore_dangling_symlinks=True)
    change_options(new, lambda options: _with_absolute_environment(options, program))
    if place.settings.exists():
        shutil.copy2(place.settings, new)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def remove(folder: Path) -> None:
    """Remove a work folder, with all that programs have left there."""
    shutil.rmtree(folder, ignore_errors=True)


def is_left_out(path: str) -> bool:
    """Whether a path in a work folder is of no use elsewhere."""
    return not _LEFT_OUT.isdisjoint(Path(path).parts)


def _ignored(folder: str, names: Iterable[str]) -> set[str]:
    return {name for name in names if name in _LEFT_OUT or _is_own(Path(folder), name)}


def _is_own(folder: Path, name: str) -> bool:
    """Whether it is a virtual environment, or a stack's configuration: each student has another."""
    is_configuration = name.startswith("Pulumi.") and name not in FILES and name.endswith((".yaml", ".yml"))
    return is_configuration or (folder / name / "pyvenv.cfg").is_file()


def _with_absolute_environment(options: Mapping[str, Any], program: Path) -> dict[str, Any]:
    """The options with the virtual environment that they name as an absolute path, so that the copy finds it."""
    # With the toolchain uv, Pulumi takes .venv beside the project if nothing is named, and makes it if it is not there.
    environment = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else None)
    return {**options, **({"virtualenv": str((program / environment).absolute())} if environment else {})}
