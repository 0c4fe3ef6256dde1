"""One argument for one parameter: conversion and validation, in the order in which a compiled cmdlet and a function do.

[ParameterBinderBase and ArgumentTypeConverterAttribute in PowerShell's public sources]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from hyperv_sim import errors
from hyperv_sim.contract import ParameterType
from hyperv_sim.fidelity import REFERENCE, REFLECTION, TRIED, UNKNOWN, fact
from hyperv_sim.powershell import conversion
from hyperv_sim.powershell.conversion import NoConversionError, text
from hyperv_sim.powershell.properties import type_names
from hyperv_sim.records import EnumMember, Scalar
from hyperv_sim.state.enumerations import NetEnum

_NOT_SUPPORTED = "Specified method is not supported."


class NotTakenError(Exception):
    """The parameter does not take the value without conversion."""


def as_it_is(parameter: ParameterType, given: object) -> object:
    """The argument without conversion, validated. Raises NotTakenError, or TerminatingError if validation refuses."""
    if given is None:
        is_text = parameter.type_name == "String" and not parameter.is_array
        if is_text or parameter.is_value_type or parameter.is_nullable:
            raise NotTakenError
        return validated(parameter, None)
    items = given if isinstance(given, tuple) and parameter.is_array else (given,)
    if not all(conversion.fits(parameter, item) for item in items):
        raise NotTakenError
    return converted(parameter, given)


def converted(parameter: ParameterType, given: object, *, by_function: bool = False) -> object:
    """The argument as the parameter's type, validated; an array parameter gives a tuple, and takes a single value.

    `by_function`: it is a function's parameter, which is converted by a rule of its own first.
    """
    value = _by_function(parameter, given) if by_function else _compiled(parameter, given)
    return validated(parameter, value)


def _takes_lists(parameter: ParameterType) -> bool:
    """Whether a list may be the one value: it may be any object, or several members of an enumeration."""
    return parameter.type_name in conversion.UNTYPED or (parameter.members is not None and not parameter.is_nullable)


def _by_function(parameter: ParameterType, given: object) -> object:
    try:
        return _transformed(parameter, given)
    except NoConversionError:
        raise errors.transformation(parameter.name, _cannot(parameter, given)) from None


def _transformed(parameter: ParameterType, given: object) -> object:
    """A list for a text is joined: that is forbidden for a .NET array only, which a list from the wire no longer is."""
    if given is None:
        return conversion.null_of(parameter)
    if parameter.is_array:
        items = given if isinstance(given, tuple) else (given,)
        return tuple(conversion.to_type(parameter, item) for item in items)
    if isinstance(given, tuple) and not (parameter.type_name == "String" or _takes_lists(parameter)):
        raise NoConversionError
    if parameter.is_switch and not (isinstance(given, Scalar) and given.type_name == "Boolean"):
        raise NoConversionError  # it takes no number, though a truth value does
    return conversion.to_type(parameter, given)


def _compiled(parameter: ParameterType, given: object) -> object:
    if given is None:
        return _null(parameter)
    if parameter.is_array:
        values = given if isinstance(given, tuple) else (given,)
        return tuple(_no_element(parameter) if item is None else _element(parameter, item) for item in values)
    if isinstance(given, tuple) and not _takes_lists(parameter):
        raise errors.binding(
            "CannotConvertArgument",
            f"Cannot convert '{text(given)}' to the type '{conversion.type_name(parameter)}' required by parameter "
            f"'{parameter.name}'. {_NOT_SUPPORTED}",
            parameter=parameter.name,
            cause=_NOT_SUPPORTED,
        )
    return _element(parameter, given)


def _null(parameter: ParameterType) -> object:
    if parameter.is_array:
        return None
    if parameter.is_switch:
        return True
    if parameter.type_name == "Boolean" and not parameter.is_nullable:
        raise errors.binding(
            "ParameterArgumentValidationErrorNullNotAllowed",
            f"Cannot bind argument to parameter '{parameter.name}' because it is null.",
            parameter=parameter.name,
        )
    return None


def _no_element(parameter: ParameterType) -> object:
    """What a null in a list becomes: a list of structures has their zero instead."""
    if parameter.type_name == "Guid":
        return UUID(int=0)
    return 0 if parameter.type_name in conversion.WHOLE_NUMBERS else None


def _element(parameter: ParameterType, given: object) -> object:
    try:
        return conversion.to_type(parameter, given)
    except NoConversionError:
        is_truth = parameter.is_switch or parameter.type_name == "Boolean"
        identifier = "CannotConvertArgument" if is_truth else "CannotConvertArgumentNoMessage"
        cause = _cannot(parameter, given)
        message = f"Cannot bind parameter '{parameter.name}'. {cause}"
        raise errors.binding(identifier, message, parameter=parameter.name, cause=cause) from None


def _cannot(parameter: ParameterType, given: object) -> str:
    return (
        f'Cannot convert value "{text(given)}" of type "{type_names(given)[0]}" to type '
        f'"{conversion.type_name(parameter)}".'
    )


def validated(parameter: ParameterType, value: object) -> object:
    """The value, unless one of the parameter's checks refuses it; what PowerShell checks of its own accord is last."""
    elements = value if isinstance(value, tuple) and parameter.is_array else (value,)
    _check_null(parameter, elements)
    for element in elements:
        _check_listed(parameter, element)
    if parameter.is_mandatory:
        _check_mandatory(parameter, elements)
    if value is None and parameter.is_value_type:
        raise errors.binding(
            "ParameterBindingFailed",
            f"Cannot bind parameter '{parameter.name}' to null.",
            category="WriteError",
            parameter=parameter.name,
        )
    return value


def _check_null(parameter: ParameterType, elements: Sequence[object]) -> None:
    """ValidateNotNull and ValidateNotNullOrEmpty."""
    is_null = parameter.no_null and None in elements
    is_empty = parameter.no_empty and (not elements or "" in elements)
    if is_null or is_empty:
        raise errors.validation(parameter.name, "The argument is null or empty.")


def _check_listed(parameter: ParameterType, value: object) -> None:
    """ValidateRange and ValidateSet, and what a role adds."""
    if parameter.bounds and isinstance(value, int) and not parameter.bounds[0] <= value <= parameter.bounds[1]:
        raise errors.validation(parameter.name, f"The argument {value} is not within {parameter.bounds}.")
    is_set = parameter.values and (parameter.members is not None or parameter.type_name in conversion.CONVERSIONS)
    if is_set and _shown(value).lower() not in (allowed.lower() for allowed in parameter.values):
        raise errors.validation(
            parameter.name,
            f'The argument "{_shown(value)}" does not belong to the set "{",".join(parameter.values)}" specified by '
            "the ValidateSet attribute.",
        )

    if parameter.only or parameter.pattern:
        _check_role(parameter, _shown(value))


def _check_role(parameter: ParameterType, shown: str) -> None:
    """PowerShell anchors a role's pattern: it describes the whole value. [InitialSessionState]"""
    if parameter.only and shown.lower() not in (allowed.lower() for allowed in parameter.only):
        raise errors.validation(
            parameter.name, f'The argument "{shown}" does not belong to the set "{",".join(parameter.only)}".'
        )
    pattern = f"^({parameter.pattern})$"
    if parameter.pattern and not re.search(pattern, shown, re.IGNORECASE):
        raise errors.validation(parameter.name, f'The argument "{shown}" does not match the "{pattern}" pattern.')


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, EnumMember):
        return value.name
    return value.text if isinstance(value, NetEnum) else str(value)


def _check_mandatory(parameter: ParameterType, elements: Sequence[object]) -> None:
    """Refuse null, empty text and an empty list for a mandatory parameter."""
    if None in elements:
        raise errors.not_allowed(parameter.name, "NullNotAllowed", "it is null")
    if "" in elements:
        raise errors.not_allowed(parameter.name, "EmptyStringNotAllowed", "it is an empty string")
    if not elements:
        raise errors.not_allowed(parameter.name, "EmptyArrayNotAllowed", "it is an empty array")


fact(
    "PowerShell",
    "checks of a parameter (null, empty, value sets, ranges) come after conversion and refuse while binding "
    "(`ParameterArgumentValidationError`)",
    f"{REFLECTION}; {TRIED}",
)
fact(
    "PowerShell",
    "ranges and listed values of other modules' parameters are checked while binding",
    f"{REFERENCE}; whether binding or the cmdlet refuses is {UNKNOWN}",
)
