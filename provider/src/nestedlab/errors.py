"""What can go wrong, in the user's terms: one small tree of errors, and the one place that reads error records.

Windows' messages are localised and its ids are not quite unique, so a record is read by id and category, by Windows'
own error number, and by the HRESULT at the end of a message, none of which a language changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from nestedlab.pipeline import ErrorKind, ErrorRecord, Facts, Step


class NestedlabError(Exception):
    """An error that this provider reports; its text is for the user and names the remedy.

    `cmdlet` is the name of the cmdlet whose error record it reports, if it reports a record.
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


class Interrupted(NestedlabError):  # noqa: N818 - it is an event, not a verdict: the caller reads again
    """The connection was lost in the middle of a step: whether the step ran is not known."""


class Cancelled(NestedlabError):  # noqa: N818 - it is what the user asked for
    """The operation was cancelled between two steps; the next operation completes what was created so far."""


class NotFoundError(NestedlabError):
    """Something that the program names is not on the host: a switch, an image, a folder."""


class ConflictError(NestedlabError):
    """Something on the host that is not ours stands in the way."""


class RefusedError(NestedlabError):
    """The host refused an operation."""


class RevertedError(NestedlabError):
    """The host accepted a setting and did not keep it."""


# By the first part of the FullyQualifiedErrorId: Hyper-V's error identifiers, PowerShell's binder, CIM's query errors.
_BY_ID: Mapping[str, ErrorKind] = {
    "ObjectNotFound": ErrorKind.ABSENT,
    "ItemNotFound": ErrorKind.ABSENT,
    "PathNotFound": ErrorKind.ABSENT,
    "InvalidState": ErrorKind.WRONG_STATE,
    "AccessDenied": ErrorKind.DENIED,
    "ObjectInUse": ErrorKind.BUSY,
    "OutOfMemory": ErrorKind.NO_MEMORY,
    "NotSupported": ErrorKind.NOT_SUPPORTED,
    "CommandNotFoundException": ErrorKind.NO_COMMAND,
    "NamedParameterNotFound": ErrorKind.NO_PARAMETER,
}

# By Windows' own error number: in a CIM cmdlet's id, "Windows System Error 87,New-NetNat", whose words may be
# localised, or in an HRESULT (0x80070057).
_BY_WIN32: Mapping[int, ErrorKind] = {
    2: ErrorKind.ABSENT,  # ERROR_FILE_NOT_FOUND
    3: ErrorKind.ABSENT,  # ERROR_PATH_NOT_FOUND
    5: ErrorKind.DENIED,  # ERROR_ACCESS_DENIED
    14: ErrorKind.NO_MEMORY,  # ERROR_OUTOFMEMORY
    32: ErrorKind.BUSY,  # ERROR_SHARING_VIOLATION
    52: ErrorKind.EXISTS,  # ERROR_DUP_NAME
    80: ErrorKind.EXISTS,  # ERROR_FILE_EXISTS
    87: ErrorKind.INVALID,  # ERROR_INVALID_PARAMETER
    112: ErrorKind.NO_SPACE,  # ERROR_DISK_FULL
    183: ErrorKind.EXISTS,  # ERROR_ALREADY_EXISTS
    1168: ErrorKind.ABSENT,  # ERROR_NOT_FOUND
    1450: ErrorKind.NO_MEMORY,  # ERROR_NO_SYSTEM_RESOURCES: Start-VM gives it so too (microsoft/MSLab#300)
    5010: ErrorKind.EXISTS,  # ERROR_OBJECT_ALREADY_EXISTS
}

_WIN32_FACILITY = 0x80070000
"""What an HRESULT begins with that is one of Windows' own error numbers."""

# By an HRESULT that is none of Windows' own numbers: at the end of a cmdlet's message, in a CIM cmdlet's id, or of the
# exception.
_BY_HRESULT: Mapping[int, ErrorKind] = {
    0x80041008: ErrorKind.INVALID,  # WBEM_E_INVALID_PARAMETER
    0x80041010: ErrorKind.NOT_SUPPORTED,  # WBEM_E_INVALID_CLASS: this Windows lacks what the cmdlet is for
}

_BY_CATEGORY: Mapping[str, ErrorKind] = {
    "ObjectNotFound": ErrorKind.ABSENT,
    "ResourceExists": ErrorKind.EXISTS,
    "ResourceBusy": ErrorKind.BUSY,
    "PermissionDenied": ErrorKind.DENIED,
    "InvalidArgument": ErrorKind.INVALID,
    "InvalidData": ErrorKind.INVALID,
}

# By Hyper-V's identifiers that name no cause: only if nothing else in the record does.
_BY_VAGUE_ID: Mapping[str, ErrorKind] = {
    "OperationFailed": ErrorKind.FAILED,
    "Unspecified": ErrorKind.UNSPECIFIED,
}

_HRESULT = re.compile(r"\(0x(?P<code>[0-9A-Fa-f]{8})\)")
_HRESULT_ID = re.compile(r"^HRESULT 0x(?P<code>[0-9A-Fa-f]{8}),")
_WIN32 = re.compile(r" (?P<code>\d+)$")


def kind_of(record: ErrorRecord) -> ErrorKind:
    """What an error record means."""
    identifier, _, source = record.error_id.partition(",")
    if identifier == "InvalidOperation" and record.cmdlet == "Stop-VM":
        return ErrorKind.PROMPTED  # no host UI to prompt on: the guest is locked, or does not answer
    if identifier == "InvalidParameter" and record.cmdlet.startswith("Get-"):
        return ErrorKind.ABSENT  # Get-VM and Get-VMSwitch by a name that does not exist
    if identifier.startswith("CmdletizationQuery_NotFound"):
        return ErrorKind.ABSENT
    native = _WIN32.search(identifier) if source else None
    readings = (
        _BY_ID.get(identifier),
        _BY_WIN32.get(int(native["code"])) if native else None,
        *map(_by_hresult, _hresults(record)),
        _BY_CATEGORY.get(record.category),
        _BY_VAGUE_ID.get(identifier),
    )
    return next((kind for kind in readings if kind is not None), ErrorKind.OTHER)


def _by_hresult(code: int) -> ErrorKind | None:
    is_win32 = code & 0xFFFF0000 == _WIN32_FACILITY
    return _BY_WIN32.get(code & 0xFFFF) if is_win32 else _BY_HRESULT.get(code)


def _hresults(record: ErrorRecord) -> list[int]:
    """The HRESULTs that a record carries; the last in a long message is the cause."""
    texts = _HRESULT_ID.findall(record.error_id) + _HRESULT.findall(record.message)[::-1]
    codes = [int(text, 16) for text in texts]
    return codes if record.hresult is None else [*codes, record.hresult & 0xFFFFFFFF]


_REMEDIES: Mapping[ErrorKind, str] = {
    ErrorKind.DENIED: "The user lacks the right to do this: machines and switches need membership in Hyper-V "
    "Administrators, NAT networks and addresses in Administrators.",
    ErrorKind.BUSY: "Something else on the host is using it; try again when that is done.",
    ErrorKind.WRONG_STATE: "The machine is in a state that rules this out, or another change to it is under way; "
    "check it in Hyper-V Manager and run `pulumi up` again.",
    ErrorKind.NO_MEMORY: "The host does not have enough free memory to start the machine: "
    "ask for less with memory_mib, or stop other machines.",
    ErrorKind.NO_SPACE: "The volume is full: free some space, or choose another volume with path.",
    ErrorKind.NOT_SUPPORTED: "This version of Windows or this processor does not support it. "
    "Leave the property out, or use a newer host.",
    ErrorKind.NO_COMMAND: "The cmdlet does not exist on the host, or the PowerShell endpoint does not show it: "
    "install the Hyper-V role with its PowerShell module, or let the JEA role show the cmdlet.",
    ErrorKind.NO_PARAMETER: "This version of Windows does not have the parameter, or the JEA role hides it. "
    "Use a newer Windows there, or let the role show it (docs/nestedlab.psrc).",
    ErrorKind.FAILED: "Windows reports no further cause. Look in the host's event log "
    "Microsoft-Windows-Hyper-V-VMMS-Admin.",
    ErrorKind.UNSPECIFIED: "Windows reports no cause. On some hosts this means that the user lacks the rights: "
    "machines and switches need membership in Hyper-V Administrators. Otherwise look in the host's event log "
    "Microsoft-Windows-Hyper-V-VMMS-Admin.",
    ErrorKind.PROMPTED: "The guest does not answer a shutdown request. Shut it down from inside, and run "
    "`pulumi up` again.",
}


_REMEDIES_OF: Mapping[tuple[str, ErrorKind], str] = {
    ("Add-NetNatStaticMapping", ErrorKind.BUSY): "Windows reports this if the port is in use or excluded on the host "
    "(netsh interface ipv4 show excludedportrange protocol=tcp; Get-NetTCPConnection -LocalPort), or if the "
    "external address is not the host's.",
    ("Set-VMFirmware", ErrorKind.FAILED): "If it is secure_boot_template: Windows does not change it once the machine "
    "has started with a TPM. Put it back, or replace the machine: `pulumi up --replace URN`.",
    ("New-VHD", ErrorKind.EXISTS): "A disk that was kept (keep=True) is there: attach it with path, or choose another "
    "location for the new disk.",
    ("Get-VM", ErrorKind.ABSENT): "Check in Hyper-V Manager whether the machine still exists, and whether the host's "
    "Virtual Machine Management service (vmms) runs: Windows reports the same error if it is stopped.",
    (
        "Get-NetNat",
        ErrorKind.NOT_SUPPORTED,
    ): "This Windows has no WinNAT, which a NAT switch needs; some client editions lack it. Use Windows Server, or "
    "another edition.",
    ("Start-VM", ErrorKind.DENIED): "Either the user lacks the right to start machines (membership in Hyper-V "
    "Administrators), or the machine lacks the right to open one of its disks or its image, for instance after the "
    "file was copied or moved. Remove the disk and add it again in Hyper-V Manager, which grants the machine access, "
    'or grant it on the host: icacls FILE /grant "NT VIRTUAL MACHINE\\MACHINE-ID:(F)".',
    ("Remove-VMSwitch", ErrorKind.BUSY): "Machines that are not off use the switch. Shut them down, or connect them to "
    "another switch, and run the command again; `pulumi up` sets up the gateway and the NAT network again if you keep "
    "the switch.",
    (
        "Remove-VMSwitch",
        ErrorKind.INVALID,
    ): "Windows reports this if something holds the host's adapter to the switch: a "
    "NAT network (Get-NetNat), a program that captures its traffic, or a container's network. End that, and run the "
    "command again.",
    ("New-NetNat", ErrorKind.INVALID): "Windows reports this if the host takes no second NAT network, or if the "
    "prefix overlaps an existing one: look at Get-NetNat there.",
    ("New-NetIPAddress", ErrorKind.INVALID): "Windows reports this if the address is on the host already (look at "
    "Get-NetIPAddress there), or if the new adapter was not ready in time: then run `pulumi up` again.",
}


def _error_for(kind: ErrorKind) -> type[NestedlabError]:
    if kind is ErrorKind.DENIED:
        return AccessError
    if kind is ErrorKind.ABSENT:
        return NotFoundError
    return ConflictError if kind is ErrorKind.EXISTS else RefusedError


def tolerated(record: ErrorRecord, step: Step) -> bool:
    """Whether a pipeline of the step that runs the record's cmdlet tolerates the record."""
    return any(
        kind_of(record) in pipeline.tolerates
        for pipeline in step.pipelines
        if not record.cmdlet or any(command.name == record.cmdlet for command in pipeline.cmdlets)
    )


def raise_for(facts: Facts, step: Step) -> None:
    """Raise the domain error for the step's first record that no pipeline of it tolerates."""
    record = next((error for error in facts.errors if not tolerated(error, step)), None)
    if record is None:
        return
    kind = kind_of(record)
    # Windows does not report which of several pipelines of a cmdlet it was.
    affected = [
        pipeline.properties
        for pipeline in step.pipelines
        if pipeline.cmdlets[-1].name == record.cmdlet and pipeline.properties
    ]
    properties = ", ".join(dict.fromkeys(affected))
    cause = f"{properties}: " if properties else ""
    cause += f"could not {step.purpose}: {record.message.strip()}"
    remedy = _REMEDIES_OF.get((record.cmdlet, kind)) or _REMEDIES.get(kind, "")
    text = " ".join(part for part in (cause, remedy) if part)
    raise _error_for(kind)(f"{text} [{record.error_id}, {record.category}]", record.cmdlet)
