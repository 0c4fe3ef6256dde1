"""Looking at machines: what shows all of one, and what the host's answer says of it."""

from __future__ import annotations

from uuid import UUID

from nestedlab.declare import Properties
from nestedlab.errors import RefusedError
from nestedlab.lifecycle import Found, Plan, values
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, PSObject, Step, cmdlet, statement
from nestedlab.resources import adapters, baselines, devices, disk_looks
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.resources.owned import on_this_host


def machine_by_id(machine: UUID) -> Cmdlet:
    """The machine. Names are not unique in Hyper-V; only Get-VM takes a GUID, other cmdlets get the machine piped."""
    return cmdlet("Get-VM", Id=machine)


def reads(machine: UUID) -> tuple[Pipeline, ...]:
    """What shows all of a machine."""
    vm = machine_by_id(machine)
    rows = tuple(vm | Cmdlet(name) for name in ("Get-VMProcessor", "Get-VMMemory", "Get-VMFirmware"))
    return (
        Pipeline((vm,)),
        *rows,
        *adapters.reads(vm),
        *disk_looks.reads(vm, machine),
        *devices.reads(vm),
        *baselines.reads(vm),
    )


def found(machine: UUID, facts: Facts, known: Properties) -> Found:
    """The machine as the host shows it, known as at the last look or as it is asked for."""
    seen = values(NestedHyperVHost, facts.objects)
    if facts.first("VMNetworkAdapter") is not None or adapters.looked(facts):
        # The rows of the one adapter are those of whichever adapter `switch` describes.
        seen = {name: value for name, value in seen.items() if name not in adapters.ATTRIBUTES}
        seen |= adapters.found(facts, known)
    # Which host it is, and what a change may do there, the host does not say: it is as it was known.
    told = {name: known.get(name) for name in ("on", "on_power_off", "reset")}
    seen |= baselines.found(machine, facts, known)
    return Found(machine, {**seen, **told, **disk_looks.found(machine, facts, known), **devices.found(facts)}, facts)


def stack_of(owner: str) -> tuple[str, ...]:
    """The project and the stack of an owner."""
    return tuple(owner.split("/")[:2])


def apart(facts: Facts) -> dict[UUID, Facts]:
    """The answer to several machines' reads by machine. Each begins with the machine itself, and they come in order."""
    parts: dict[UUID, list[PSObject]] = {}
    current: list[PSObject] = []
    for one in facts.objects:
        if one.kind == "VirtualMachine":
            current = parts.setdefault(UUID(one.text("Id")), [])
        current.append(one)
    return {machine: Facts(tuple(objects)) for machine, objects in parts.items()}


def look(machine: UUID, purpose: str, asked: tuple[Pipeline, ...], known: Properties) -> Plan[Facts | None]:
    """What the host shows of the machine; None where a second, successful look confirms that it is gone."""
    facts = yield Step(purpose, tuple(one.tolerating(ErrorKind.ABSENT) for one in asked))
    if facts.first("VirtualMachine") is not None:
        return facts
    # "Not found" is also what a stopped Virtual Machine Management service says (shared facts, "VM"); a listing
    # that succeeds and does not have the machine is the proof.
    listed = yield Step("list the machines", (statement("Get-VM"), statement("Get-VMHost")))
    if any(one.text("Id") == str(machine) for one in listed.all("VirtualMachine")):
        raise RefusedError(f"the host lists machine {machine} and does not show it; try again")
    on_this_host("machine", machine, known, listed)
    return None
