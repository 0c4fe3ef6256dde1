"""Update-VMVersion."""

from __future__ import annotations

from collections.abc import Iterator

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, REFLECTION, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.powershell.settings import wrong_state
from hyperv_sim.powershell.targets import each, machines
from hyperv_sim.state.enumerations import VMState
from hyperv_sim.state.machines import Machine


@cmdlet("Update-VMVersion", takes=("Name", "VM", "Force", "Passthru"), confirms=True)
def update_vm_version(call: Call) -> Iterator[object]:
    """Update-VMVersion: to the version of new machines, while off and without checkpoints. There is no way back."""

    def update(machine: Machine) -> Iterator[object]:
        if machine.state is not VMState.Off:
            raise wrong_state(f"'{machine.name}' failed to update its version.")
        if machine.checkpoints:
            raise errors.not_simulated("Update-VMVersion of a machine with checkpoints")
        if not call.host.hooks.forgets(call.cmdlet.name, "Version"):
            machine.version = call.host.facts.default_vm_version
        if call.get("Passthru"):
            yield machine

    yield from each(call, machines(call), update)


fact("Update-VMVersion", "raises the version to that of new machines", REFERENCE)
fact(
    "Update-VMVersion",
    "only while off (`InvalidState`); needs -Force or -Confirm:$false",
    f"Microsoft's guide to upgrading a machine's version; {REFLECTION}: its impact is high; id inferred",
)
