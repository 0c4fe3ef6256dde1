"""Carries out the works of many students, as many at once as the limits allow. One failure does not stop the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol

from nestedlab.classroom.processes import Processes
from nestedlab.classroom.work import Outcome, Report, Work

_SECONDS_BETWEEN_LOOKS = 0.2
"""How long an interruption may go unnoticed."""

CarryOut = Callable[[Work, Report], Outcome]
"""Does one work."""


class Watcher(Protocol):
    """Receives the progress of works, from several threads."""

    def waits(self, student: str, reason: str) -> None:
        """A student's work has not begun, and why."""

    def begins(self, student: str) -> None:
        """A student's work has begun."""

    def does(self, student: str, text: str) -> None:
        """What is done for a student now."""

    def ends(self, outcome: Outcome) -> None:
        """A student's work has ended."""


class Crew:
    """Workers of this machine."""

    def __init__(
        self, carry_out: CarryOut, workers: int, at_once: Mapping[str, int], processes: Processes, watcher: Watcher
    ) -> None:
        self._carry_out, self._workers, self._at_once = carry_out, workers, at_once
        self._processes, self._watcher = processes, watcher

    def do(self, works: Sequence[Work]) -> list[Outcome]:
        """Do the works, and return their outcomes in the same order."""
        waiting, running = list(works), dict[Future[Outcome], Work]()
        ended: dict[str, Outcome] = {}
        with ThreadPoolExecutor(self._workers) as pool:
            while waiting or running:
                if self._processes.interrupted:
                    for work in waiting:
                        ended[work.student] = self._not_begun(work)
                    waiting = []
                for work in self._next(waiting, list(running.values())):
                    waiting.remove(work)
                    self._watcher.begins(work.student)
                    running[pool.submit(self._carry_out, work, self._watcher.does)] = work
                done, _ = wait(running, timeout=_SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
                for future in done:
                    outcome = future.result()
                    ended[running.pop(future).student] = outcome
                    self._watcher.ends(outcome)
        return [ended[work.student] for work in works]

    def _next(self, waiting: Sequence[Work], running: Sequence[Work]) -> list[Work]:
        """Those of the waiting that can begin now; a full parent holds up nobody else's students."""
        busy, free, found = Counter(work.parent for work in running), self._workers - len(running), list[Work]()
        for work in waiting:
            if len(found) == free:
                self._watcher.waits(work.student, "waits for a worker")
            elif busy[work.parent] >= self._at_once.get(work.parent, self._workers):
                self._watcher.waits(work.student, f"waits for a WinRM shell of {work.parent}")
            else:
                busy[work.parent] += 1
                found.append(work)
        return found

    def _not_begun(self, work: Work) -> Outcome:
        outcome = Outcome(work.student, work.operation, error="interrupted before it began", interrupted=True)
        self._watcher.ends(outcome)
        return outcome
