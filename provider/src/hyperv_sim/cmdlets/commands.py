"""Get-Command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from hyperv_sim import errors
from hyperv_sim.contract import Cmdlet
from hyperv_sim.fidelity import fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.properties import Property, describe
from hyperv_sim.powershell.registry import cmdlet, present
from hyperv_sim.powershell.targets import WILDCARDS, matcher
from hyperv_sim.records import EnumMember

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


Info: TypeAlias = "CmdletInfo | FunctionInfo"


def _describe(kind: type[Info], command_type: EnumMember) -> None:
    row = Property[Info]
    describe(
        kind,
        f"{AUTOMATION}.{kind.__name__}",
        [
            row("Name", "String", lambda info: info.contract.name),
            row("CommandType", "Object", lambda _: command_type),
            row("ModuleName", "String", lambda info: info.contract.module),
            row("Source", "String", lambda info: info.contract.module),
        ],
        bases=(f"{AUTOMATION}.CommandInfo",),
        text=lambda info: info.contract.name,
    )


_describe(CmdletInfo, EnumMember(KIND, "Cmdlet", 8))
_describe(FunctionInfo, EnumMember(KIND, "Function", 2))


@cmdlet("Get-Command", takes=("Name",))
def get_command(call: Call) -> Iterator[object]:
    """Get-Command [-Name]: what this host offers."""
    for name in call.get("Name", ("*",)):
        fits = matcher(name)
        found = [contract for _, contract in present(call.host) if fits(contract.name)]
        yield from (FunctionInfo(contract) if contract.is_cim else CmdletInfo(contract) for contract in found)
        if not found and not any(mark in name for mark in WILDCARDS):
            call.fail(errors.command_not_found(name))


fact("Get-Command", "the simulated cmdlets only; name, type, module", "not simulated")
