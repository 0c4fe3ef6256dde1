"""A process that does what Pulumi's provider process does, and measures itself.

It prints what loading the provider and the first check took, then the seconds of CPU of each call that a line of input
requests, such as "create 3". All are JSON. It knows only what is fixed about the provider: the path of its class,
which every stack's state has, and the names of inputs. Usage: bench_provider.py CHECKOUT. It ends with its input.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from bench_child import Spent, measured, must_be_of, say

FIRST = ("load the provider", "first check")
CALLS = ("check", "create", "read", "delete")
"""What is called for each machine, in this order."""


class Machines:
    """Machines by number, and the calls that the engine makes for a machine."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._checked: dict[int, Any] = {}
        self._made: dict[int, Any] = {}

    def call(self, name: str, number: int) -> None:
        """Make a call of CALLS."""
        if name == "check":
            self._checked[number] = self._provider.check({}, inputs(f"hv{number}")).inputs
        elif name == "create":
            self._made[number] = self._provider.create(self._checked[number])
        else:
            made = self._made[number]
            getattr(self._provider, name)(made.id, made.outs)


def inputs(name: str) -> dict[str, Any]:
    """A small machine's inputs, as the engine sends them."""
    size = {"processors": 1, "memoryMib": 512, "osDisk": {"sizeGib": 80}}
    return {"name": name, "owner": f"bench/dev/{name}", **size}


def main(checkout: Path) -> None:
    """Start as the engine's first call does, then make the requested calls."""
    spent: Spent = {}
    dynamic, runtime = import_module("pulumi.dynamic"), import_module("pulumi.runtime")
    runtime.configure(runtime.Settings(project="bench", stack="dev"))
    with measured(spent, "load the provider"):
        module = import_module("nestedlab.adapters.dynamic")
        provider = module.NestedHyperVHostProvider()
    must_be_of(module, checkout)
    with measured(spent, "first check"):
        config = dynamic.Config(raw_config={}, project_name="bench")
        provider.configure(dynamic.ConfigureRequest(config=config))
        provider.check({}, inputs("first"))
    say(spent)
    machines = Machines(provider)
    for line in sys.stdin:
        name, number = line.split()
        with measured(spent, name):
            machines.call(name, int(number))
        say(spent[name]["cpu"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
