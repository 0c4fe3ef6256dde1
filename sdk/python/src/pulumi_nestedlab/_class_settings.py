"""What a class decides for all machines of a student: that they are stopped, or go back to their baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime.config import get_config

from nestedlab.classroom.stack_settings import RESET, STOPPED


def class_settings(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a resource that the settings decide; none without them, or if it has no such properties."""
    decided: dict[str, Any] = {}
    if "running" in properties and _stopped():
        decided["running"] = False
    word, baseline = get_config(RESET), properties.get("baseline")
    if word and baseline and properties.get("reset") is None:
        # A baseline that is known later may be none.
        later = pulumi.Output.from_input(baseline).apply(lambda name: word if name else None)
        decided["reset"] = word if isinstance(baseline, str) else later
    return decided


def _stopped() -> bool:
    value = get_config(STOPPED)
    if value not in (None, "", "true", "false"):
        raise pulumi.RunError(f"{STOPPED} must be true or false, not {value!r}")
    return bool(value == "true")
