"""CPU time: of the provider's process, of the simulated host's, and of what is imported before either does anything.

Each is measured in processes of its own, by themselves, from the system's account of their use.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import bench_provider
import simulated_host
from bench_code import PRESENT, Code
from bench_figures import Figures, Taken, backwards_every_other

MILLISECONDS = 1000

Variables = Mapping[str, str]


class Child:
    """A process of a script of the bench, which answers lines with lines; it ends with the block."""

    def __init__(self, script: str, code: Code, variables: Variables) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, str(Path(__file__).with_name(f"{script}.py")), str(code.folder)]
        users = {name: value for name, value in os.environ.items() if not name.startswith("NESTEDLAB_")}
        environment = {**users, **code.environment, **variables}
        self._process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
        self._script = script

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.communicate()

    def ask(self, line: str) -> Any:
        """Send a line, and return the answer."""
        print(line, file=self._process.stdin, flush=True)
        return self.answer()

    def answer(self) -> Any:
        """Return what it prints next."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"{self._script} has ended; its reason is above")
        return json.loads(line)


class Pair:
    """A host and a provider, each of some code and in a process of its own, and the CPU that machines cost them."""

    def __init__(self, host: Code, provider: Code, processes: ExitStack) -> None:
        secret = {"NESTEDLAB_PASSWORD": simulated_host.new_password()}
        self._host = processes.enter_context(Child("bench_host", host, secret))
        variables = {**self._host.answer(), **secret}
        self._provider = processes.enter_context(Child("bench_provider", provider, variables))
        self.first = self._provider.answer()
        """What loading the provider and the first check took."""
        self.spent: dict[str, list[float]] = {}
        """The milliseconds of CPU for a machine, of each turn, by side and call."""

    def turn(self, name: str, machines: Sequence[int]) -> None:
        """Make the provider do a call for each of these machines."""
        before = self._host.ask("cpu")
        spent = {"provider": sum(self._provider.ask(f"{name} {machine}") for machine in machines)}
        spent["host"] = self._host.ask("cpu") - before
        for side, seconds in spent.items():
            if side == "host" and name == "check":
                continue  # only the first check of a process reaches the host, and it is not among these
            self.spent.setdefault(f"{side}: {name}", []).append(seconds / len(machines) * MILLISECONDS)


def machines(codes: Sequence[Code], count: int, advance: Callable[[], None]) -> Taken:
    """The milliseconds of CPU that a machine costs, turn by turn of so many machines: the provider's and the host's.

    Either is measured with the present code on the other side. The codes take turns machine by machine.
    """
    with ExitStack() as processes:
        sides = dict.fromkeys([*((PRESENT, code) for code in codes), *((code, PRESENT) for code in codes)])
        pairs = {(host, provider): Pair(host, provider, processes) for host, provider in sides}
        for number, (name, numbers) in enumerate(turns(count)):
            for pair in backwards_every_other(number, list(pairs.values())):
                pair.turn(name, numbers)
            advance()
    return {
        code.name: {
            name: turns
            for side, pair in (("provider", pairs[PRESENT, code]), ("host", pairs[code, PRESENT]))
            for name, turns in pair.spent.items()
            if name.startswith(side)
        }
        for code in codes
    }


def turns(count: int) -> Iterator[tuple[str, Sequence[int]]]:
    """The turns for so many machines: a call, and the machines for which a pair makes it before the next pair's turn.

    All reads of a pair are a single turn: the provider reads several machines at once, and keeps them for some seconds.
    """
    for name in bench_provider.CALLS:
        if name == "read":
            yield name, range(count)
        else:
            yield from ((name, [machine]) for machine in range(count))


def imports(code: Code) -> Figures:
    """What a program and the provider's process take before they do their work, in milliseconds."""
    with ExitStack() as processes:
        spent = processes.enter_context(Child("bench_program", code, {})).answer()
        spent |= Pair(PRESENT, code, processes).first
    return {
        f"{stage}: {clock}": spent[stage][clock] * MILLISECONDS
        for stage in ("import pulumi", "import pulumi_nestedlab", *bench_provider.FIRST)
        for clock in ("cpu", "wall")
    }
