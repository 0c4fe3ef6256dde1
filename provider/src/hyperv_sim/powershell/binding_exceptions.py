"""The exception of an error of binding: the parameter, its type, the argument's type, and its cause. [recorded]"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hyperv_sim.contract import Cmdlet, ParameterType
from hyperv_sim.errors import RUNTIME_EXCEPTION, SYSTEM_EXCEPTION, CmdletError
from hyperv_sim.fidelity import fact
from hyperv_sim.powershell import conversion, exceptions, properties
from hyperv_sim.records import Command, NetException, Value

_AUTOMATION = "System.Management.Automation"
_CONVERSIONS = ("CannotConvertArgument", "ParameterArgument")

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
_NO_LIST = ("System.NotSupportedException", *SYSTEM_EXCEPTION)


def exception(error: CmdletError, cmdlet: Cmdlet, sent: Command) -> NetException:
    """The exception of an error in binding what a client sent."""
    name = error.details.get("ParameterName", "")
    parameter = cmdlet.parameters.get(name) or cmdlet.added.get(name)
    value = next((argument.value for argument in sent.parameters if _bare(argument.name) == name.lower()), None)
    error.details = {**error.details, **_types(error, parameter, value)}
    is_list = error.identifier == "CannotConvertArgument" and isinstance(value, tuple)
    return exceptions.exception(error, inner=_of_a_list(error) if is_list else _inner(error, parameter))


def _bare(name: str | None) -> str:
    """A name as a client sends it, without what stands before and after it there."""
    return (name or "").lstrip("-").rstrip(":").lower()


def _types(error: CmdletError, parameter: ParameterType | None, value: Value) -> dict[str, str]:
    """The types of the parameter and of its argument; if a check refuses the argument, that is the converted one's."""
    found: dict[str, str] = {}
    type_name = _type_name(parameter) if parameter else ""
    if type_name and error.identifier.startswith((*_CONVERSIONS, "MissingArgument", "ParameterBindingFailed")):
        found["ParameterType"] = type_name
    if "Validation" in error.identifier:
        is_told = value is not None or error.identifier.endswith("EmptyStringNotAllowed")
        specified = type_name if is_told else ""
    elif error.identifier.startswith((*_CONVERSIONS, "NamedParameterNotFound")):
        specified = _specified(value)
    else:
        specified = ""
    return found | ({"TypeSpecified": specified} if specified else {})


def _specified(value: Value) -> str:
    if isinstance(value, tuple):
        return f"{_AUTOMATION}.PSObject"
    return "" if value is None else properties.type_names(value)[0]


def _type_name(parameter: ParameterType) -> str:
    """The .NET type of a parameter; whether a compiled one may be null is not told here."""
    return f"{conversion.type_name(parameter)}{'[]' if parameter.is_array else ''}"


def _inner(error: CmdletError, parameter: ParameterType | None) -> NetException | None:
    chain = _INNER.get(error.identifier, ())
    if error.identifier in {"CannotConvertArgumentNoMessage", "ParameterArgumentTransformationError"}:
        is_member = parameter is not None and parameter.members is not None
        chain = (*chain, _NO_MEMBER if is_member else _NO_NUMBER)
    inner: NetException | None = None
    for types, site in reversed(chain):
        source = CmdletError(error.identifier, error.category, error.cause, exception_types=types)
        inner = exceptions.exception(source, site, inner)
        if types is _NO_NUMBER[0]:
            inner = replace(inner, source="mscorlib")
    return inner


def _of_a_list(error: CmdletError) -> NetException:
    """What a list for one value came from."""
    source = CmdletError(error.identifier, error.category, error.cause, exception_types=_NO_LIST)
    return exceptions.exception(source)


fact("PSRP", "the exceptions that an error of binding came from", "recorded on a PowerShell 7.6")
