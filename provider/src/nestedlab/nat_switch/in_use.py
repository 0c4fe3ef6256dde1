"""Who uses a switch: Windows removes none under a machine that runs, and nothing of it must be gone by then.

A machine of the same stack is disconnected first. Where a switch is replaced, its machines still run: the engine
deletes the switch before it comes to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from nestedlab.errors import RefusedError
from nestedlab.lifecycle import Plan
from nestedlab.nat_switch.table import ObservedNatSwitch
from nestedlab.ownership import mark_on
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, PSObject, Step, cmdlet, statement

READS: tuple[Pipeline, ...] = (statement("Get-VMNetworkAdapter", All=True),)
"""What shows the machines that are connected to switches."""


def free(state: ObservedNatSwitch, facts: Facts) -> Plan[str | None]:
    """Disconnect the stack's own machines that are not off; what to report of them.

    Raise RefusedError before that if another machine on the switch is not off, naming all of them.
    """
    adapters = [shown for shown in facts.all("VMNetworkAdapter") if _is_on(state.id, shown)]
    machines = sorted({UUID(shown.text("VMId")) for shown in adapters})
    if not machines:
        return None
    reading = tuple(statement("Get-VM", Id=machine).tolerating(ErrorKind.ABSENT) for machine in machines)
    shown = yield Step("see which machines on the switch are off", reading)
    users = [machine for machine in shown.all("VirtualMachine") if machine.text("State") != "Off"]
    others = [machine for machine in users if not _is_of_the_stack(machine, state)]
    if others:
        raise RefusedError(
            f"{state.inputs.subject} is used by machines that are not off: {_names(others)}. Windows removes no switch "
            "under them, so nothing of it was removed. Shut them down, or connect them to another switch, and run the "
            "command again."
        )
    if not users:
        return None
    yield Step("disconnect the stack's machines from the switch", tuple(_disconnections(users, adapters)))
    return (
        f"machines of this stack ran on the switch and were disconnected from it: {_names(users)}. If they stay, "
        "`pulumi up --refresh` connects them as the program says."
    )


def _is_of_the_stack(machine: PSObject, state: ObservedNatSwitch) -> bool:
    return bool(state.inputs.stack_id) and mark_on(machine).stack == state.inputs.stack_id


def _names(machines: list[PSObject]) -> str:
    return ", ".join(sorted(repr(machine.text("Name")) for machine in machines))


def _disconnections(machines: list[PSObject], adapters: list[PSObject]) -> Iterator[Pipeline]:
    ids = {machine.text("Id") for machine in machines}
    for adapter in adapters:
        if adapter.text("VMId") in ids:
            machine = cmdlet("Get-VM", Id=UUID(adapter.text("VMId")))
            named = cmdlet("Get-VMNetworkAdapter", Name=adapter.text("Name"))
            yield machine | named | cmdlet("Disconnect-VMNetworkAdapter")


def _is_on(switch: UUID, adapter: PSObject) -> bool:
    return adapter.text("SwitchId") == str(switch) and bool(adapter.text("VMId"))
