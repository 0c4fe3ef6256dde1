"""Names on the host of resources that a program gives a logical name only."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi.runtime.config import get_config, is_config_secret

from nestedlab import autonaming
from nestedlab.autonaming import AUTONAMING
from pulumi_nestedlab._settings import object_setting


def physical_name(kind: str, logical_name: str) -> str:
    """The name that the setting `pulumi:autonaming` gives a resource; its logical name without the setting.

    Raises pulumi.RunError if the setting cannot be followed.
    """
    setting = object_setting(AUTONAMING)
    if setting is None:
        return logical_name
    stack = autonaming.Stack(pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack(), _config)
    try:
        return autonaming.physical_name(setting, kind, logical_name, stack)
    except ValueError as error:
        raise pulumi.RunError(f"{logical_name}: {error}") from None


def _config(path: str) -> str:
    """The value of the project's setting at a path, as `pulumi config get --path` takes it, with dots."""
    name, *keys = path.split(".")
    key = f"{pulumi.get_project()}:{name}"
    if is_config_secret(key):
        raise ValueError(f"{AUTONAMING}: ${{config.{path}}} is secret, and a name is not")
    value: Any = get_config(key)
    for part in keys:
        value = _member(value, part)
    if value is None or isinstance(value, dict | list):
        raise ValueError(f"{AUTONAMING}: ${{config.{path}}} has no value: run `pulumi config set {key} VALUE`")
    return value if isinstance(value, str) else json.dumps(value)


def _member(value: Any, part: str) -> Any:
    try:
        members = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return members.get(part) if isinstance(members, dict) else None
