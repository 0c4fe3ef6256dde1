"""What a change of a machine does, as one value: a preview reports it, the policy judges it, an update compiles it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from nestedlab.declare import Attribute, Change
from nestedlab.lifecycle import Changes
from nestedlab.machine.table import NestedHyperVHost, ObservedMachine


@dataclass(frozen=True, kw_only=True)
class MachineChanges(Changes):
    """What bringing a machine from its state to its inputs does.

    `resets` says that it goes back to its baseline first; `after_reset` that it just has. `needs_off` names what needs
    the machine off for more than its row alone can tell.
    """

    inputs: NestedHyperVHost
    state: ObservedMachine
    resets: bool = False
    after_reset: bool = False
    needs_off: frozenset[str] = frozenset()

    def rows_of(self, attributes: Collection[str]) -> list[Attribute]:
        """The changed attributes of these."""
        return [row for row in self.changed if row.name in attributes]

    @property
    def power_state(self) -> str:
        """The machine's VMState before the change. A state that an earlier version recorded knows only `running`."""
        return self.state.outputs.power_state or ("Running" if self.state.inputs.running else "Off")

    @property
    def off_for(self) -> tuple[str, ...]:
        """The names of what can be changed only while the machine is off."""
        by_row = {row.name for row in self.changed if row.change(self.state.inputs, self.inputs) is Change.OFF}
        return tuple(row.name for row in self.changed if row.name in by_row | self.needs_off)

    @property
    def is_on(self) -> bool:
        """Whether the machine is anything but off: the guest of a saved or paused one has not been shut down."""
        return self.power_state != "Off"

    @property
    def shuts_down(self) -> bool:
        """Whether the guest has to be shut down: for a change, or because the program wants the machine off."""
        is_stopped = not self.inputs.running and "running" in self.names
        return self.is_on and (bool(self.off_for) or is_stopped)

    @property
    def starts(self) -> bool:
        """Whether the machine is started, or resumed, after the change."""
        return self.inputs.running and (self.shuts_down or self.power_state != "Running")
