"""What binds and is refused all the same: the simulated host does not do it, or nobody can be asked."""

from __future__ import annotations

from hyperv_sim import errors
from hyperv_sim.fidelity import POWERSHELL, fact
from hyperv_sim.powershell.binding import CommandLine
from hyperv_sim.powershell.registry import Simulated
from hyperv_sim.records import EnumMember

ACTIONS = ("Continue", "SilentlyContinue", "Stop", "Ignore")


def check(simulated: Simulated, line: CommandLine) -> None:
    """Raise TerminatingError for a command line that is bound and that is not to run."""
    _check_added(line)
    _check_handled(simulated, line)
    _check_confirmed(simulated, line)


def action(line: CommandLine, name: str) -> str:
    """What -ErrorAction and its kin say; without them it goes on."""
    given = line.added.get(name)
    return given.name if isinstance(given, EnumMember) else "Continue"


def _check_added(line: CommandLine) -> None:
    """Refuse what PowerShell adds to every command, if it does more here than the simulated host has."""
    if any(name.endswith("Variable") for name in line.added):  # [PowerShell sources, MshCommandRuntime]
        raise errors.TerminatingError(
            "VariableReferenceNotSupportedInDataSection",
            "InvalidOperation",
            "A variable that cannot be referenced in restricted language mode or a Data section is being referenced.",
            exception_types=errors.RUNTIME_EXCEPTION,
        )
    for name in ("Verbose", "Debug", "OutBuffer", "InformationAction", "WhatIf"):
        if line.added.get(name):
            raise errors.not_simulated(f"-{name}")
    for name in ("ErrorAction", "WarningAction"):
        if action(line, name) not in ACTIONS:
            raise errors.not_simulated(f"-{name} other than {', '.join(ACTIONS)}")
    if action(line, "WarningAction") == "Stop":
        raise errors.not_simulated("-WarningAction Stop")


def _check_handled(simulated: Simulated, line: CommandLine) -> None:
    """Refuse what binds but is not simulated, rather than pass over it."""
    for name, value in line.values.items():
        if name not in simulated.takes:
            raise errors.not_simulated(f"{simulated.name} -{name}")
        if value is None and name not in simulated.nulls:
            raise errors.not_simulated(f"{simulated.name} -{name} $null")
        if any(isinstance(item, EnumMember) for item in (value if isinstance(value, tuple) else (value,))):
            raise errors.not_simulated(f"{simulated.name} -{name} with this member of its enumeration")
        parameter = line.cmdlet.parameters[name]
        if parameter.is_switch and parameter.is_mandatory and not value:
            raise errors.not_simulated(f"{simulated.name} -{name}:$false, which chooses a parameter set all the same")


def _check_confirmed(simulated: Simulated, line: CommandLine) -> None:
    """Refuse to ask: a remote session without a user's host has nobody to answer. [minikube's public logs]"""
    asks = line.added.get("Confirm", simulated.confirms and not line.values.get("Force"))
    if asks:
        raise errors.TerminatingError("InvalidOperation", "InvalidOperation", errors.NON_INTERACTIVE)


fact("PowerShell", "`-OutVariable`, `-ErrorVariable` and kin are refused as without a language", POWERSHELL)
fact("PowerShell", "`-Verbose`, `-Debug`, `-InformationAction`, `-OutBuffer` are refused", "not simulated")
fact("PowerShell", "`-WhatIf`, `-ComputerName`, `-CimSession`, `-Credential`, `-AsJob` are refused", "not simulated")
