"""The settings in a stack's configuration: those that a program reads, and those that there are not."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable
from typing import Any

import pulumi
from pulumi import runtime
from pulumi.runtime.config import CONFIG, get_config

_PREFIX = "nestedlab:"


def refuse_unknown_settings(settings: Collection[str]) -> None:
    """Raise pulumi.RunError if the stack's configuration has a setting of this prefix that is not one of these.

    Here, because a dynamic provider can only ask for settings by name, so that it never sees a misspelt one.
    """
    # A project of the same name has the same prefix for settings of its own.
    if f"{pulumi.get_project()}:" == _PREFIX:
        return
    # The CLI hands the configuration over in the environment, the Automation API to a program that is a function here.
    given = {*runtime.get_config_env(), *CONFIG.get()}
    unknown = sorted(key for key in given if key.startswith(_PREFIX) and key not in settings)
    if unknown:
        raise pulumi.RunError("; ".join(f"there is no setting {key!r}; {_hint(key, settings)}" for key in unknown))


def _hint(key: str, settings: Iterable[str]) -> str:
    # Compared without the prefix, which makes any two of them alike.
    by_name = {_name(setting): setting for setting in settings}
    nearest = difflib.get_close_matches(_name(key), by_name, n=1)
    return f"did you mean {by_name[nearest[0]]!r}?" if nearest else "see docs/reference/configuration.md"


def _name(key: str) -> str:
    return key.removeprefix(_PREFIX).lower()


def object_setting(key: str) -> Any:
    """The value of a setting that is an object: Pulumi hands it over as JSON. None if there is none."""
    value = get_config(key)
    try:
        return None if value is None else json.loads(value)
    except ValueError:
        return value  # a text where an object belongs, for the reader of the object to refuse
