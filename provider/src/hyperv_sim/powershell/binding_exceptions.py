"""The exception of an error of binding: the parameter, its type, the argument's type, and what it came from. [recorded]

The texts of PowerShell's binding errors name the parameter, and end in the text of the exception that they came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from hyperv_sim.contract import Cmdlet, ParameterType
from hyperv_sim.errors import RUNTIME_EXCEPTION, SYSTEM_EXCEPTION, CmdletError
from hyperv_sim.fidelity import fact
from hyperv_sim.powershell import exceptions, properties
from hyperv_sim.records import Command, NetException
from hyperv_sim.state import enumerations

_AUTOMATION = "System.Management.Automation"
_NAMED = re.compile(r"parameter(?: name)? '(?P<name>[^']+)'")
_MISSING = re.compile(r"missing mandatory parameters:(?P<name>.+)\.$")
# The common parameters that take an action, which no cmdlet's own list has.
_ACTIONS = frozenset({"ErrorAction", "WarningAction"})
_CONVERSIONS = ("CannotConvertArgument", "ParameterArgument")
_NOT_SUPPORTED = "Specified method is not supported."

_METADATA = (f"{_AUTOMATION}.MetadataException", *RUNTIME_EXCEPTION)
_INVALID_CAST = (f"{_AUTOMATION}.PSInvalidCastException", "System.InvalidCastException", *SYSTEM_EXCEPTION)
_SET_VALUE = (f"{_AUTOMATION}.SetValueException", f"{_AUTOMATION}.ExtendedTypeSystemException", *RUNTIME_EXCEPTION)
_INNER: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "ParameterArgumentValidationError": (
        ((f"{_AUTOMATION}.ValidationMetadataException", *_METADATA), "Void Validate(Object, EngineIntrinsics)"),
    ),
    "ParameterArgumentTransformationError": (
        ((f"{_AUTOMATION}.ArgumentTransformationMetadataException", *_METADATA), "System.Object Transform(...)"),
        (_INVALID_CAST, "System.Object ConvertStringToInteger(...)"),
    ),
    "CannotConvertArgumentNoMessage": ((_INVALID_CAST, "System.Object ConvertWithCulture(...)"),),
    "ParameterBindingFailed": (
        ((f"{_AUTOMATION}.SetValueInvocationException", *_SET_VALUE), "Void BindParameter(...)"),
        (_INVALID_CAST, "System.Object ThrowInvalidCastException(System.Object, System.Type)"),
    ),
}
"""The exceptions that an error of an id came from, the nearest first, each with what threw it."""
_NO_MEMBER = (RUNTIME_EXCEPTION, "System.String EnumDisambiguate(System.String, System.Type)")
_NO_NUMBER = (("System.FormatException", *SYSTEM_EXCEPTION), "Void StringToNumber(...)")
_NO_LIST = (("System.NotSupportedException", *SYSTEM_EXCEPTION), "System.Object CoerceTypeAsNeeded(...)")


def exception(error: CmdletError, cmdlet: Cmdlet, sent: Command) -> NetException:
    """The exception of an error in binding what a client sent."""
    found = _NAMED.search(error.message) or _MISSING.search(error.message)
    name = found["name"] if found else ""
    parameter = cmdlet.parameters.get(name)
    error.details = _details(error, name, parameter, sent)
    return exceptions.exception(error, inner=_inner(error, name, parameter))


def _details(error: CmdletError, name: str, parameter: ParameterType | None, sent: Command) -> dict[str, str]:
    found: dict[str, str] = {}
    if name:
        found["ParameterName"] = name
    is_of_type = error.identifier.startswith((*_CONVERSIONS, "MissingArgument", "ParameterBindingFailed"))
    if is_of_type and name in _ACTIONS:
        found["ParameterType"] = f"{_AUTOMATION}.ActionPreference"
    elif is_of_type and parameter:
        found["ParameterType"] = _type_name(parameter)
    if error.identifier.startswith((*_CONVERSIONS, "NamedParameterNotFound")):
        value = next((argument.value for argument in sent.parameters if argument.name == name), None)
        is_list = parameter is not None and parameter.is_array and "Validation" in error.identifier
        if value is not None:
            found["TypeSpecified"] = properties.type_names(value)[0] + ("[]" if is_list else "")
    return found


def _type_name(parameter: ParameterType) -> str:
    """The .NET type of a parameter; whether a compiled one may be null is not told here."""
    known = enumerations.BY_NAME.get(parameter.type_name)
    name = next(iter(known)).type_name if known else f"System.{parameter.type_name}"
    return f"{name}[]" if parameter.is_array else name


def _inner(error: CmdletError, name: str, parameter: ParameterType | None) -> NetException | None:
    cause = error.message.partition("'. ")[2] or error.message
    chain = _INNER.get(error.identifier, ())
    if error.identifier in {"CannotConvertArgumentNoMessage", "ParameterArgumentTransformationError"}:
        is_member = name in _ACTIONS or (parameter is not None and parameter.type_name in enumerations.BY_NAME)
        chain = (*chain, _NO_MEMBER if is_member else _NO_NUMBER)
    if error.message.endswith(_NOT_SUPPORTED):
        chain, cause = (_NO_LIST,), _NOT_SUPPORTED
    inner: NetException | None = None
    for types, site in reversed(chain):
        source = CmdletError(error.identifier, error.category, cause, exception_types=types)
        inner = exceptions.exception(source, site, inner)
        if types is _NO_NUMBER[0]:
            inner = replace(inner, source="mscorlib")
    return inner


fact("PSRP", "the exceptions that an error of binding came from", "recorded on a PowerShell 7.6")
