"""Runs a lab program without engine and host, and reports the machines that it declares: `python -m` this, there.

It is a process of its own: the program is somebody else's, runs in the project's environment, and once in a process.
The settings come in PULUMI_CONFIG, as from the engine. The report is a line of JSON on stdout.
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import sys
from typing import Any

from pulumi.runtime import mocks
from pulumi.runtime.stack import run_pulumi_func

_MACHINE = ":NestedHyperVHost"
_ASKED = {
    "memory_mib": "memoryMib",
    "processors": "processors",
    "os_disk": "osDisk",
    "data_disks": "dataDisks",
    "on": "on",
}
"""What is reported of a machine, by the wire's names."""


class _Declared(mocks.Mocks):
    """Takes note of machines. As in a preview, what only a host knows of a resource is unknown to the program."""

    def __init__(self) -> None:
        self.machines: list[dict[str, Any]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ.endswith(_MACHINE):
            asked = {name: args.inputs.get(wire) for name, wire in _ASKED.items()}
            self.machines.append({"name": args.name, **asked})
        return f"{args.name}-id", dict(args.inputs)

    def call(self, _args: mocks.MockCallArgs) -> tuple[dict[Any, Any], None]:
        return {}, None


def main(program: str, project: str, stack: str) -> None:
    """Run the program, as the stack of a project, and write what it declares, or what it failed with."""
    report = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the program prints is no report
    declared = _Declared()
    sys.argv = [program]
    sys.path.insert(0, program)
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(declared, project=project, stack=stack, preview=True)
    try:
        asyncio.get_event_loop().run_until_complete(run_pulumi_func(lambda: _run(program)))
        # They are registered in any order: sorted, a message names the same one each time.
        found: dict[str, Any] = {"machines": sorted(declared.machines, key=lambda machine: str(machine["name"]))}
    except Exception as error:
        first, *_ = [*str(error).splitlines(), ""]
        found = {"failure": f"{type(error).__name__}: {first}"}
    json.dump(found, report, default=lambda _unknown: "unknown")
    report.close()


def _run(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
