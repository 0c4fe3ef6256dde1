"""Waiting for what comes true by itself, such as the end of work whose client has gone."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 10


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until it is so; it fails if it is not so in time."""
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()
