"""The binder gives the answers of a real PowerShell to 1,255 calls.

They were bound by PowerShell 7.6 on stand-ins for the commands: compiled cmdlets and functions with the signatures and
checks of the real ones. The stand-ins' objects are here again, so that only the binder is asked and no cmdlet runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from hyperv_sim import errors
from hyperv_sim.contract import ParameterType, load
from hyperv_sim.powershell.binding import bind
from hyperv_sim.powershell.properties import Property, describe, to_string, type_names
from hyperv_sim.records import EnumMember, Parameter, Scalar, Value
from hyperv_sim.state.enumerations import HYPER_V, NetEnum
from hyperv_sim.state.windows import WINDOWS

CALLS = Path(__file__).resolve().parent.parent / "cases" / "simulator" / "binding.json"
NOBODY = UUID(int=0)
INT32 = range(-(2**31), 2**31)


@dataclass(frozen=True)
class StandIn:
    """An object of the recording's stand-ins."""

    name: str = "stub"


def _always(name: str, type_name: str, value: object) -> Property[Any]:
    return Property(name, type_name, lambda _: value)


def _class(name: str, *bases: str, **properties: tuple[str, object]) -> type[StandIn]:
    kind = type(name, (StandIn,), {})
    common = {"Name": ("String", "stub"), "ComputerName": ("String", "HOST"), "Id": ("Guid", NOBODY)}
    rows = {**common, **properties}.items()
    describe(
        kind,
        f"{HYPER_V}.{name}",
        [_always(key, type_name, value) for key, (type_name, value) in rows],
        bases=[f"{HYPER_V}.{base}" for base in bases],
        text=lambda _: name,
    )
    return kind


PART = {"VMName": ("String", "stub"), "VMId": ("Guid", NOBODY)}
MACHINE = {"Path": ("String", "C:\\vm"), "Generation": ("Int32", 2), "Notes": ("String", "")}
SLOT = {"Path": ("String", "C:\\d.iso"), "ControllerNumber": ("Int32", 0), "ControllerLocation": ("Int32", 0)}
MADE = {
    "VM": _class("VirtualMachine", "VirtualMachineBase", "VMObject", **PART, **MACHINE),
    "VMDvdDrive": _class("DvdDrive", "VMComponentObject", "VMObject", **PART, **SLOT),
    "VMHost": _class("VMHost", "VMObject"),
    "VMSwitch": _class("VMSwitch", "VMObject"),
}


@dataclass(frozen=True)
class CimStandIn:
    """An instance of a CIM class, of which the stand-ins knew no more than the class."""

    class_name: str


describe(
    CimStandIn,
    "StubInstance",
    [Property[CimStandIn]("Class", "String", lambda live: live.class_name)],
    text=lambda live: live.class_name,
)


def _sent(value: Any) -> Value:
    """A value of the file as it comes over the wire."""
    if isinstance(value, list):
        return tuple(_sent(item) for item in value)
    if isinstance(value, dict):
        return Scalar("Guid", UUID(value["guid"]))
    if value is None:
        return None
    if isinstance(value, bool):
        return Scalar("Boolean", value)
    if isinstance(value, int):
        return Scalar("Int32" if value in INT32 else "Int64", value)
    return Scalar("Double", value) if isinstance(value, float) else Scalar("String", value)


def _shown(parameter: ParameterType, value: Any) -> str:
    """A bound value as the stand-ins noted it."""
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return "[" + ",".join(_shown(parameter, item) for item in value) + "]"
    if isinstance(value, str) and parameter.type_name == "String":
        return f"'{value}'"
    if isinstance(value, NetEnum | EnumMember):
        return f"{parameter.type_name}:{value.text if isinstance(value, NetEnum) else value.name}"
    if isinstance(value, StandIn | CimStandIn):
        return f"{type_names(value)[0].rsplit('.', 1)[-1]}:{to_string(value)}"
    return f"{parameter.type_name}:{value}"


def _answer(call: list[tuple[str, dict[str, Any]]], windows: str) -> dict[str, Any]:
    """How the last command of a pipeline is bound; what the commands before it give are stand-ins."""
    *before, (name, given) = call
    contract = {key.lower(): cmdlet for key, cmdlet in load(windows).items()}[name.lower()]
    arguments = [Parameter(key, _sent(value)) for key, value in given.items()]
    try:
        line = bind(contract, arguments, expects_input=bool(before))
    except errors.TerminatingError as error:
        return {"error": error.identifier}
    try:
        bound = line.with_input(_made(before[-1][0]), windows) if before else line.without_input()
    except errors.CmdletError as error:
        return {"error": error.identifier, "goes_on": True}
    everything = {**bound.values, **line.added}
    known = {**contract.parameters, **contract.added}
    shown = [f"{key}={_shown(known[key], everything[key])}" for key in sorted(everything)]
    return {"bound": f"{contract.name} {{{bound.set_name}}} {', '.join(shown)}"}


def _made(command: str) -> object:
    noun = command.split("-", 1)[1]
    return MADE[noun]() if noun in MADE else CimStandIn(f"MSFT_{noun}")


def _differences(windows: str, calls: list[dict[str, Any]]) -> Iterator[str]:
    for entry in calls:
        there = {key: value for key, value in entry.items() if key not in {"name", "call"}}
        here = _answer(entry["call"], windows)
        if here != there:
            yield f"{windows} {entry['name']}\n  there: {there}\n  here:  {here}"


def test_every_call_is_bound_as_a_real_powershell_binds_it() -> None:
    calls = json.loads(CALLS.read_text(encoding="utf-8"))
    different = [difference for windows in WINDOWS for difference in _differences(windows, calls)]
    assert len(calls) == 1255
    assert not different, "\n".join([f"{len(different)} calls", *different])
