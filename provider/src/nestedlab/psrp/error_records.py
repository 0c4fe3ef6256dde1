"""Error records that a host sent, from pypsrp's form of them into ours."""

from __future__ import annotations

import re
from typing import Any

from nestedlab.pipeline import ErrorRecord, Step

_RENAMED = re.compile(r"_[0-9a-f]{32}$")

# System.Management.Automation.ErrorCategory, by number.
_CATEGORIES = tuple(
    """
    NotSpecified OpenError CloseError DeviceError DeadlockDetected InvalidArgument InvalidData InvalidOperation
    InvalidResult InvalidType MetadataError NotImplemented NotInstalled ObjectNotFound OperationStopped
    OperationTimeout SyntaxError ParserError PermissionDenied ResourceBusy ResourceExists ResourceUnavailable
    ReadError WriteError FromStdErr SecurityError ProtocolError ConnectionError AuthenticationError LimitsExceeded
    QuotaExceeded NotEnabled
    """.split()  # noqa: SIM905 - a list of 32 literals reads worse
)


def error_record(sent: Any, step: Step) -> ErrorRecord:
    """The error record that pypsrp has read, with the cmdlet's name as the step has it."""
    identifier = str(sent.fq_error or "")
    category = int(sent.category or 0)
    hresult = getattr(sent.exception, "adapted_properties", {}).get("HResult")
    return ErrorRecord(
        identifier,
        _CATEGORIES[category] if category < len(_CATEGORIES) else "NotSpecified",
        str(sent),
        _cmdlet(sent, identifier, step),
        hresult if isinstance(hresult, int) else None,
    )


def _cmdlet(sent: Any, identifier: str, step: Step) -> str:
    names = {_bare(cmdlet.name): cmdlet.name for pipeline in step.pipelines for cmdlet in pipeline.cmdlets}
    # The invocation names the cmdlet; else the id's second part does, a class (..Commands.GetVM) or a name.
    source = identifier.partition(",")[2].rsplit(".", 1)[-1].removesuffix("Command")
    # A missing cmdlet has no invocation: "ObjectNotFound: (Get-VMHost:String) [], CommandNotFoundException".
    attributes = ("command_name", "invocation_name", "activity", "target_name")
    candidates = (*(getattr(sent, attribute, None) for attribute in attributes), source)
    return next((names[_bare(name)] for name in candidates if name and _bare(name) in names), "")


def _bare(name: object) -> str:
    """A cmdlet's name as its class and its function have it.

    A JEA role that shows some parameters of a function renames it to New-NetNat_ and 32 digits, in each session others,
    and its errors say so. [ProcessCommandModifications of InitialSessionState in PowerShell's sources; tried on 7.6]
    """
    return _RENAMED.sub("", str(name)).replace("-", "").lower()
