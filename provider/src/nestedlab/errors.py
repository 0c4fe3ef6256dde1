"""What can go wrong, in the user's terms: one small tree of errors, and the one place that reads error records.

Windows' messages are localised and its ids are not quite unique, so a record is read by id and category, and where
those cannot tell, by the HRESULT at the end of a disk cmdlet's message, which no language changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from nestedlab.pipeline import Condition, Facts, Problem, Step


class NestedlabError(Exception):
    """Anything that this provider says went wrong; its text is for the user and names the remedy.

    `cmdlet` is the one whose error record it tells, if it tells one.
    """

    def __init__(self, text: str, cmdlet: str = "") -> None:
        super().__init__(text)
        self.cmdlet = cmdlet


class ConfigurationError(NestedlabError):
    """A setting of the connection is missing or cannot be used."""


class UnreachableError(NestedlabError):
    """The host did not answer, or refused the connection, the certificate, the endpoint or another shell."""


class AccessError(NestedlabError):
    """The host refused the user: wrong credentials, or rights missing for an operation."""


class Interrupted(NestedlabError):  # noqa: N818 - it is an event, not a verdict: the caller looks again
    """The connection went in the middle of a step, so that nobody here knows whether the step ran."""


class NotFoundError(NestedlabError):
    """Something that the program names is not on the host: a switch, an image, a folder."""


class ConflictError(NestedlabError):
    """Something on the host that is not ours stands in the way."""


class RefusedError(NestedlabError):
    """The host refused an operation."""


class RevertedError(NestedlabError):
    """The host took a setting and did not keep it."""


# By the first part of the FullyQualifiedErrorId: Hyper-V's error identifiers, PowerShell's binder, CIM's query errors.
_BY_ID: Mapping[str, Condition] = {
    "ObjectNotFound": Condition.ABSENT,
    "ItemNotFound": Condition.ABSENT,
    "PathNotFound": Condition.ABSENT,
    "InvalidState": Condition.WRONG_STATE,
    "AccessDenied": Condition.DENIED,
    "ObjectInUse": Condition.BUSY,
    "OutOfMemory": Condition.NO_MEMORY,
    "NotSupported": Condition.NOT_SUPPORTED,
    "CommandNotFoundException": Condition.NO_COMMAND,
    "NamedParameterNotFound": Condition.NO_PARAMETER,
}

# By the number in a CIM cmdlet's id, "Windows System Error 87,New-NetNat", whose words may be localised.
_BY_WIN32: Mapping[int, Condition] = {
    5: Condition.DENIED,
    32: Condition.BUSY,
    52: Condition.EXISTS,
    87: Condition.INVALID,
    5010: Condition.EXISTS,
}

# By the HRESULT at the end of a disk cmdlet's message, in a CIM cmdlet's id, or of the exception.
_BY_HRESULT: Mapping[int, Condition] = {
    0x80070002: Condition.ABSENT,
    0x80070003: Condition.ABSENT,
    0x80070005: Condition.DENIED,
    0x80070020: Condition.BUSY,
    0x80070034: Condition.EXISTS,
    0x80070050: Condition.EXISTS,
    0x80070070: Condition.NO_SPACE,
    0x800700B7: Condition.EXISTS,
    0x80041010: Condition.NOT_SUPPORTED,  # WBEM_E_INVALID_CLASS: this Windows lacks what the cmdlet is for
}

_BY_CATEGORY: Mapping[str, Condition] = {
    "ObjectNotFound": Condition.ABSENT,
    "ResourceExists": Condition.EXISTS,
    "ResourceBusy": Condition.BUSY,
    "PermissionDenied": Condition.DENIED,
    "InvalidArgument": Condition.INVALID,
    "InvalidData": Condition.INVALID,
}

_HRESULT = re.compile(r"\(0x(?P<code>[0-9A-Fa-f]{8})\)")
_HRESULT_ID = re.compile(r"^HRESULT 0x(?P<code>[0-9A-Fa-f]{8}),")
_WIN32 = re.compile(r" (?P<code>\d+)$")


def condition_of(problem: Problem) -> Condition:
    """What an error record means."""
    identifier, _, source = problem.error_id.partition(",")
    if identifier == "InvalidOperation" and problem.cmdlet == "Stop-VM":
        return Condition.PROMPTED  # no host UI to ask on: the guest is locked, or does not answer
    if identifier == "InvalidParameter" and problem.cmdlet.startswith("Get-"):
        return Condition.ABSENT  # Get-VM and Get-VMSwitch by a name that is not there
    if identifier.startswith("CmdletizationQuery_NotFound"):
        return Condition.ABSENT
    native = _WIN32.search(identifier) if source else None
    readings = (
        _BY_ID.get(identifier),
        _BY_WIN32.get(int(native["code"])) if native else None,
        *(_BY_HRESULT.get(code) for code in _hresults(problem)),
        _BY_CATEGORY.get(problem.category),
    )
    return next((one for one in readings if one is not None), Condition.OTHER)


def _hresults(problem: Problem) -> list[int]:
    """The HRESULTs that a record carries; the last one in a long message is the cause."""
    texts = _HRESULT_ID.findall(problem.error_id) + _HRESULT.findall(problem.message)[::-1]
    said = [int(one, 16) for one in texts]
    return said if problem.hresult is None else [*said, problem.hresult & 0xFFFFFFFF]


_REMEDIES: Mapping[Condition, str] = {
    Condition.DENIED: "The user lacks the right to do this: machines and switches need membership in Hyper-V "
    "Administrators, NAT networks and addresses in Administrators.",
    Condition.BUSY: "Something else on the host is using it; try again when that is done.",
    Condition.WRONG_STATE: "The machine is in a state that rules this out, or another change to it is under way; "
    "look at it in Hyper-V Manager and run `pulumi up` again.",
    Condition.NO_MEMORY: "The host has not enough free memory to start the machine: "
    "ask for less with memory_mib, or stop other machines.",
    Condition.NO_SPACE: "The volume is full: free some space, or choose another one with path.",
    Condition.NOT_SUPPORTED: "This version of Windows or this processor cannot do it.",
    Condition.NO_COMMAND: "The cmdlet is not there, or the PSRP endpoint does not show it: install the Hyper-V role "
    "with its PowerShell module, or let the JEA role show the cmdlet.",
    Condition.NO_PARAMETER: "This version of Windows does not know the parameter, or the JEA role hides it.",
    Condition.PROMPTED: "The guest does not answer a shutdown request.",
}


_REMEDIES_OF: Mapping[tuple[str, Condition], str] = {
    ("Add-NetNatStaticMapping", Condition.BUSY): "Windows says so where the port is in use or excluded on the host "
    "(netsh interface ipv4 show excludedportrange protocol=tcp; Get-NetTCPConnection -LocalPort), or where the "
    "external address is none of the host's.",
    ("New-VHD", Condition.EXISTS): "A disk that was kept (keep=True) is there: give it by its path, or choose another "
    "location for the new one.",
    ("Get-VM", Condition.ABSENT): "Look in Hyper-V Manager whether the machine is still there, and whether the host's "
    "Virtual Machine Management service (vmms) runs: Windows says the same where it is stopped.",
    (
        "Get-NetNat",
        Condition.NOT_SUPPORTED,
    ): "This Windows has no WinNAT, without which it cannot hold a NAT switch: some client editions lack it.",
    ("New-NetNat", Condition.INVALID): "Windows says so where the host takes no second NAT network, or where the "
    "prefix overlaps one: look at Get-NetNat there.",
    ("New-NetIPAddress", Condition.INVALID): "Windows says so where the address is on the host already: look at "
    "Get-NetIPAddress there.",
}


def _error_for(condition: Condition) -> type[NestedlabError]:
    if condition is Condition.DENIED:
        return AccessError
    if condition is Condition.ABSENT:
        return NotFoundError
    return ConflictError if condition is Condition.EXISTS else RefusedError


def tolerated(problem: Problem, step: Step) -> bool:
    """Whether a pipeline of the step that runs the problem's cmdlet takes such a problem for none."""
    return any(
        condition_of(problem) in pipeline.tolerates
        for pipeline in step.pipelines
        if not problem.cmdlet or any(one.name == problem.cmdlet for one in pipeline.cmdlets)
    )


def raise_for(facts: Facts, step: Step) -> None:
    """Raise the domain error for the step's first problem that no pipeline of it tolerates."""
    problem = next((one for one in facts.problems if not tolerated(one, step)), None)
    if problem is None:
        return
    condition = condition_of(problem)
    # Windows does not say which of several pipelines of a cmdlet it was.
    concerned = [one.about for one in step.pipelines if one.cmdlets[-1].name == problem.cmdlet and one.about]
    about = ", ".join(dict.fromkeys(concerned))
    said = f"{about}: " if about else ""
    said += f"could not {step.purpose}: {problem.message.strip()}"
    remedy = _REMEDIES_OF.get((problem.cmdlet, condition)) or _REMEDIES.get(condition, "")
    text = " ".join(part for part in (said, remedy) if part)
    raise _error_for(condition)(f"{text} [{problem.error_id}, {problem.category}]", problem.cmdlet)
