"""A facet: a part of a machine with rules of its own. A further one is a subclass in a file, and a row in facets.py."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from nestedlab.lifecycle import SideEffect
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.table import NestedHyperVHost, ObservedMachine
from nestedlab.pipeline import Facts, Pipeline, Step


class Facet:
    """What a part of a machine reads, needs and changes. Its methods are pure: they return what is to be run."""

    attributes: frozenset[str] = frozenset()
    """The machine's inputs that the facet reads and writes."""

    def reads(self, machine: UUID) -> tuple[Pipeline, ...]:  # noqa: ARG002 - for those that read something
        """What shows the facet."""
        return ()

    def reads_started(self, machine: UUID) -> tuple[Pipeline, ...]:  # noqa: ARG002 - for those that a start changes
        """What shows of the facet what a start may have changed."""
        return ()

    def observe(self, facts: Facts, known: ObservedMachine) -> Mapping[str, Any]:  # noqa: ARG002
        """Inputs and outputs by name, as the facts show them; what no host shows is as it was known."""
        return {}

    def lookup(self, inputs: NestedHyperVHost, now: ObservedMachine | None) -> Iterator[Pipeline]:  # noqa: ARG002
        """What shows whether that is on the host which the inputs need and the machine does not have yet."""
        return iter(())

    def validate(self, facts: Facts, inputs: NestedHyperVHost, now: ObservedMachine | None) -> None:
        """Raise NotFoundError, ConflictError or RefusedError if something that the inputs need is not on the host."""

    def needs_off(self, inputs: NestedHyperVHost, state: ObservedMachine) -> Collection[str]:  # noqa: ARG002
        """Attributes whose change needs the machine off for a reason that is not in their own rows."""
        return ()

    def side_effects(self, changes: MachineChanges) -> Iterator[SideEffect]:  # noqa: ARG002
        """What a change does besides what it says."""
        return iter(())

    def apply(self, changes: MachineChanges) -> Iterator[Pipeline]:  # noqa: ARG002
        """What makes the changes, while the machine is in the power state that they need."""
        return iter(())

    def prepare(self, changes: MachineChanges) -> Sequence[Step]:  # noqa: ARG002
        """Steps before all other changes; the machine is read again after them."""
        return ()

    def before_start(self, changes: MachineChanges, facts: Facts) -> Step | None:  # noqa: ARG002
        """A step once the settings are applied and read back as `facts`, before the machine starts."""
        return None

    def after_start(self, changes: MachineChanges, facts: Facts) -> Step | None:  # noqa: ARG002
        """A step last of all, when everything else is as it should be; `facts` show it."""
        return None
