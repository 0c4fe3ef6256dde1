"""Inputs that a program marks as secret, by name. The engine gives a provider their values without the mark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nestedlab.adapters import log_file

PROPERTY = "__secretInputs"
"""The property in which the SDK names them. The engine shows no property that begins with two underscores."""


def keep_secret(*properties: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the secret ones of some properties out of the log; returns their names, as properties to go on with."""
    kept: dict[str, Any] = {}
    for sent in properties:
        names = sent.get(PROPERTY) or ()
        log_file.hide([sent.get(name) for name in names])
        if names:
            kept = {PROPERTY: names}
    return kept
