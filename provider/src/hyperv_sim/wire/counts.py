"""How many requests a server answered, so that a benchmark or a test can count per operation."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class Counts:
    """HTTP requests in all (with those that only authenticate), requests by WSMan action, and pipelines started."""

    http: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    pipelines: int = 0

    def __sub__(self, earlier: Counts) -> Counts:
        """Give what was added since an earlier count."""
        return Counts(self.http - earlier.http, self.actions - earlier.actions, self.pipelines - earlier.pipelines)


class RequestCounter:
    """Counts that go up, safe across threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = Counts()

    def count(self, *, http: int = 0, action: str = "", pipelines: int = 0) -> None:
        """Add to the counts."""
        with self._lock:
            self._counts.http += http
            self._counts.pipelines += pipelines
            if action:
                self._counts.actions[action] += 1

    def snapshot(self) -> Counts:
        """Give the counts as they are; what is given does not change any more."""
        with self._lock:
            return deepcopy(self._counts)

    def reset(self) -> Counts:
        """Start from zero, and give what was counted so far."""
        with self._lock:
            counted, self._counts = self._counts, Counts()
        return counted
