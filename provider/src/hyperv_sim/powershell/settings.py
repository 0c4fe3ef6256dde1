"""What a Set cmdlet can change: one row per parameter, checked as a whole before anything changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hyperv_sim import errors
from hyperv_sim.fidelity import REFLECTION, UNKNOWN, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.state.enumerations import VMState
from hyperv_sim.state.machines import Machine


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter and the attribute that it sets.

    `off_only`: only while the machine is off. `check` says in words what is wrong with a value, or nothing. `value`
    maps the argument to the attribute's value if they differ.
    """

    parameter: str
    attribute: str
    off_only: bool = False
    check: Callable[[Call, Any], str | None] | None = None
    value: Callable[[Any], Any] = lambda given: given


def within(low: int, high: int) -> Callable[[Call, Any], str | None]:
    """A check of the range that the reference tells: the module's parameters have none, so that binding takes all."""

    def check(_: Call, given: Any) -> str | None:
        return None if low <= given <= high else f"The value {given} is not between {low} and {high}."

    return check


def names(table: Sequence[Setting]) -> tuple[str, ...]:
    """The parameters of a table, for a cmdlet's `takes`."""
    return tuple(row.parameter for row in table)


def change(call: Call, machine: Machine | None, parts: Sequence[tuple[object, Sequence[Setting]]], failed: str) -> None:
    """Set what the call gives, on each part by its own table; `machine` is None for a part of the host.

    `failed` begins the message if Hyper-V refuses, as "Failed to modify device 'Memory'." Raises CmdletError, with
    nothing changed. A test's hook may make the host forget a setting in silence.
    """
    given = [(part, row) for part, table in parts for row in table if row.parameter in call.parameters]
    if not given:
        raise errors.not_simulated(f"{call.cmdlet.name} with nothing to set")
    if machine and any(row.off_only for _, row in given) and machine.state is not VMState.Off:
        raise wrong_state(failed)
    for _, row in given:
        wrong = row.check(call, call.parameters[row.parameter]) if row.check else None
        if wrong:
            raise errors.hyper_v("InvalidParameter", f"{failed} {wrong}")
    for part, row in given:
        if not call.host.hooks.forgets(call.cmdlet.name, row.parameter):
            setattr(part, row.attribute, row.value(call.parameters[row.parameter]))


def wrong_state(failed: str) -> errors.CmdletError:
    """A change that the machine's state does not allow. [packer#8633, multipass#4204]"""
    return errors.hyper_v(
        "InvalidState", f"{failed} The operation cannot be performed while the object is in its current state."
    )


fact(
    "PowerShell",
    "a value outside the range that the reference tells is refused by the cmdlet (`InvalidParameter`), not by binding",
    f"{REFLECTION}: the parameters have no ranges; the error: {UNKNOWN}",
)
