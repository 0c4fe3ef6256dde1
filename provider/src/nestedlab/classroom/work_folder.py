"""A student's work folder: a copy of the lab program.

A copy, since the CLI writes a stack's configuration beside Pulumi.yaml and locks nothing there, refuses a program that
is outside of the project's folder, and lets programs keep files in it: thirty students in one folder would meet. So the
folder also has what was last applied, whatever happens to the program meanwhile.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from nestedlab.classroom.project import FILES

_LEFT_OUT = {".git", ".hg", ".nestedlab", ".venv", "__pycache__", "node_modules", "venv"}


def lay_out(program: Path, folder: Path, stack: str) -> None:
    """Make the folder a copy of the program as it is now, and keep the stack's configuration that is there.

    The copy is made beside it and takes its place whole: an interruption leaves the old one.
    """
    new, old = (folder.with_name(f"_{which}-{folder.name}") for which in ("new", "old"))
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(program, new, ignore=_ignored, ignore_dangling_symlinks=True)
    _fix_project(program, new)
    settings = folder / f"Pulumi.{stack}.yaml"
    if settings.exists():
        shutil.copy2(settings, new)
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


def _fix_project(program: Path, folder: Path) -> None:
    """Have a virtual environment that the project names found from the copy."""
    file = next(folder / name for name in FILES if (folder / name).is_file())
    content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    runtime = content.get("runtime")
    options = runtime.get("options") if isinstance(runtime, dict) else None
    if not isinstance(options, dict):
        return
    # With the toolchain uv, Pulumi takes .venv beside the project if nothing is named, and makes it if it is not there.
    environment = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else None)
    if environment is not None and not Path(environment).is_absolute():
        options["virtualenv"] = str((program / environment).absolute())
        file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
