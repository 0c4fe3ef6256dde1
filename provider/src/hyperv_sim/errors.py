"""Errors as cmdlets raise them, before the shell adds which cmdlet it was.

A CmdletError is non-terminating: the cmdlet goes on with its next object, as Hyper-V's and CIM's cmdlets do (scripts
rely on `-ErrorAction SilentlyContinue` with them). A TerminatingError ends the statement, as those of binding do.
"""

from __future__ import annotations

from collections.abc import Mapping

from hyperv_sim.records import COR_E_EXCEPTION, Scalar

CATEGORY = {
    "AccessDenied": "PermissionDenied",
    "InvalidOperation": "InvalidOperation",
    "InvalidParameter": "InvalidArgument",
    "InvalidState": "InvalidOperation",
    "NotSupported": "InvalidOperation",
    "ObjectInUse": "ResourceBusy",
    "ObjectNotFound": "ObjectNotFound",
    "OperationFailed": "NotSpecified",
    "OutOfMemory": "NotSpecified",
    "Unspecified": "NotSpecified",
}
"""The category of each ErrorIdentifier of Hyper-V, as seen in public logs."""

NON_INTERACTIVE = "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available."
"""What a cmdlet says that would have to ask, in a session with nobody to answer."""

SYSTEM_EXCEPTION = ("System.SystemException", "System.Exception", "System.Object")
RUNTIME_EXCEPTION = ("System.Management.Automation.RuntimeException", *SYSTEM_EXCEPTION)
BINDING_EXCEPTION = ("System.Management.Automation.ParameterBindingException", *RUNTIME_EXCEPTION)
VALIDATION_EXCEPTION = ("System.Management.Automation.ParameterBindingValidationException", *BINDING_EXCEPTION)
NOT_FOUND_EXCEPTION = ("System.Management.Automation.CommandNotFoundException", *RUNTIME_EXCEPTION)
VIRTUALIZATION_EXCEPTION = ("Microsoft.HyperV.PowerShell.VirtualizationException", "System.Exception", "System.Object")
CIM_EXCEPTION = ("Microsoft.Management.Infrastructure.CimException", "System.Exception", "System.Object")
CIM_JOB_EXCEPTION = ("Microsoft.PowerShell.Cmdletization.Cim.CimJobException", *SYSTEM_EXCEPTION)


class CmdletError(Exception):
    """A non-terminating error: id and category as in the ErrorRecord, without the cmdlet's own part of the id.

    `details` are properties of its exception that do not follow from the rest. `cause` is the part of the message that
    the exception it came from has; all of it, if nothing else is given.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the record
        self,
        identifier: str,
        category: str,
        message: str,
        *,
        exception_types: tuple[str, ...] = VIRTUALIZATION_EXCEPTION,
        target: object = None,
        details: Mapping[str, str] | None = None,
        cause: str = "",
    ) -> None:
        super().__init__(message)
        self.identifier = identifier
        self.category = category
        self.message = message
        self.exception_types = exception_types
        self.target = target
        self.details = details or {}
        self.cause = cause or message
        self.hresult = COR_E_EXCEPTION


class TerminatingError(CmdletError):
    """An error that ends the statement."""


class PipedObjectError(CmdletError):
    """A piped object that cannot be bound; the next one has its turn."""


class ArgumentValidationError(TerminatingError):
    """A value that a parameter's check refuses: PowerShell passes it on even where it would try another parameter."""


class ArgumentTransformationError(TerminatingError):
    """A value that cannot be converted to the type of a function's parameter."""


def hyper_v(identifier: str, message: str, *, target: Scalar | None = None) -> CmdletError:
    """An error of a Hyper-V cmdlet by its ErrorIdentifier, which gives the category."""
    return CmdletError(identifier, CATEGORY[identifier], message, target=target)


def windows_system_error(number: int, category: str, message: str) -> CmdletError:
    """An error of a CIM cmdlet that carries a Win32 error number."""
    return CmdletError(f"Windows System Error {number}", category, message, exception_types=CIM_EXCEPTION)


def cim_not_found(class_name: str, property_name: str, value: Scalar, text: str) -> CmdletError:
    """A CIM cmdlet's answer if a key without wildcards names nothing."""
    message = (
        f"No {class_name} objects found with property '{property_name}' equal to '{text}'.  "
        "Verify the value of the property and retry."
    )
    return CmdletError(
        f"CmdletizationQuery_NotFound_{property_name}",
        "ObjectNotFound",
        message,
        exception_types=CIM_JOB_EXCEPTION,
        target=value,
    )


def binding(
    identifier: str, message: str, *, category: str = "InvalidArgument", parameter: str = "", cause: str = ""
) -> TerminatingError:
    """An error of parameter binding, about a parameter unless its name is empty."""
    return TerminatingError(
        identifier,
        category,
        message,
        exception_types=BINDING_EXCEPTION,
        details=_about(parameter) if parameter else None,
        cause=cause,
    )


def _about(parameter: str) -> Mapping[str, str]:
    return {"ParameterName": parameter}


def transformation(parameter: str, reason: str) -> ArgumentTransformationError:
    """A value that cannot be converted to the type of a function's parameter."""
    return ArgumentTransformationError(
        "ParameterArgumentTransformationError",
        "InvalidData",
        f"Cannot process argument transformation on parameter '{parameter}'. {reason}",
        exception_types=(
            "System.Management.Automation.ParameterBindingArgumentTransformationException",
            *BINDING_EXCEPTION,
        ),
        details=_about(parameter),
        cause=reason,
    )


def validation(parameter: str, reason: str) -> ArgumentValidationError:
    """A value that the parameter's validation refuses."""
    return ArgumentValidationError(
        "ParameterArgumentValidationError",
        "InvalidData",
        f"Cannot validate argument on parameter '{parameter}'. {reason}",
        exception_types=VALIDATION_EXCEPTION,
        details=_about(parameter),
        cause=reason,
    )


def not_allowed(parameter: str, kind: str, why: str) -> ArgumentValidationError:
    """A value that no mandatory parameter takes; `kind` ends the id, as in `...ErrorNullNotAllowed`."""
    return ArgumentValidationError(
        f"ParameterArgumentValidationError{kind}",
        "InvalidData",
        f"Cannot bind argument to parameter '{parameter}' because {why}.",
        exception_types=VALIDATION_EXCEPTION,
        details=_about(parameter),
    )


def command_not_found(name: str) -> CmdletError:
    """There is no command of this name, or the session does not show it."""
    message = (
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. "
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again."
    )
    target = Scalar("String", name)
    return CmdletError(
        "CommandNotFoundException", "ObjectNotFound", message, exception_types=NOT_FOUND_EXCEPTION, target=target
    )


def not_simulated(what: str) -> TerminatingError:
    """Something that Windows may well do, but that no source describes well enough to simulate it."""
    return TerminatingError(
        "NotSimulated",
        "NotImplemented",
        f"The simulated host does not do this: {what}. docs/fidelity.md lists what it does.",
        exception_types=("System.NotImplementedException", *SYSTEM_EXCEPTION),
    )
