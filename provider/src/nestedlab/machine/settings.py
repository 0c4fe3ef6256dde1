"""The settings of a machine that are rows of its table, each a property of one noun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from nestedlab.lifecycle import values, writes
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.facet import Facet
from nestedlab.machine.identity import machine_by_id
from nestedlab.machine.table import MachineOutputs, NestedHyperVHost, ObservedMachine
from nestedlab.ownership import Mark, is_newborn, mark_in, signed
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
        """What writes the rows that have changed, and the whole mark on a machine that was just made."""
        machine = changes.state.facts.first("VirtualMachine")
        mark = mark_in(machine.text("Notes")) if machine is not None else Mark()
        rows = changes.rows_of(self.attributes)
        if is_newborn(mark):
            rows = [row for row in changes.inputs.attributes() if row in rows or row.name == "owner"]
        for pipeline in writes(machine_by_id(changes.state.id), rows, changes.inputs):
            yield signed(pipeline, mark, changes.state.id)
