"""The registry of simulated cmdlets.

A file of `hyperv_sim.cmdlets` declares `@cmdlet("Rename-VM", takes=("Name", "VM", "NewName", "Passthru"))` above a
function that takes a Call and gives back live objects. The function runs once for each piped object (once if nothing
is piped), with the host's lock held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from hyperv_sim.contract import Cmdlet, load
from hyperv_sim.powershell.call import Call
from hyperv_sim.state.world import Host

Run = Callable[[Call], Iterable[object]]


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated cmdlet: `takes` are the parameters that it simulates; any other one that binds is refused.

    `nulls` are those that it takes $null for.
    """

    name: str
    run: Run
    takes: frozenset[str]
    nulls: frozenset[str]
    confirms: bool
    error_class: str | None

    def id_suffix(self, contract: Cmdlet) -> str:
        """What the shell appends to an error's id: the class of a cmdlet, the name of a CIM function."""
        if self.error_class or contract.is_cim:
            return self.error_class or contract.name
        name = contract.name.replace("-", "")
        if contract.module == "Hyper-V":
            return f"Microsoft.HyperV.PowerShell.Commands.{name}"
        if contract.module == "CimCmdlets":
            return f"Microsoft.Management.Infrastructure.CimCmdlets.{name}Command"
        return f"Microsoft.PowerShell.Commands.{name}Command"


_SIMULATED: dict[str, Simulated] = {}


def cmdlet(
    name: str,
    *,
    takes: Sequence[str] = (),
    nulls: Sequence[str] = (),
    confirms: bool = False,
    error_class: str | None = None,
) -> Callable[[Run], Run]:
    """Register the function below as the cmdlet of this name.

    `takes`: the parameters that the function handles (-WhatIf and -Confirm are the shell's), `nulls` those of them
    that $null means something for. `confirms`: whether it
    asks before it acts, so that a session without a user needs -Force or -Confirm:$false. `error_class`: the part of
    its errors' ids after the comma, if it does not follow from the cmdlet's name.
    """

    def register(run: Run) -> Run:
        if name in _SIMULATED:
            raise ValueError(f"{name} is registered twice")
        _SIMULATED[name] = Simulated(name, run, frozenset(takes), frozenset(nulls), confirms, error_class)
        return run

    return register


@cache
def simulated() -> Mapping[str, Simulated]:
    """All simulated cmdlets by name. Every file of `hyperv_sim.cmdlets` is one family of them."""
    package = import_module("hyperv_sim.cmdlets")
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    return _SIMULATED


def present(host: Host) -> Iterator[tuple[Simulated, Cmdlet]]:
    """The cmdlets that the host has: those of its Windows version, without Hyper-V's if the role is missing."""
    for contract in load(host.windows).values():
        if contract.name in simulated() and _has(host, contract):
            yield simulated()[contract.name], contract


def _has(host: Host, contract: Cmdlet) -> bool:
    return host.has_hyper_v or contract.module != "Hyper-V"


def find(host: Host, name: str) -> tuple[Simulated, Cmdlet] | None:
    """The host's cmdlet of this name or alias, in any case."""
    found = _by_any_name(host.windows).get(name.lower())
    return found if found and _has(host, found[1]) and found[1].name.lower() not in host.hooks.hidden else None


@cache
def _by_any_name(windows: str) -> Mapping[str, tuple[Simulated, Cmdlet]]:
    """The simulated cmdlets of a Windows version by name and alias, in lower case."""
    return {
        name.lower(): (simulated()[contract.name], contract)
        for contract in load(windows).values()
        if contract.name in simulated()
        for name in (contract.name, *contract.aliases)
    }
