"""Reading machines: what shows all of one, and what the host's answer says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from nestedlab.errors import RefusedError
from nestedlab.lifecycle import Plan
from nestedlab.machine.facets import FACETS
from nestedlab.machine.table import MachineOutputs, NestedHyperVHost, ObservedMachine
from nestedlab.ownership import on_this_host
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, PSObject, Step, statement
from nestedlab.plain import observed


def reads(machine: UUID) -> tuple[Pipeline, ...]:
    """What shows all of a machine."""
    return tuple(pipeline for facet in FACETS for pipeline in facet.reads(machine))


def reads_started(machine: UUID) -> tuple[Pipeline, ...]:
    """What shows of a machine what a start may have changed; its settings were read before."""
    return tuple(pipeline for facet in FACETS for pipeline in facet.reads_started(machine))


def observe(facts: Facts, known: ObservedMachine) -> ObservedMachine:
    """The machine as the facts show it; what no host shows is as it was known, from the state or the inputs."""
    values: dict[str, Any] = {}
    for facet in FACETS:
        values |= facet.observe(facts, known)
    outputs = _of(MachineOutputs.model_fields, values)
    return ObservedMachine(
        known.id,
        observed(NestedHyperVHost, {name: value for name, value in values.items() if name not in outputs}),
        # What is not shown is not known: a new machine has no checkpoints.
        MachineOutputs.model_construct(**outputs),
        facts,
    )


def _of(names: Mapping[str, object], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def read_if_there(
    machine: UUID, purpose: str, pipelines: tuple[Pipeline, ...], known: ObservedMachine
) -> Plan[Facts | None]:
    """What the pipelines show of the machine; None if a second, successful listing confirms that it is gone."""
    facts = yield Step(purpose, tuple(pipeline.tolerating(ErrorKind.ABSENT) for pipeline in pipelines))
    if facts.first("VirtualMachine") is not None:
        return facts
    # "Not found" is also what a stopped Virtual Machine Management service answers (shared facts, "VM"); a listing
    # that succeeds and does not have the machine is the proof.
    listed = yield Step("list the machines", (statement("Get-VM"), statement("Get-VMHost")))
    if any(listed_vm.text("Id") == str(machine) for listed_vm in listed.all("VirtualMachine")):
        raise RefusedError(f"the host lists machine {machine} and does not show it. Run `pulumi up` again.")
    on_this_host("machine", machine, known.inputs.name, known.outputs.host, listed)
    return None


def apart(facts: Facts) -> dict[UUID, Facts]:
    """The answer to several machines' reads by machine. Each begins with the machine itself, and they come in order."""
    parts: dict[UUID, list[PSObject]] = {}
    current: list[PSObject] = []
    for shown in facts.objects:
        if shown.kind == "VirtualMachine":
            current = parts.setdefault(UUID(shown.text("Id")), [])
        current.append(shown)
    return {machine: Facts(tuple(objects)) for machine, objects in parts.items()}
