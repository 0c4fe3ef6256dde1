"""The settings of a machine that are rows of its table, each a property of one noun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from nestedlab.lifecycle import values
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.facet import Facet
from nestedlab.machine.identity import machine_by_id
from nestedlab.machine.table import MachineOutputs, NestedHyperVHost, ObservedMachine
from nestedlab.marking import writes_marked
from nestedlab.pipeline import Cmdlet, Facts, Pipeline


class Settings(Facet):
    """Processor, memory, firmware, automatic actions, notes: all that the rows alone read and write."""

    def __init__(self, attributes: frozenset[str]) -> None:
        self.attributes = attributes

    def reads(self, machine: UUID) -> tuple[Pipeline, ...]:
        """What shows the machine and the nouns of its rows."""
        vm = machine_by_id(machine)
        nouns = ("Get-VMProcessor", "Get-VMMemory", "Get-VMFirmware")
        return (Pipeline((vm,)), *(vm | Cmdlet(name) for name in nouns))

    def reads_started(self, machine: UUID) -> tuple[Pipeline, ...]:
        """The machine itself: its power state."""
        return (Pipeline((machine_by_id(machine),)),)

    def observe(self, facts: Facts, known: ObservedMachine) -> Mapping[str, Any]:
        """What the rows read. Which host it is, and what a change may do there, no host shows."""
        rows = values(NestedHyperVHost, facts.objects)
        own = {name: value for name, value in rows.items() if name in self.attributes}
        not_on_the_host = {name: getattr(known.inputs, name) for name in ("on", "on_power_off", "reset")}
        return {**own, **values(MachineOutputs, facts.objects), **not_on_the_host}

    def apply(self, changes: MachineChanges) -> Iterator[Pipeline]:
        """What writes the rows that have changed, and the mark."""
        machine, rows = machine_by_id(changes.state.id), changes.rows_of(self.attributes)
        shown = changes.state.facts.first("VirtualMachine")
        yield from writes_marked(machine, rows, changes.inputs, shown, changes.state.id)
