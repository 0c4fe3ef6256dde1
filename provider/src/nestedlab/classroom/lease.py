"""How long a worker may go on without its client, and when a silent one is known to have stopped.

A worker tells the time of its own clock; the client hands that back, and from then on the worker may go on for a while.
So a message that was long on its way renews nothing, and the client knows when the last of them runs out.
"""

from __future__ import annotations

import time

SECONDS_OF_A_LEASE = 30
"""How long a work goes on after the moment that the client has last confirmed. Then it is interrupted."""

SECONDS_TO_END = 60
"""How long an interrupted work may take to end by itself. Then its processes are killed."""

SECONDS_UNTIL_DEAD = SECONDS_OF_A_LEASE + SECONDS_TO_END + 15
"""When nothing of a worker runs any more that has been silent since. The rest is for the kill."""


def clock() -> float:
    """Seconds on this machine's clock, the same in all of its processes, and with those in which it slept."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
