"""What a runspace pool or a pipeline has to say, until a client comes to receive it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition
from time import monotonic

# How often (seconds) a waiting Receive looks whether its client is still there.
LOOK_ROUND = 0.1
# What a Stream element adds to its fragment in an envelope, in bytes before base64.
STREAM = 120


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one Receive takes: fragments in order, and whether no more will ever come."""

    fragments: tuple[bytes, ...]
    done: bool


class Outbox:
    """Fragments in order, put by one thread and taken by another.

    Output is held back for `gather` seconds while more may come, as WinRM's BufferMode "Block" does.
    """

    def __init__(self, gather: float = 0.0) -> None:
        self._gather_time = gather
        self._fragments: deque[tuple[bytes, bool]] = deque()
        self._finished = False
        self._closed = False
        self._changed = Condition()

    def put(self, fragment: bytes, *, apart: bool = False) -> None:
        """Add a fragment; one that stands `apart` goes out with a later Receive than those before it."""
        with self._changed:
            self._fragments.append((fragment, apart))
            self._changed.notify_all()

    def finish(self) -> None:
        """Say that nothing more will come."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Wake those who wait, for nothing: the shell is gone."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether the outbox was closed."""
        return self._closed

    def take(self, limit: int, timeout: float, is_gone: Callable[[], bool]) -> Delivery | None:
        """Wait up to `timeout` seconds for output and take up to `limit` bytes of it (one fragment at least).

        Gives None if nothing came, the client went away (what is there stays there then) or the outbox was closed.
        """
        deadline = monotonic() + timeout
        with self._changed:
            while not (self._fragments or self._finished):
                if self._closed or is_gone() or monotonic() >= deadline:
                    return None
                self._changed.wait(min(LOOK_ROUND, max(deadline - monotonic(), 0)))
            self._gather(limit, deadline)
            return None if self._closed or is_gone() else self._cut(limit)

    def _gather(self, limit: int, deadline: float) -> None:
        until = min(monotonic() + self._gather_time, deadline)
        while not (self._finished or self._closed) and sum(len(data) + STREAM for data, _ in self._fragments) < limit:
            remaining = until - monotonic()
            if remaining <= 0:
                return
            self._changed.wait(remaining)

    def _cut(self, limit: int) -> Delivery:
        taken: list[bytes] = []
        size = 0
        while self._fragments:
            data, apart = self._fragments[0]
            size += len(data) + STREAM
            if taken and (apart or size > limit):
                break
            taken.append(self._fragments.popleft()[0])
        return Delivery(tuple(taken), self._finished and not self._fragments)
