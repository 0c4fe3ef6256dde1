"""The steps of the quickstart, once there is a host: each prints what it does, does it, and checks the result."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import click
from administrator import Administrator, Row
from lab import Lab, Run
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

MACHINE = "hv1"
"""The nested host of the quickstart's program."""

INVENTORY = {"Get-VM": "Name", "Get-VMSwitch": "Name", "Get-NetNat": "Name", "Get-NetIPAddress": "IPAddress"}
"""What a lab changes on a host, and the property that identifies each object."""


@dataclass
class Tour:
    """A walk through a lab's life; raises ClickException if something is not as the step says."""

    lab: Lab
    admin: Administrator
    console: Console

    def go(self, *, until_destroyed: bool) -> None:
        """Take every step, the last only if `until_destroyed`."""
        before = self._inventory()
        self._make()
        self._preview()
        self._change_by_hand()
        self._refresh()
        self._heal()
        if until_destroyed:
            self._destroy(before)

    def _make(self) -> None:
        self._step("2", "Make the lab of Pulumi.yaml on it: a NAT switch and a nested Hyper-V host")
        self.lab.init()
        self._pulumi(self.lab.up)
        self._show_machines()

    def _preview(self) -> None:
        self._step("3", "Preview again: there is nothing left to do")
        self._pulumi(self.lab.preview, "--expect-no-changes")

    def _change_by_hand(self) -> None:
        self._step("4", "Change the machine behind Pulumi's back, as an administrator of the host would")
        self._type("Stop-VM", Name=MACHINE, TurnOff=True)
        self._type("Set-VMProcessor", VMName=MACHINE, Count=2)
        self._show_machines()

    def _refresh(self) -> None:
        self._step("5", "Let Pulumi read the host: refresh sees what was changed")
        refresh = self._pulumi(self.lab.refresh)
        expect(refresh.diff.get(MACHINE, set()) >= {"processors", "running"}, "refresh did not see the change")

    def _heal(self) -> None:
        self._step("6", "Heal it: up makes the machine what the program says again, and nothing else")
        up = self._pulumi(self.lab.up)
        self._show_machines()
        expect(up.changes.get("update") == 1 and "create" not in up.changes, "up did not heal just the machine")

    def _destroy(self, before: dict[str, list[str]]) -> None:
        self._step("7", "Destroy the lab: the host is as it was")
        self._pulumi(self.lab.destroy)
        after = self._inventory()
        expect(after == before, f"the host is not as it was: before {before}, now {after}")
        self._show_machines()

    def _step(self, number: str, what: str) -> None:
        self.console.print(f"\n[bold]{number}  {what}[/]")

    def _pulumi(self, operation: Callable[..., Run], *options: str) -> Run:
        """Run an operation of the lab, and show the command as a user types it and what it printed."""
        self.console.print(f"   $ pulumi {' '.join([operation.__name__, *options])}", style="cyan")
        with self.console.status("working ..."):
            run = operation(*options)
        lines = [line for line in run.text.splitlines() if line.strip()]
        self.console.print(textwrap.indent("\n".join(lines), "   "), style="dim", markup=False)
        return run

    def _type(self, cmdlet: str, **parameters: object) -> None:
        self.admin.run(cmdlet, **parameters)
        words = [f"-{name}" if value is True else f"-{name} {value}" for name, value in parameters.items()]
        self.console.print(f"   PS> {' '.join([cmdlet, *words])}", style="cyan")

    def _show_machines(self) -> None:
        rows = self.admin.table("Get-VM", "Name", "State", "ProcessorCount", "MemoryStartup")
        self.console.print("   PS> Get-VM", style="cyan")
        self.console.print(
            Padding(_table(rows), (0, 0, 0, 3), expand=False) if rows else "   (no machines)", style="dim"
        )

    def _inventory(self) -> dict[str, list[str]]:
        return {get: sorted(str(row[name]) for row in self.admin.table(get, name)) for get, name in INVENTORY.items()}


def _table(rows: list[Row]) -> Table:
    table = Table("Name", "State", "Processors", "Memory", box=None, pad_edge=False)
    for row in rows:
        memory = f"{row['MemoryStartup'] // 2**20} MiB"
        table.add_row(row["Name"], str(row["State"]), str(row["ProcessorCount"]), memory)
    return table


def expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    """Raise ClickException if a step did not do what it says."""
    if not holds:
        raise click.ClickException(f"{otherwise}; this is a defect of nestedlab or of its simulated host")
