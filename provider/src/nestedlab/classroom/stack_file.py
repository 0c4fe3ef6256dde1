"""A stack's configuration file, Pulumi.<stack>.yaml, as far as it is plain: what is sealed is the CLI's.

The Automation API would set each object through a process, and its reader drops whatever is no text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from nestedlab.classroom import whole_file
from nestedlab.errors import ConfigurationError

_SECURE = "secure"


def change(path: Path, settings: Mapping[str, Any]) -> None:
    """Set plain settings, and leave the others as they are; None removes one."""
    content = _read(path)
    config = {**_config(content), **settings}
    _write(path, content, {key: value for key, value in config.items() if value is not None})


def replace(path: Path, settings: Mapping[str, Any], sealed: Collection[str]) -> None:
    """Replace the plain settings; of the sealed ones, keep those with these keys."""
    content = _read(path)
    kept = {key: value for key, value in _config(content).items() if key in sealed and _is_sealed(value)}
    _write(path, content, {**kept, **{key: value for key, value in settings.items() if value is not None}})


def sealed(path: Path) -> set[str]:
    """The keys of the settings that are sealed."""
    return {key for key, value in _config(_read(path)).items() if _is_sealed(value)}


def _is_sealed(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {_SECURE}


def _config(content: Mapping[str, Any]) -> dict[str, Any]:
    return dict(content.get("config") or {})


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error}. Fix or remove it: `nestedlab class up` writes a new one."
        ) from error
    return dict(content or {})


def _write(path: Path, content: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    whole_file.replace(path, yaml.safe_dump({**content, "config": config}, sort_keys=False, allow_unicode=True))
