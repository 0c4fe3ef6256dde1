"""Get-Command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hyperv_sim.contract import Cmdlet
from hyperv_sim.fidelity import fact
from hyperv_sim.powershell import errors
from hyperv_sim.powershell.cmdlets import Call, cmdlet, present
from hyperv_sim.powershell.properties import Property, describe
from hyperv_sim.powershell.targets import WILDCARDS, matcher
from hyperv_sim.records import EnumMember, Scalar

AUTOMATION = "System.Management.Automation"
KIND = f"{AUTOMATION}.CommandTypes"


@dataclass(frozen=True, slots=True)
class CmdletInfo:
    """A cmdlet, as Get-Command shows it."""

    contract: Cmdlet


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """A function, as Get-Command shows it: the CIM cmdlets are functions."""

    contract: Cmdlet


C = Property[CmdletInfo]
F = Property[FunctionInfo]

describe(
    CmdletInfo,
    f"{AUTOMATION}.CmdletInfo",
    [
        C("Name", "String", lambda one: one.contract.name),
        C("CommandType", "Object", lambda _: EnumMember(KIND, "Cmdlet", 8)),
        C("ModuleName", "String", lambda one: one.contract.module),
        C("Source", "String", lambda one: one.contract.module),
    ],
    bases=(f"{AUTOMATION}.CommandInfo",),
    text=lambda one: one.contract.name,
)
describe(
    FunctionInfo,
    f"{AUTOMATION}.FunctionInfo",
    [
        F("Name", "String", lambda one: one.contract.name),
        F("CommandType", "Object", lambda _: EnumMember(KIND, "Function", 2)),
        F("ModuleName", "String", lambda one: one.contract.module),
        F("Source", "String", lambda one: one.contract.module),
    ],
    bases=(f"{AUTOMATION}.CommandInfo",),
    text=lambda one: one.contract.name,
)


@cmdlet("Get-Command", takes=("Name",))
def get_command(call: Call) -> Iterator[object]:
    """Get-Command [-Name]: what this host offers."""
    for name in call.get("Name", ("*",)):
        fits = matcher(name)
        found = [contract for _, contract in present(call.host) if fits(contract.name)]
        yield from (FunctionInfo(one) if one.is_cim else CmdletInfo(one) for one in found)
        if not found and not any(mark in name for mark in WILDCARDS):
            call.fail(_not_found(name))


def _not_found(name: str) -> errors.CmdletError:
    return errors.CmdletError(
        "CommandNotFoundException",
        "ObjectNotFound",
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program.",
        exception_types=(f"{AUTOMATION}.CommandNotFoundException", "System.Exception", "System.Object"),
        target=Scalar("String", name),
    )


fact("Get-Command", "the simulated cmdlets only; name, type, module", "not simulated")
