"""PowerShell's conversion of a value to the .NET type of a parameter, no wider than Windows.

[LanguagePrimitives in PowerShell's public sources; every kind of value was tried on a PowerShell 7.6]
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache, reduce
from operator import or_
from uuid import UUID

from hyperv_sim.contract import ParameterType
from hyperv_sim.contract.common_parameters import ACTION
from hyperv_sim.fidelity import POWERSHELL, TRIED, fact
from hyperv_sim.powershell.numbers import whole_number
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
UNTYPED = ("Object", "PSObject")
_AUTOMATION = (ACTION, "PSCredential", "PSObject", "SwitchParameter")
"""The types that are PowerShell's own."""

_LONGEST_EXACT = 1e15
"""Below it .NET writes a floating point number without an exponent."""


class NoConversionError(Exception):
    """The value cannot be converted to the type."""


def type_name(parameter: ParameterType) -> str:
    """The full name of the .NET type of a parameter, or of its elements."""
    short = parameter.type_name
    if short in _AUTOMATION:
        return f"System.Management.Automation.{short}"
    if parameter.members is None:
        return f"System.{short}"
    known = enumerations.BY_NAME.get(short)
    return next(iter(known)).type_name if known else f"{enumerations.HYPER_V}.{short}"


def text(given: object) -> str:
    """What a value is as text: any value is."""
    if isinstance(given, tuple):
        return " ".join(text(item) for item in given)
    if isinstance(given, Scalar) and isinstance(given.value, float):
        return (
            f"{given.value:.0f}" if given.value.is_integer() and abs(given.value) < _LONGEST_EXACT else str(given.value)
        )
    return to_string(given)


def _text(_: ParameterType, given: object) -> str:
    return text(given)


def _whole_number(parameter: ParameterType, given: object) -> int | None:
    number = given.number if isinstance(given, EnumMember) else given.value if isinstance(given, Scalar) else None
    if isinstance(given, Scalar) and given.type_name == "String":
        number = whole_number(str(number))
    if isinstance(number, float):
        number = round(number) if math.isfinite(number) else None
    low, high = WHOLE_NUMBERS[parameter.type_name]
    return int(number) if isinstance(number, int) and low <= number <= high else None


def _boolean(_: ParameterType, given: object) -> bool | None:
    """A truth value or a number stands for one. Text never does, not even "True"."""
    if isinstance(given, Scalar) and isinstance(given.value, bool | int | float):
        return bool(given.value)
    return None


def _guid(_: ParameterType, given: object) -> UUID | None:
    if isinstance(given, Scalar) and isinstance(given.value, UUID):
        return given.value
    if isinstance(given, Scalar) and given.type_name == "String":
        plain = str(given.value).strip()
        pattern = r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
        if re.fullmatch(rf"{pattern}|\{{({pattern})\}}", plain):
            return UUID(plain)
    return None


def _version(_: ParameterType, given: object) -> str | None:
    plain = str(given.value) if isinstance(given, Scalar) and given.type_name in ("String", "Version") else ""
    return plain if re.fullmatch(r"\d{1,9}(\.\d{1,9}){1,3}", plain, re.ASCII) else None


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


def _session(_: ParameterType, given: object) -> str | None:
    """A session is made of a computer's name."""
    return str(given.value) if isinstance(given, Scalar) and given.type_name == "String" else None


def _anything(_: ParameterType, given: object) -> object:
    return given


CONVERSIONS: dict[str, Callable[[ParameterType, object], object]] = {
    "Boolean": _boolean,
    "CimSession": _session,
    "Guid": _guid,
    "IPAddress": _address,
    "Object": _anything,
    "PSObject": _anything,
    "String": _text,
    "SwitchParameter": _boolean,
    "TimeSpan": _time_span,
    "Version": _version,
    **dict.fromkeys(WHOLE_NUMBERS, _whole_number),
}


def _enumeration(parameter: ParameterType, given: object) -> object:
    """A member of Hyper-V's enumerations, or the contract's own spelling of a member of any other."""
    members = parameter.members or dict.fromkeys(parameter.values)
    name: str | None = None
    if isinstance(given, EnumMember):
        name = given.name if given.name in members else None
    elif isinstance(given, Scalar) and type(given.value) is int:
        name = _numbered(members, given.value)
    elif isinstance(given, tuple):
        name = _named(members, ",".join(text(item) for item in given))
    elif isinstance(given, Scalar) and given.type_name == "String":
        name = _named(members, text(given))
    if name is None or parameter.members is None:
        return name
    known = enumerations.BY_NAME.get(parameter.type_name)
    member = enumerations.member(known, name) if known else None
    return member or EnumMember(type_name(parameter), name, parameter.members[name])


def _numbered(members: Mapping[str, int | None], wanted: int) -> str | None:
    return next((name for name, number in members.items() if number == wanted), None)


def _named(members: Mapping[str, int | None], wanted: str) -> str | None:
    """The member of this name or number, or the only one that begins so; of several names the one that they make up.

    [Enum.Parse, and PowerShell's EnumMinimumDisambiguation]
    """
    plain = wanted.strip().lower()
    if re.fullmatch(r"[+-]?\d{1,9}", plain, re.ASCII):
        return _numbered(members, int(plain))
    own = {name.lower(): name for name in members}
    parts = [own.get(part.strip()) for part in plain.split(",")]
    if len(parts) > 1 and all(parts):
        numbers = [members[part] or 0 for part in parts if part]
        return _numbered(members, reduce(or_, numbers))
    if parts[0] or not plain:
        return parts[0]
    beginning = [name for key, name in own.items() if key.startswith(plain)]
    return beginning[0] if len(beginning) == 1 else None


def fits(parameter: ParameterType, live: object) -> bool:
    """Whether a live value is already of the type of the parameter, or of its elements, so that it is not converted."""
    if parameter.type_name in UNTYPED:
        return True
    return _is_among(parameter.type_name, type_names(live))


@cache
def _is_among(short: str, names: tuple[str, ...]) -> bool:
    return any(name.rsplit(".", 1)[-1] == short for name in names)


def to_type(parameter: ParameterType, given: object) -> object:
    """A value that is not null as the type of the parameter, or of its elements. Raises NoConversionError."""
    converted: object = None
    if parameter.type_name in CONVERSIONS:
        converted = CONVERSIONS[parameter.type_name](parameter, given)
    elif described(given):
        converted = given if fits(parameter, given) else None
    elif parameter.members is not None or parameter.values:
        converted = _enumeration(parameter, given)
    if converted is None:
        raise NoConversionError
    return converted


def null_of(parameter: ParameterType) -> object:
    """What null becomes for a parameter of a function, which converts it first. Raises NoConversionError."""
    if parameter.is_array:
        return None
    if parameter.type_name == "String":
        return ""
    if parameter.type_name in WHOLE_NUMBERS:
        return 0
    if parameter.is_switch:
        return False
    if parameter.is_value_type or parameter.values:
        raise NoConversionError
    return None


fact(
    "PowerShell",
    "values become a parameter's type as in PowerShell: `'4GB'` is a number, a truth value a number and a text, an "
    "enumeration's member goes by a beginning that is clear or by its number, any object is text",
    TRIED,
)
fact(
    "PowerShell",
    "enumerations of CIM cmdlets go by name only; a TimeSpan by text as `1.02:03:04` only",
    f"stricter than {POWERSHELL}: the numbers are not in the reference",
)
