"""Who uses a switch: Windows removes none under a machine that runs, and nothing of it must be gone by then."""

from __future__ import annotations

from uuid import UUID

from nestedlab.errors import RefusedError
from nestedlab.lifecycle import Plan
from nestedlab.nat_switch.table import ObservedNatSwitch
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, PSObject, Step, statement

READS: tuple[Pipeline, ...] = (statement("Get-VMNetworkAdapter", All=True),)
"""What shows the machines that are connected to switches."""


def refuse_in_use(state: ObservedNatSwitch, facts: Facts) -> Plan[None]:
    """Raise RefusedError if a machine that is connected to the switch is not off, naming all of them."""
    connected = {UUID(shown.text("VMId")) for shown in facts.all("VMNetworkAdapter") if _is_on(state.id, shown)}
    if not connected:
        return
    machines = (statement("Get-VM", Id=machine).tolerating(ErrorKind.ABSENT) for machine in sorted(connected))
    shown = yield Step("see which machines on the switch are off", tuple(machines))
    users = [machine.text("Name") for machine in shown.all("VirtualMachine") if machine.text("State") != "Off"]
    if users:
        raise RefusedError(
            f"{state.inputs.subject} is used by machines that are not off: {', '.join(map(repr, sorted(users)))}. "
            "Windows removes no switch under them, so nothing of it was removed. Shut them down, or connect them to "
            "another switch, and run the command again."
        )


def _is_on(switch: UUID, adapter: PSObject) -> bool:
    return adapter.text("SwitchId") == str(switch) and bool(adapter.text("VMId"))
