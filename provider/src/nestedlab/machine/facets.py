"""The facets of a machine, in the order in which they are read and changed, and the one decision composed of theirs."""

from __future__ import annotations

from dataclasses import replace

from nestedlab.lifecycle import SideEffect, diff
from nestedlab.machine.adapters.facet import Adapters
from nestedlab.machine.baseline import Baseline
from nestedlab.machine.changes import MachineChanges
from nestedlab.machine.devices import DvdDrive, TimeSynchronization, Tpm
from nestedlab.machine.disks.facet import Disks
from nestedlab.machine.facet import Facet
from nestedlab.machine.power import power_side_effects
from nestedlab.machine.settings import Settings
from nestedlab.machine.table import LOST, NestedHyperVHost, ObservedMachine

_PARTS: tuple[Facet, ...] = (Adapters(), DvdDrive(), Disks(), Tpm(), TimeSynchronization(), Baseline())
_OF_PARTS = frozenset[str]().union(*(facet.attributes for facet in _PARTS))

# The machine itself comes first: what is read of each of several machines begins with it.
FACETS: tuple[Facet, ...] = (Settings(frozenset(NestedHyperVHost.model_fields) - _OF_PARTS), *_PARTS)


def decide(inputs: NestedHyperVHost, state: ObservedMachine, *, after_reset: bool = False) -> MachineChanges:
    """What bringing the machine from its state to its inputs does; the state's power state is the real one."""
    changed, replaced = diff(state.inputs, inputs)
    changes = MachineChanges(
        changed=changed,
        replaced=replaced,
        inputs=inputs,
        state=state,
        resets=not after_reset and _resets(inputs, state),
        after_reset=after_reset,
        needs_off=frozenset(name for facet in FACETS for name in facet.needs_off(inputs, state)),
    )
    return replace(changes, side_effects=_side_effects(changes))


def _resets(inputs: NestedHyperVHost, state: ObservedMachine) -> bool:
    """Whether the machine goes back to its baseline: if it has one, and `reset` has changed to another text."""
    has_baseline = bool(state.outputs.baseline_id) and state.inputs.baseline != LOST
    return bool(inputs.reset) and inputs.reset != state.inputs.reset and has_baseline


def _side_effects(changes: MachineChanges) -> tuple[SideEffect, ...]:
    if changes.replaced:
        why = ", ".join(row.name for row in changes.replaced)
        text = f"the machine and the disks made for it will be deleted and created again: {why} cannot be changed"
        return (SideEffect(text),)
    facets = (effect for facet in FACETS for effect in facet.side_effects(changes))
    return (*power_side_effects(changes), *facets)
