"""Shows how the class goes: a table that changes on a terminal, lines elsewhere. It goes to stderr."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nestedlab.classroom.work import Operation, Outcome, Work

_INTERRUPTED = "Interrupted: waiting for running operations to end. Press Ctrl-C again to end them without waiting."


@dataclass
class _Row:
    """A student's row."""

    parent: str
    step: str = "waits for a worker"
    begun: float | None = None
    seconds: float | None = None
    """How long it took, once it has ended."""
    error: str | None = None

    @property
    def state(self) -> tuple[str, str]:
        """In a word, and the style it has."""
        if self.seconds is None:
            return ("running", "yellow") if self.begun is not None else ("waiting", "dim")
        return ("failed", "red") if self.error else ("done", "green")


class Progress:
    """The progress of all students. Use it as a context."""

    def __init__(self, works: Sequence[Work], workers: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._rows = {work.student: _Row(work.parent) for work in works}
        self._workers = workers
        self._operation = works[0].operation.value if works else ""
        self._tells = self._operation != Operation.STATUS.value  # which asks no host, and takes a second
        self._lock = threading.RLock()
        self._begin = time.monotonic()
        self._interrupted = False
        self._live = (
            Live(get_renderable=self._shown, console=self._console, refresh_per_second=4, transient=True)
            if self._console.is_terminal
            else None
        )

    def __enter__(self) -> Progress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def interrupt(self) -> None:
        """Show that running operations are being ended."""
        self._interrupted = True
        self._line(_INTERRUPTED)

    def waits(self, student: str, reason: str) -> None:
        """A student's work has not begun, and why."""
        with self._lock:
            self._rows[student].step = reason

    def begins(self, student: str) -> None:
        """A student's work has begun."""
        with self._lock:
            self._rows[student].begun = time.monotonic()
        if self._tells:
            self._line(f"{student}: {self._operation} begins")

    def does(self, student: str, text: str) -> None:
        """What is done for a student now."""
        with self._lock:
            self._rows[student].step = text
        self._line(f"{student}: {text}")

    def ends(self, outcome: Outcome) -> None:
        """A student's work has ended."""
        with self._lock:
            row = self._rows[outcome.student]
            row.seconds, row.error = outcome.seconds, outcome.error
            row.step = outcome.error or _changed(outcome)
        ended = f"failed: {outcome.error}" if outcome.error else f"done, {_changed(outcome)}"
        if self._tells or outcome.error:
            self._line(f"{outcome.student}: {ended} ({outcome.seconds:.0f} s)")

    def _line(self, text: str) -> None:
        if self._live is None:
            self._console.print(Text(text), soft_wrap=True)

    def _shown(self) -> Group:
        with self._lock:
            rows = [(student, row, row.state) for student, row in self._rows.items()]
            table = Table(box=None, pad_edge=False, expand=True)
            for heading in ("student", "parent", "state"):
                table.add_column(heading, no_wrap=True)
            table.add_column("step", ratio=1, no_wrap=True, overflow="ellipsis")
            table.add_column("seconds", justify="right", no_wrap=True)
            for student, row, (word, style) in self._fitting(rows):
                table.add_row(Text(student), Text(row.parent), Text(word, style), Text(row.step), self._seconds(row))
            return Group(table, Text(" ".join(self._totals([word for _, _, (word, _) in rows])), style="bold"))

    def _fitting(self, rows: list[tuple[str, _Row, tuple[str, str]]]) -> list[tuple[str, _Row, tuple[str, str]]]:
        """The rows that the terminal has room for: what works and what failed comes before the rest."""
        room = max(1, self._console.height - 4)
        if len(rows) <= room:
            return rows
        order = ["running", "failed", "waiting", "done"]
        chosen = sorted(rows, key=lambda row: order.index(row[2][0]))[:room]
        return [row for row in rows if row in chosen]

    def _seconds(self, row: _Row) -> str:
        if row.seconds is not None:
            return f"{row.seconds:.0f}"
        return f"{time.monotonic() - row.begun:.0f}" if row.begun is not None else ""

    def _totals(self, words: Sequence[str]) -> Iterator[str]:
        counts = {word: words.count(word) for word in ("done", "failed", "running", "waiting")}
        yield f"{self._operation}: " + ", ".join(f"{count} {word}" for word, count in counts.items() if count) + "."
        yield f"{time.monotonic() - self._begin:.0f} s."
        if self._interrupted:
            yield _INTERRUPTED
        elif (left := self._left()) is not None:
            yield f"About {left:.0f} s left."

    def _left(self) -> float | None:
        """An estimate of the seconds until all have ended, once one has."""
        took = [row.seconds for row in self._rows.values() if row.seconds]
        if not took:
            return None
        mean, now = sum(took) / len(took), time.monotonic()
        open_rows = [row for row in self._rows.values() if row.seconds is None]
        left = sum(max(0.0, mean - (now - row.begun if row.begun is not None else 0)) for row in open_rows)
        return left / min(self._workers, max(1, len(open_rows)))


def _changed(outcome: Outcome) -> str:
    """What was done, in a few words."""
    if outcome.operation is Operation.DRIFT:
        return f"{len(outcome.drift)} drifted" if outcome.drift else "nothing drifted"
    changes = [f"{count} {op}" for op, count in outcome.changes.items() if op != "same"]
    return ", ".join(changes) or "nothing changed"
