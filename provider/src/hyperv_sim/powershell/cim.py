"""What all cmdlets over CIM objects share: queries with their errors, and properties that a type file puts in words.

The rules of queries are those of QueryJobBase and ClientSideQuery in PowerShell's public sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from hyperv_sim import errors
from hyperv_sim.fidelity import POWERSHELL, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.cim_classes import NAMESPACE
from hyperv_sim.powershell.properties import Property
from hyperv_sim.powershell.targets import WILDCARDS, matcher
from hyperv_sim.records import Scalar, ScalarType

T = TypeVar("T")

FOREVER = timedelta(days=10675199, hours=2, minutes=48, seconds=5, microseconds=477580)
"""The longest TimeSpan of .NET, which stands for a lifetime without end."""

ADDRESS_FAMILY = {"IPv4": 2, "IPv6": 23}


def in_words(
    name: str, raw_type: ScalarType, numbers: Mapping[str, int], get: Callable[[T], str]
) -> tuple[Property[T], Property[T]]:
    """The two properties of one name: the number that CIM holds, and the word that the type file shows for it."""
    return (
        Property(name, raw_type, lambda live: numbers[get(live)]),
        Property(name, "String", get, is_script=True),
    )


def truth(name: str, get: Callable[[T], bool]) -> tuple[Property[T], Property[T]]:
    """The two properties of a truth value: the byte that CIM holds, and the word that the type file shows for it."""
    return (
        Property(name, "Byte", lambda live: int(get(live))),
        Property(name, "String", lambda live: str(get(live)), is_script=True),
    )


def query(call: Call, class_name: str, found: Iterable[T], keys: Mapping[str, Callable[[T], object]]) -> list[T]:
    """The objects that the call's parameters ask for; `keys` says which parameters filter, and by what.

    With one filter, each plain value that matches nothing is an error of its own. With several, no match at all is
    one error. A pattern that matches nothing is none.
    """
    given = {name: call.parameters[name] for name in keys if name in call.parameters}
    left = list(found)
    for name, values in given.items():
        tests = [_test(value) for value in _all(values)]
        left = [instance for instance in left if any(test(keys[name](instance)) for test in tests)]
    if len(given) == 1:
        _report_each(call, class_name, left, *next(iter(given.items())), keys)
    elif given and not left and any(not _is_pattern(value) for values in given.values() for value in _all(values)):
        call.fail(_nothing(class_name))
    return left


def chosen(call: Call, class_name: str, found: Sequence[T], keys: Mapping[str, Callable[[T], object]]) -> list[T]:
    """The objects of -InputObject, or those that the query finds. Objects that are gone by now are errors."""
    if "InputObject" not in call.parameters:
        return query(call, class_name, found, keys)
    given = list(call.parameters["InputObject"])
    for _ in (instance for instance in given if instance not in found):
        call.fail(errors.windows_system_error(1168, "ObjectNotFound", "Element not found."))
    return [instance for instance in given if instance in found]


def _all(values: Any) -> tuple[Any, ...]:
    return values if isinstance(values, tuple) else (values,)


def _is_pattern(value: object) -> bool:
    return isinstance(value, str) and any(mark in value for mark in WILDCARDS)


def _test(value: object) -> Callable[[object], bool]:
    if isinstance(value, str):
        fits = matcher(value)
        return lambda seen: isinstance(seen, str) and fits(seen)
    return lambda seen: seen == value


def _report_each(  # noqa: PLR0913, PLR0917  # one place calls it
    call: Call,
    class_name: str,
    found: Sequence[T],
    name: str,
    values: object,
    keys: Mapping[str, Callable[[T], object]],
) -> None:
    for value in _all(values):
        if not _is_pattern(value) and not any(_test(value)(keys[name](instance)) for instance in found):
            target = Scalar("String" if isinstance(value, str) else "UInt32", value)
            call.fail(errors.cim_not_found(class_name, name, target, str(value)))


def _nothing(class_name: str) -> errors.CmdletError:
    message = (
        f"No matching {class_name} objects found by CIM query for instances of the {NAMESPACE}/{class_name} class on "
        "the CIM server. Verify query parameters and retry."
    )
    return errors.CmdletError(
        "CmdletizationQuery_NotFound", "ObjectNotFound", message, exception_types=errors.CIM_JOB_EXCEPTION
    )


fact(
    "CIM cmdlets",
    "one filter: an error for each plain value without a match; several: one `CmdletizationQuery_NotFound`",
    f"{POWERSHELL} (ClientSideQuery)",
)
