"""Suspend-VM and Resume-VM."""

from __future__ import annotations

from collections.abc import Iterator

from hyperv_sim.cmdlets.machine_power import ALREADY
from hyperv_sim.fidelity import UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import wrong_state
from hyperv_sim.powershell.targets import each, machines
from hyperv_sim.state.enumerations import VMState
from hyperv_sim.state.machines import Machine


@cmdlet("Suspend-VM", takes=("Name", "VM", "Passthru"))
def suspend_vm(call: Call) -> Iterator[object]:
    """Suspend-VM: pauses a running machine."""
    yield from each(call, machines(call), lambda machine: _turn(call, machine, VMState.Running, VMState.Paused))


@cmdlet("Resume-VM", takes=("Name", "VM", "Passthru"))
def resume_vm(call: Call) -> Iterator[object]:
    """Resume-VM: lets a paused machine go on."""
    yield from each(call, machines(call), lambda machine: _turn(call, machine, VMState.Paused, VMState.Running))


def _turn(call: Call, machine: Machine, before: VMState, after: VMState) -> Iterator[object]:
    if machine.state is after:
        call.warn(ALREADY)
    elif machine.state is before:
        machine.state = after
    else:
        raise wrong_state(f"'{machine.name}' failed to change state.")
    if call.get("Passthru"):
        yield machine


fact(
    "Suspend-VM",
    "what does not run cannot be paused, and only what is paused resumed (`InvalidState`)",
    f"microsoft/devhome#2868 for the states; id {UNKNOWN}",
)
fact(
    "Resume-VM",
    "a paused machine is resumed or turned off; it neither starts nor saves nor shuts down",
    f"microsoft/devhome#2868 for saving and shutting down; Start-VM {UNKNOWN}, stricter",
)
