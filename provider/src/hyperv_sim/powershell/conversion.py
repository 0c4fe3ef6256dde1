"""PowerShell's conversion of an argument to a parameter's .NET type, no wider than Windows.

Narrower on purpose if a conversion hides a mistake: enumerations take names only, no numbers, prefixes or lists;
whole numbers take no truth values, fractions, hexadecimal or unit suffixes; text takes no list.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from hyperv_sim import errors
from hyperv_sim.contract import ParameterType
from hyperv_sim.fidelity import POWERSHELL, UNKNOWN, fact
from hyperv_sim.powershell.properties import described, to_string, type_names
from hyperv_sim.records import EnumMember, Scalar
from hyperv_sim.state import enumerations

WHOLE_NUMBERS = {
    "Byte": (0, 2**8 - 1),
    "Int16": (-(2**15), 2**15 - 1),
    "Int32": (-(2**31), 2**31 - 1),
    "Int64": (-(2**63), 2**63 - 1),
    "UInt16": (0, 2**16 - 1),
    "UInt32": (0, 2**32 - 1),
    "UInt64": (0, 2**64 - 1),
}
TEXTUAL = ("String", "Guid", "Version", *WHOLE_NUMBERS)


def _refused(parameter: ParameterType, given: object) -> errors.TerminatingError:
    """The id is its own for truth values and switches, as ParameterBinderBase.CoerceTypeAsNeeded has it."""
    truth = parameter.type_name in ("Boolean", "SwitchParameter")
    return errors.binding(
        "CannotConvertArgument" if truth else "CannotConvertArgumentNoMessage",
        f"Cannot bind parameter '{parameter.name}'. Cannot convert value \"{to_string(given)}\" of type "
        f'"{type_names(given)[0]}" to type "{parameter.type_name}".',
    )


def _text(_: ParameterType, given: object) -> str | None:
    if isinstance(given, EnumMember):
        return given.name
    return str(given.value) if isinstance(given, Scalar) and given.type_name in TEXTUAL else None


def _whole_number(parameter: ParameterType, given: object) -> int | None:
    if not isinstance(given, Scalar):
        return None
    number = given.value
    if given.type_name == "String" and re.fullmatch(r"\s*[+-]?\d+\s*", str(number), re.ASCII):
        number = int(str(number))
    low, high = WHOLE_NUMBERS[parameter.type_name]
    fits = isinstance(number, int) and not isinstance(number, bool) and low <= number <= high
    return number if fits and isinstance(number, int) else None


def _boolean(_: ParameterType, given: object) -> bool | None:
    """A truth value or a number; text is refused, "True" and all."""
    if isinstance(given, Scalar) and isinstance(given.value, bool | int):
        return bool(given.value)
    return None


def _switch(parameter: ParameterType, given: object) -> bool | None:
    return True if given is None else _boolean(parameter, given)


def _guid(_: ParameterType, given: object) -> UUID | None:
    if isinstance(given, Scalar) and isinstance(given.value, UUID):
        return given.value
    if isinstance(given, Scalar) and given.type_name == "String":
        text = str(given.value).strip()
        pattern = r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
        if re.fullmatch(rf"{pattern}|\{{({pattern})\}}", text):
            return UUID(text)
    return None


def _version(_: ParameterType, given: object) -> str | None:
    text = str(given.value) if isinstance(given, Scalar) and given.type_name in ("String", "Version") else ""
    return text if re.fullmatch(r"\d{1,9}(\.\d{1,9}){1,3}", text, re.ASCII) else None


def _address(_: ParameterType, given: object) -> str | None:
    try:
        return str(ipaddress.ip_address(str(given.value))) if isinstance(given, Scalar) else None
    except ValueError:
        return None


def _time_span(_: ParameterType, given: object) -> timedelta | None:
    if not isinstance(given, Scalar):
        return None
    if isinstance(given.value, timedelta):
        return given.value
    parts = re.fullmatch(r"(?:(\d{1,7})\.)?(\d{1,2}):([0-5]\d):([0-5]\d)", str(given.value), re.ASCII)
    if given.type_name != "String" or not parts or int(parts[2]) > 23:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _anything(_: ParameterType, given: object) -> object:
    return given


CONVERSIONS: dict[str, Callable[[ParameterType, object], object]] = {
    "Boolean": _boolean,
    "Guid": _guid,
    "IPAddress": _address,
    "Object": _anything,
    "PSObject": _anything,
    "String": _text,
    "SwitchParameter": _switch,
    "TimeSpan": _time_span,
    "Version": _version,
    **dict.fromkeys(WHOLE_NUMBERS, _whole_number),
}


def _enumeration(parameter: ParameterType, given: object) -> object:
    """A member of Hyper-V's enumerations, or the contract's own spelling of a member of any other."""
    text = given.name if isinstance(given, EnumMember) else None
    if isinstance(given, Scalar) and given.type_name == "String":
        text = str(given.value)
    listed = next(
        (allowed for allowed in parameter.values if text is not None and allowed.lower() == text.strip().lower()), None
    )
    enumeration = enumerations.BY_NAME.get(parameter.type_name)
    return enumerations.member(enumeration, listed) if enumeration and listed else listed


def fits(parameter: ParameterType, live: object) -> bool:
    """Whether a live value is already of the parameter's type, so that it binds without conversion."""
    if parameter.type_name == "PSObject":
        return True
    return any(name.rsplit(".", 1)[-1] == parameter.type_name for name in type_names(live))


def _element(parameter: ParameterType, given: object) -> object:
    if given is None and not parameter.is_switch:
        raise errors.validation(parameter.name, "The argument is null or empty.")
    if described(given):
        converted = given if fits(parameter, given) or parameter.type_name in ("PSObject", "Object") else None
    elif parameter.type_name in CONVERSIONS:
        converted = CONVERSIONS[parameter.type_name](parameter, given)
    else:
        converted = _enumeration(parameter, given)
    if converted is None:
        raise _refused(parameter, given)
    return converted


def _validated(parameter: ParameterType, value: object) -> None:
    """Refuse what a listed range or list of values leaves out, and empty text if something must be said.

    Whether Windows checks these while binding or later in the cmdlet is not known for each; it refuses either way.
    """
    if parameter.is_mandatory and value == "":
        raise errors.validation(parameter.name, "The argument is null or empty.")
    if parameter.bounds and isinstance(value, int) and not parameter.bounds[0] <= value <= parameter.bounds[1]:
        raise errors.validation(parameter.name, f"The argument {value} is not within {parameter.bounds}.")
    listed = [allowed.lower() for allowed in parameter.values]
    if listed and parameter.type_name in CONVERSIONS and str(value).lower() not in listed:
        raise errors.validation(
            parameter.name,
            f'The argument "{value}" does not belong to the set "{",".join(parameter.values)}" specified by the '
            "ValidateSet attribute.",
        )


def convert(parameter: ParameterType, given: object) -> object:
    """The argument as the parameter's type; an array parameter gives a tuple, and takes a single value for it.

    Raises TerminatingError as parameter binding does.
    """
    if given is None and parameter.type_name == "String" and not (parameter.is_array or parameter.is_mandatory):
        return None  # only what takes no null as a mandatory parameter does refuses it here; see cmdlet(nulls=...)
    if not parameter.is_array:
        if isinstance(given, tuple) and parameter.type_name not in ("PSObject", "Object"):
            raise _refused(parameter, given)
        value = _element(parameter, given)
        _validated(parameter, value)
        return value
    values = tuple(_element(parameter, item) for item in (given if isinstance(given, tuple) else (given,)))
    if parameter.is_mandatory and not values:
        raise errors.validation(parameter.name, "The argument is null or empty.")
    for value in values:
        _validated(parameter, value)
    return values


fact(
    "PowerShell",
    "enumerations by name only; whole numbers from numbers and decimal text; truth values not from text",
    f"stricter than {POWERSHELL}",
)
fact(
    "PowerShell",
    "what a listed range or list of values leaves out is refused while binding (`ParameterArgumentValidationError`)",
    f"{UNKNOWN} whether binding or the cmdlet refuses",
)
