"""Measurements that are taken in turns, and the table of them, with ratios and what those vary by."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

T = TypeVar("T")

Figures = Mapping[str, float]
"""The result of a measurement: figures by what they are of."""

Taken = Mapping[str, Mapping[str, Sequence[float]]]
"""All measurements: by the name of what is compared and by what they are of, in the order in which they were taken."""


@dataclass(frozen=True)
class Clock:
    """How measurements of a kind are shown: what stands for all of them, and with how many digits."""

    typical: Callable[[Sequence[float]], float]
    digits: int


CPU_MILLISECONDS = Clock(min, 1)
"""Whatever else runs on the computer adds to CPU time and takes nothing away."""
WALL_SECONDS = Clock(statistics.median, 2)
"""A wait may be short by chance."""


@contextmanager
def progress(doing: str, total: int, console: Console) -> Iterator[Callable[[], None]]:
    """Show how far it is; yields a function that is to be called `total` times."""
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(f"{doing} ...", total=total)
        yield lambda: bar.advance(task)


def alternately(measures: Mapping[str, Callable[[], Figures]], runs: int, advance: Callable[[], None]) -> Taken:
    """Measure each in turn, as often as `runs` says, so that a computer that gets slower does so for all of them.

    The first run of each is not counted: it compiles what Python has not compiled yet.
    """
    taken: dict[str, dict[str, list[float]]] = {name: {} for name in measures}
    for run in range(runs + 1):
        for name in backwards_every_other(run, list(measures)):
            figures = measures[name]()
            for of, figure in figures.items() if run else ():
                taken[name].setdefault(of, []).append(figure)
            advance()
    return taken


def together(runs: Sequence[Taken]) -> Taken:
    """The measurements of several runs, in the order of the runs."""
    first = runs[0]
    return {name: {of: [figure for run in runs for figure in run[name][of]] for of in first[name]} for name in first}


def backwards_every_other(turn: int, members: Sequence[T]) -> Sequence[T]:
    """The order of the members in a turn, reversed in every other turn, so that none is always the last."""
    return members[::-1] if turn % 2 else members


def table(title: str, of: str, taken: Taken, ratios: Sequence[tuple[str, str]], clock: Clock) -> Table:
    """The typical value of each figure, and for each pair of names the ratio of the first to the second."""
    heads = [f"{name} : {base}" for name, base in ratios]
    shown = Table(of, *taken, *heads, title=title)
    for figure in next(iter(taken.values())):
        values = {name: figures[figure] for name, figures in taken.items()}
        columns = [f"{clock.typical(runs):.{clock.digits}f}" for runs in values.values()]
        shown.add_row(figure, *columns, *(ratio(values[name], values[base]) for name, base in ratios))
    return shown


def ratio(values: Sequence[float], bases: Sequence[float]) -> str:
    """The median of the ratios of measurements that were taken together, and where their middle half lies."""
    ratios = [value / base for value, base in zip(values, bases, strict=True)]
    if len(ratios) == 1:
        return f"{ratios[0]:.2f}"
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"
