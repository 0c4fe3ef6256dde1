"""From an error that a cmdlet raised, or that binding did, to the record that tells of it."""

from __future__ import annotations

from dataclasses import replace

from hyperv_sim import errors
from hyperv_sim.contract import Cmdlet
from hyperv_sim.powershell import binding_exceptions, exceptions, properties
from hyperv_sim.records import Command, ErrorRecord, Invocation, Scalar


def record(
    error: errors.CmdletError, windows: str, suffix: str = "", invocation: Invocation | None = None
) -> ErrorRecord:
    """An error as the record of it; `suffix` is what its command adds to the id."""
    names = properties.type_names(error.target)
    is_plain = isinstance(error.target, Scalar)
    return ErrorRecord(
        f"{error.identifier},{suffix}" if suffix else error.identifier,
        error.category,
        exceptions.exception(error),
        activity=invocation.command if invocation else "",
        target=properties.serialised(error.target, windows),
        target_name=properties.to_string(error.target),
        target_type="" if error.target is None else names[0].rpartition(".")[2] if is_plain else "PSObject",
        invocation=invocation,
    )


def of_binding(error: errors.CmdletError, windows: str, suffix: str, cmdlet: Cmdlet, sent: Command) -> ErrorRecord:
    """An error in binding as the record of it: the command has no name by which it was called as yet. [recorded]"""
    unnamed = Invocation(cmdlet.name, is_function=cmdlet.is_function, iteration=())
    told = record(error, windows, suffix, unnamed)
    return replace(told, exception=binding_exceptions.exception(error, cmdlet, sent))


def not_found(name: str, windows: str) -> ErrorRecord:
    """An absent command and a hidden one look the same. [PowerShell sources, CommandDiscovery]"""
    error = errors.command_not_found(name)
    return replace(record(error, windows), exception=exceptions.exception(error, exceptions.LOOK_UP))


def in_a_batch(first: ErrorRecord) -> ErrorRecord:
    """The record of a batch's first statement: its exception is the one that PowerShell wraps records in."""
    return replace(first, exception=exceptions.wrapped(first.message))


def no_scripts(script: str, windows: str) -> ErrorRecord:
    """Script text is refused as an endpoint without a language refuses it, so that no client comes to rely on it."""
    types = ("System.Management.Automation.ParseException", *errors.RUNTIME_EXCEPTION)
    message = "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode."
    target = Scalar("String", script)
    return record(
        errors.CmdletError("ScriptsNotAllowed", "ParserError", message, exception_types=types, target=target), windows
    )
