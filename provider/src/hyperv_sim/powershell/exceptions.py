"""The exception of an error: the properties of its own classes, its HRESULT, and where it was thrown. [recorded]"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hyperv_sim.errors import SYSTEM_EXCEPTION, CmdletError
from hyperv_sim.fidelity import POWERSHELL, UNKNOWN, fact
from hyperv_sim.powershell.properties import to_string
from hyperv_sim.records import COR_E_EXCEPTION, COR_E_SYSTEM, NetException, Scalar, Value

_AUTOMATION = "System.Management.Automation"
_HRESULTS = {
    "System.IO.IOException": -2146232800,
    "System.ArgumentException": -2147024809,
    "System.InvalidCastException": -2147467262,
    "System.NotSupportedException": -2146233067,
    "System.FormatException": -2146233033,
    "System.SystemException": COR_E_SYSTEM,
}

_RUNTIME = ("ErrorRecord", "WasThrownFromThrowStatement")
_SESSION_STATE = ("ErrorRecord", "ItemName", "SessionStateCategory", "WasThrownFromThrowStatement")
_OWN: Mapping[str, tuple[str, ...]] = {
    f"{_AUTOMATION}.ParameterBindingException": (
        *("Message", "ParameterName", "ParameterType", "TypeSpecified", "ErrorId", "Line", "Offset"),
        *("CommandInvocation", *_RUNTIME),
    ),
    f"{_AUTOMATION}.CommandNotFoundException": ("ErrorRecord", "CommandName", "WasThrownFromThrowStatement"),
    f"{_AUTOMATION}.SessionStateException": _SESSION_STATE,
    f"{_AUTOMATION}.ParseException": ("Errors", "Message", *_RUNTIME),
    f"{_AUTOMATION}.PSArgumentException": ("ErrorRecord", "Message", "ParamName"),
    f"{_AUTOMATION}.PSInvalidCastException": ("ErrorRecord",),
    f"{_AUTOMATION}.ParentContainsErrorRecordException": ("Message",),
    f"{_AUTOMATION}.RuntimeException": _RUNTIME,
    "Microsoft.HyperV.PowerShell.VirtualizationException": ("ErrorIdentifier", "ErrorCategory"),
    "Microsoft.Management.Infrastructure.CimException": (
        *("NativeErrorCode", "ErrorData", "MessageId", "ErrorSource", "ErrorType", "StatusCode"),
    ),
    "Microsoft.PowerShell.Cmdletization.Cim.CimJobException": ("ErrorRecord",),
}
"""The properties that a class and those between it and Exception declare; Message only where it is declared anew."""

# CimJobException.ConvertCimNativeErrorCodeToErrorCategory, read backwards.
_NATIVE_ERROR_CODES = {
    "PermissionDenied": "AccessDenied",
    "InvalidArgument": "InvalidParameter",
    "ObjectNotFound": "NotFound",
    "ResourceExists": "AlreadyExists",
    "NotImplemented": "NotSupported",
}


def _text(text: str) -> Scalar:
    return Scalar("String", text)


def _target(error: CmdletError) -> Scalar:
    return _text(to_string(error.target))


_VALUES: Mapping[str, Callable[[CmdletError], Value]] = {
    "Message": lambda error: _text(error.message),
    "ErrorRecord": lambda error: _text(error.message),
    "WasThrownFromThrowStatement": lambda _: Scalar("Boolean", value=False),
    "ErrorId": lambda error: _text(error.identifier),
    "Line": lambda _: Scalar("Int64", 0),
    "Offset": lambda _: Scalar("Int64", 0),
    "CommandInvocation": lambda _: _text(f"{_AUTOMATION}.InvocationInfo"),
    "CommandName": _target,
    "ItemName": _target,
    "SessionStateCategory": lambda _: _text("Drive"),
    "ErrorIdentifier": lambda error: _text(error.identifier),
    "ErrorCategory": lambda error: _text(error.category),
    "MessageId": lambda error: _text(error.identifier),
    "NativeErrorCode": lambda error: _text(_NATIVE_ERROR_CODES.get(error.category, "Failed")),
    "ErrorType": lambda _: Scalar("UInt16", 0),
    "StatusCode": lambda _: Scalar("UInt32", 0),
}
"""What a property says unless the error's `details` name it; any other is null."""

_COERCED = (
    "System.Object CoerceTypeAsNeeded(CommandParameterInternal, String, Type, ParameterCollectionTypeInformation)"
)
_BOUND = "Boolean BindParameter(CommandParameterInternal, CompiledCommandParameter, ParameterBindingFlags)"
SITES = {
    "AmbiguousParameter": "MergedCompiledCommandParameter GetMatchingParameter(...)",
    "AmbiguousParameterSet": "Void ThrowAmbiguousParameterSetException(UInt32, MergedCommandParameterMetadata)",
    "CannotConvertArgument": _COERCED,
    "CannotConvertArgumentNoMessage": _COERCED,
    "DriveNotFound": f"{_AUTOMATION}.PSDriveInfo GetDrive(System.String, Boolean)",
    "MissingArgument": "Void ReparseUnboundArguments()",
    "MissingMandatoryParameter": "Dictionary`2 PromptForMissingMandatoryParameters(Collection`1, Collection`1)",
    "NamedParameterNotFound": f"Void VerifyArgumentsProcessed({_AUTOMATION}.ParameterBindingException)",
    "ParameterAlreadyBound": "Collection`1 BindNamedParameters(UInt32, Collection`1)",
    "ParameterArgumentTransformationError": _BOUND,
    "ParameterArgumentValidationError": _BOUND,
    "ParameterArgumentValidationErrorEmptyArrayNotAllowed": "Void ValidateNullOrEmptyArgument(...)",
    "ParameterArgumentValidationErrorEmptyStringNotAllowed": "Void ValidateNullOrEmptyArgument(...)",
    "ParameterArgumentValidationErrorNullNotAllowed": "Void ValidateNullOrEmptyArgument(...)",
    "ParameterBindingFailed": _BOUND,
    "PositionalParameterNotFound": f"Void VerifyArgumentsProcessed({_AUTOMATION}.ParameterBindingException)",
    "PathNotFound": "Collection`1 ResolveDriveQualifiedPath(String, CmdletProviderContext, Boolean, CmdletProvider)",
    "ScriptsNotAllowed": f"{_AUTOMATION}.CommandProcessorBase CreateCommandProcessor(...)",
}
"""Which method of PowerShell throws an error of an id. Hyper-V's and CIM's own are not known."""
LOOK_UP = f"{_AUTOMATION}.CommandInfo LookupCommandInfo(...)"
"""What throws that a command is not there."""


def exception(error: CmdletError, site: str = "", inner: NetException | None = None) -> NetException:
    """The exception of an error; `site` if it does not follow from the error's id, `inner` is what it came from."""
    types = error.exception_types
    names = next((_OWN[name] for name in types if name in _OWN), ())
    return NetException(
        error.message,
        types,
        {name: _value(error, name) for name in names},
        error.hresult if error.hresult != COR_E_EXCEPTION else _hresult(types),
        site or SITES.get(error.identifier, ""),
        inner,
    )


def wrapped(message: str) -> NetException:
    """The exception that a record of a batch's first statement has in place of its own."""
    types = (f"{_AUTOMATION}.ParentContainsErrorRecordException", *SYSTEM_EXCEPTION)
    return NetException(message, types, {"Message": _text(message)}, COR_E_SYSTEM)


def _value(error: CmdletError, name: str) -> Value:
    if name in error.details:
        return _text(error.details[name])
    return _VALUES[name](error) if name in _VALUES else None


def _hresult(types: tuple[str, ...]) -> int:
    return next((_HRESULTS[name] for name in types if name in _HRESULTS), COR_E_EXCEPTION)


_RECORDED = "recorded on a PowerShell 7.6"
fact("PSRP", "an exception's own properties in the order of its classes", _RECORDED)
fact(
    "PSRP",
    "the methods and the stack of an exception in short, without parameters",
    f"{POWERSHELL}; shortened",
)
fact("PSRP", "the stack of an exception of Hyper-V or CIM is nil", UNKNOWN)
fact("PSRP", "VirtualizationException has ErrorIdentifier and ErrorCategory", "PowerShell/PowerShell#25761")
