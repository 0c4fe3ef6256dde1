"""A role capability: what a restricted endpoint (JEA, RestrictedRemoteServer) shows of a host's commands.

[InitialSessionState in PowerShell's public sources; tried on a PowerShell 7.6 with stand-ins for the commands]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from hyperv_sim import errors
from hyperv_sim.contract import Cmdlet
from hyperv_sim.contract.proxy import Check, proxy
from hyperv_sim.fidelity import TRIED, UNKNOWN, fact
from hyperv_sim.powershell.data_file import Data, parse
from hyperv_sim.powershell.paths import SESSION_STATE
from hyperv_sim.powershell.registry import Simulated
from hyperv_sim.records import Scalar

SELECT_OBJECT = "select-object"
_SELECTED = (
    "ModuleName",
    "Namespace",
    "OutputType",
    "Count",
    "HelpUri",
    "Name",
    "CommandType",
    "ResolvedCommandName",
    "DefaultParameterSet",
    "CmdletBinding",
    "Parameters",
)
_OWN: Mapping[str, Mapping[str, Check]] = {SELECT_OBJECT: {"property": Check(values=_SELECTED), "inputobject": Check()}}
"""The simulated commands that such a session shows without a role. [CommandMetadata.GetRestrictedCommands]"""


@dataclass(frozen=True, slots=True)
class Role:
    """Commands by their name in lower case, with the parameters that are shown, or None for all of a command.

    `modules` are imported; `shows_files`: the file system is there for paths.
    """

    commands: Mapping[str, Mapping[str, Check] | None]
    modules: frozenset[str]
    shows_files: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A command of a session.

    `bound_by` is the last part of the ids of binding errors, `suffix` that of errors of the command's own, `activity`
    the name in its errors.
    """

    contract: Cmdlet
    bound_by: str
    suffix: str
    activity: str


def read_role(text: str) -> Role:
    """The role of a role capability file (.psrc). Raises ValueError if it is none, or has what is not simulated."""
    data = parse(text)
    listed = [*_all(data.get("visiblecmdlets", [])), *_all(data.get("visiblefunctions", []))]
    return Role(
        commands={**_OWN, **dict(_command(item) for item in listed)},
        modules=frozenset(str(module).lower() for module in _all(data.get("modulestoimport", []))),
        shows_files="filesystem" in (str(name).lower() for name in _all(data.get("visibleproviders", []))),
    )


def _all(data: Data) -> list[Data]:
    return data if isinstance(data, list) else [data]


def _command(item: Data) -> tuple[str, Mapping[str, Check] | None]:
    if isinstance(item, str):
        return _name(item), None
    if not isinstance(item, dict) or "parameters" not in item:
        raise ValueError(f"a role lists a command by its name, or by Name and Parameters, not as {item!r}")
    return _name(item), {_name(parameter): _check(parameter) for parameter in _all(item["parameters"])}


def _name(item: Data) -> str:
    name = item.get("name") if isinstance(item, dict) else item
    if not isinstance(name, str) or any(mark in name for mark in "*?[\\"):
        raise ValueError(f"a role names commands and parameters plainly here, not {item!r}")
    return name.lower()


def _check(parameter: Data) -> Check:
    if not isinstance(parameter, dict):
        raise ValueError(f"a role lists a parameter as @{{ Name = ... }}, not as {parameter!r}")  # noqa: TRY004 - a file
    values = tuple(str(value) for value in _all(parameter.get("validateset", [])))
    return Check(values, "|".join(str(pattern) for pattern in _all(parameter.get("validatepattern", []))))


@dataclass(slots=True)
class RestrictedSession:
    """What one session of an endpoint with a role shows."""

    role: Role
    _known: dict[str, Shown] = field(default_factory=dict)

    def shown(self, simulated: Simulated, contract: Cmdlet) -> Shown | None:
        """The command as the session has it, or None. Raises TerminatingError if the role makes it useless."""
        name = contract.name.lower()
        if name not in self.role.commands or not self._is_imported(contract):
            return None
        if name not in self._known:
            self._known[name] = _as_shown(contract, simulated.id_suffix(contract), self.role.commands[name])
        return self._known[name]

    def check_provider(self, contract: Cmdlet) -> None:
        """Raise CmdletError for a command about paths, if the role shows no file system."""
        if contract.module == "Microsoft.PowerShell.Management" and not self.role.shows_files:
            raise errors.CmdletError(
                "ProviderNotFound",
                "ObjectNotFound",
                "Cannot find a provider with the name 'FileSystem'.",
                exception_types=("System.Management.Automation.ProviderNotFoundException", *SESSION_STATE),
                target=Scalar("String", "FileSystem"),
            )

    def _is_imported(self, contract: Cmdlet) -> bool:
        return contract.module.startswith("Microsoft.PowerShell.") or contract.module.lower() in self.role.modules


def _as_shown(contract: Cmdlet, suffix: str, checks: Mapping[str, Check] | None) -> Shown:
    """A command that is shown in part is a function of its name, which calls it.

    A function that is shown in part gets another name for that, in each session a new one, and its errors have it.
    """
    if checks is None:
        return Shown(contract, suffix, suffix, contract.name)
    twice = next((name for name in contract.added if name.lower() in checks), None)
    if twice:
        raise errors.TerminatingError(
            "ParameterNameAlreadyExistsForCommand",
            "MetadataError",
            f"A parameter with the name '{twice}' was defined multiple times for the command.",
            exception_types=("System.Management.Automation.MetadataException", *errors.RUNTIME_EXCEPTION),
        )
    own = f"{contract.name}_{uuid4().hex}"
    activity, errors_of_its_own = (own, own) if contract.is_cim else (contract.name, suffix)
    return Shown(proxy(contract, checks), contract.name, errors_of_its_own, activity)


fact(
    "PowerShell",
    "a role's patterns are anchored; a command that it shows in part is a function: binding errors end in its name, "
    "`$null` for a text is an empty one, and parameter sets that lost what tells them apart are ambiguous",
    TRIED,
)
fact(
    "PowerShell",
    "errors of a CIM command that a role shows in part end in its name and 32 digits, another in each session",
    TRIED,
)
fact(
    "PowerShell",
    "a role that lists `Confirm` or `WhatIf` for a command that has them makes it useless "
    "(`ParameterNameAlreadyExistsForCommand`)",
    TRIED,
)
fact(
    "PowerShell",
    "without `VisibleProviders = 'FileSystem'` a role's commands about paths end in `ProviderNotFound`",
    "recorded on Windows Server 2016 (tests of pypsrp)",
)
fact("PowerShell", "a role shows no command of a module that it does not import", f"{UNKNOWN}; stricter")
fact(
    "PowerShell",
    "a restricted session has Select-Object with `-InputObject` and a fixed list for `-Property`; its other commands "
    "without a role are not simulated",
    TRIED,
)
