"""Select-Object and Out-Null."""

from __future__ import annotations

from collections.abc import Iterator

from hyperv_sim import errors
from hyperv_sim.fidelity import POWERSHELL, REFERENCE, fact
from hyperv_sim.powershell import properties
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.registry import cmdlet
from hyperv_sim.records import Scalar

ARGUMENT_EXCEPTION = (
    "System.Management.Automation.PSArgumentException",
    "System.ArgumentException",
    *errors.SYSTEM_EXCEPTION,
)
SELECTED_BASES = ("System.Management.Automation.PSCustomObject", "System.Object")


@cmdlet("Select-Object", takes=("Property", "InputObject", "First", "Skip", "ExpandProperty"))
def select_object(call: Call) -> Iterator[object]:
    """Select-Object -Property (plain names), -First, -Skip, -ExpandProperty. [PowerShell documentation]"""
    live = call.get("InputObject")
    skip, first = call.get("Skip", 0), call.get("First")
    if min(skip, first or 0) < 0:
        raise errors.validation("First", "The argument is less than the minimum allowed range of 0.")
    if live is None or call.seen < skip:
        return
    if first is not None:
        call.enough = call.seen + 1 >= skip + first
        if first == 0:
            return
    if "ExpandProperty" in call.parameters:
        yield from _expanded(call, live)
    elif "Property" in call.parameters:
        yield _selected(call, live)
    else:
        yield live


def _selected(call: Call, live: object) -> properties.Selected:
    """A missing property becomes a null one, and one that is named twice an error besides, as Select-Object has it."""
    values: dict[str, object] = {}
    for given in call.parameters["Property"]:
        name = _plain_name(given)
        spelling, value = properties.get(live, name, call.host.windows) or (name, None)
        if any(spelling.lower() == known.lower() for known in values):
            call.fail(_there_already(spelling, live))
        else:
            values[spelling] = value
    kind = SELECTED_BASES[0] if isinstance(live, properties.Selected) else properties.type_names(live)[0]
    return properties.Selected((f"Selected.{kind}", *SELECTED_BASES), values)


def _there_already(name: str, live: object) -> errors.CmdletError:
    message = f'The property cannot be processed because the property "{name}" already exists.'
    return errors.CmdletError(
        "AlreadyExistingUserSpecifiedPropertyNoExpand",
        "InvalidOperation",
        message,
        exception_types=ARGUMENT_EXCEPTION,
        target=live,
    )


def _plain_name(given: object) -> str:
    if not isinstance(given, Scalar) or given.type_name != "String":
        raise errors.not_simulated("Select-Object -Property with anything but names")
    if any(mark in str(given.value) for mark in "*?["):
        raise errors.not_simulated("Select-Object -Property with wildcards")
    return str(given.value)


def _expanded(call: Call, live: object) -> Iterator[object]:
    if "Property" in call.parameters:
        raise errors.not_simulated("Select-Object -Property with -ExpandProperty")
    name = call.parameters["ExpandProperty"]
    found = properties.get(live, name, call.host.windows)
    if found is None:
        raise errors.CmdletError(
            "ExpandPropertyNotFound",
            "InvalidArgument",
            f'Property "{name}" cannot be found.',
            exception_types=ARGUMENT_EXCEPTION,
            target=live,
            details={"ParamName": "ExpandProperty"},
        )
    yield from found[1] if isinstance(found[1], tuple) else (found[1],)


@cmdlet("Out-Null", takes=("InputObject",))
def out_null(_call: Call) -> Iterator[object]:
    """Out-Null takes all and gives nothing."""
    yield from ()


fact(
    "Select-Object",
    "names without wildcards; enumerations and objects stay objects with one level of properties",
    POWERSHELL,
)
fact("Select-Object", "a property that is named twice is an error, and the object comes all the same", POWERSHELL)
fact("Select-Object", "of a hashtable its keys are selected; whole, it goes out as it came in", POWERSHELL)
fact("Out-Null", "takes all and gives nothing", REFERENCE)
