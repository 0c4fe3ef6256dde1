"""Measures what the provider and the simulated host cost, and an earlier commit in the same run if COMMIT is given."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import bench_class
import bench_cpu
import bench_figures
import bench_requests
import bench_times
import click
from bench_code import PRESENT, Code, beside
from bench_figures import CPU_MILLISECONDS, WALL_SECONDS, Figures, Taken
from rich.console import Console


class Bench:
    """A run of the command: its settings, and the parts that can be requested."""

    def __init__(self, codes: Sequence[Code], runs: int, machines: int, console: Console) -> None:
        self._codes = codes
        self._runs = runs
        self._machines = machines
        self._console = console
        self._ratios = [(PRESENT.name, code.name) for code in codes if code is not PRESENT]

    def requests(self) -> None:
        """Requests are those of the present code alone: they do not vary."""
        self._console.print(bench_requests.requests_table())
        spent = bench_requests.refresh_of_a_class()
        self._console.print(f"refresh of 32 hosts and 4 switches through the CLI: {spent} HTTP requests in all")

    def cpu(self) -> None:
        """The CPU of the provider's process and of the host's, a machine."""
        title = "CPU time, ms a machine"
        total = self._runs * len(list(bench_cpu.turns(self._machines)))
        with bench_figures.progress(title, total, self._console) as advance:
            bench_cpu.machines(self._codes, 1, lambda: None)  # compiles what Python has not compiled yet
            runs = [bench_cpu.machines(self._codes, self._machines, advance) for _ in range(self._runs)]
        taken = bench_figures.together(runs)
        self._console.print(bench_figures.table(title, "process: call", taken, self._ratios, CPU_MILLISECONDS))

    def imports(self) -> None:
        """What is spent before the first resource."""
        title = "Before the first resource, ms"
        measures = {code.name: partial(bench_cpu.imports, code) for code in self._codes}
        taken = self._alternately(title, measures)
        self._console.print(bench_figures.table(title, "what: clock", taken, self._ratios, CPU_MILLISECONDS))

    def times(self, counts: Sequence[int], delays: Sequence[int]) -> None:
        """The time of whole commands, a table for each number of machines and each delay."""
        for count in counts:
            for delay in delays:
                idle = partial(bench_times.life, bench_times.DOES_NOTHING.format(count=count))
                program = bench_times.MACHINES.format(count=count)
                codes = {code.name: partial(bench_times.life, program, code, delay) for code in self._codes}
                title = f"Seconds of whole commands (machines: {count}, delay of each request: {delay} ms)"
                taken = self._alternately(title, {bench_times.IDLE: idle, **codes})
                ratios = [*((name, bench_times.IDLE) for name in codes), *self._ratios]
                self._console.print(bench_figures.table(title, "command", taken, ratios, WALL_SECONDS))

    def _alternately(self, title: str, measures: Mapping[str, Callable[[], Figures]]) -> Taken:
        with bench_figures.progress(title, len(measures) * (self._runs + 1), self._console) as advance:
            return bench_figures.alternately(measures, self._runs, advance)


PARTS = ("requests", "cpu", "imports", "times", "class")


def _numbers(_context: click.Context, _parameter: click.Parameter, value: str) -> list[int]:
    try:
        return [int(number) for number in value.split(",")]
    except ValueError:
        raise click.BadParameter("separate the numbers by commas, such as 1,8,32") from None


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("parts", nargs=-1, type=click.Choice(PARTS), metavar="[PART]...")
@click.option("--beside", "commit", metavar="COMMIT", help="Measure an earlier commit in the same run, in turns.")
@click.option("--runs", default=5, show_default=True, help="How often each is measured.")
@click.option("--machines", default=16, show_default=True, help="For `cpu`: how many machines a run.")
@click.option("--counts", default="1,8,32", show_default=True, callback=_numbers, help="For `times`: machines a stack.")
@click.option("--sizes", default="1,4,12,30", show_default=True, callback=_numbers, help="For `class`: students.")
@click.option("--delays", default="0,20", show_default=True, callback=_numbers, help="For `times`: ms a request.")
def main(  # noqa: PLR0913 - click gives each option as an argument
    *,
    parts: tuple[str, ...],
    commit: str | None,
    runs: int,
    machines: int,
    counts: list[int],
    sizes: list[int],
    delays: list[int],
) -> None:
    """Measure what the provider costs, on a simulated host, on this machine.

    Without a PART all parts are measured, in this order:

    \b
    requests  HTTP requests and pipelines of each operation, counted by the host
    cpu       CPU time of the provider's process to check, create, read and
              delete a machine, and of the simulated host's process meanwhile;
              with --beside, the other side is always the present code
    imports   what `import pulumi_nestedlab` adds to `import pulumi`, and what
              the provider's process takes to load and for its first check,
              which opens a session: CPU and wall time
    times     seconds of `pulumi up`, `preview`, `refresh` and `destroy`, next to
              as many resources that do nothing; the host is the present code
    class     seconds of `nestedlab class up`, next to as many stacks that do
              nothing, memory, requests, and the time to reset one student;
              once each, of the present code

    The table shows the least CPU time of all runs, and the median of wall times, on this computer at this time. A ratio
    is the median of the ratios of measurements that were taken in succession; the range behind it has the middle half
    of those ratios, which is the noise.

    With --beside the commit is checked out into a temporary folder, its code is run with this checkout's packages, and
    it is measured in turns with this checkout (for `cpu`, machine by machine): what slows this computer down slows both
    down. If ratios vary by much it was busy: take more runs.

    \b
    scripts/bench requests                              seconds
    scripts/bench cpu imports --beside HEAD~5           minutes
    scripts/bench times --counts 8 --delays 20 --runs 3
    """
    console = Console()
    with beside(commit) as codes:
        bench = Bench(codes, runs, machines, console)
        for part in parts or PARTS:
            if part == "times":
                bench.times(counts, delays)
            elif part == "class":
                console.print(bench_class.table(sizes))
            else:
                getattr(bench, part)()
    console.print(f"cores: {os.cpu_count()}, runs: {runs}")


if __name__ == "__main__":
    main(prog_name="scripts/bench")
