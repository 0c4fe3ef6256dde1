"""What is not ready yet, or is held by another, on a busy host: it is refused a few times, and then done."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

MOST = 2
"""How often a thing is refused at most."""


@dataclass(slots=True)
class Contention:
    """How busy a host is. Without a seed it has nothing else to do, and refuses nothing.

    How often a cmdlet refuses a thing is drawn once for each of them, so that a seed is a schedule.
    """

    seed: int | None = None
    _left: dict[tuple[str, object], int] = field(default_factory=dict)

    def refuses(self, cmdlet: str, thing: object) -> int:
        """How often the thing is still refused, this time among them; 0 if it is done."""
        if self.seed is None:
            return 0
        left = self._left.get((cmdlet, thing))
        if left is None:
            left = Random(f"{self.seed}-{len(self._left)}").randint(0, MOST)  # noqa: S311 - a schedule, no secret
        self._left[cmdlet, thing] = max(left - 1, 0)
        return left
