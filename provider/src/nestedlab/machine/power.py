"""The power of a machine: what a change does to it, how its guest is shut down, and how it is started again."""

from __future__ import annotations

from collections.abc import Iterator

from nestedlab.lifecycle import Plan, SideEffect
from nestedlab.machine.changes import MachineChanges
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, Step, cmdlet

# What brings a sleeping machine back to where it can be shut down; a saved one cannot be changed as it is.
_WAKES = {"Saved": "Start-VM", "Paused": "Resume-VM"}


def power_side_effects(changes: MachineChanges) -> Iterator[SideEffect]:
    """A machine that is shut down, woken or reset, and whether `on_power_off` forbids it.

    One that the program wants off is shut down whatever `on_power_off` says.
    """
    state = changes.power_state.lower()
    if changes.resets:
        lost = "everything done on it since then is lost"
        if changes.is_on:
            yield _unless_forbidden(
                f"the {state} machine will be turned off and reset to its baseline: {lost}", changes
            )
        else:
            yield SideEffect(f"the machine will be reset to its baseline: {lost}")
    elif changes.shuts_down:
        text = f"the {state} machine will be {_steps(changes)}"
        if changes.off_for:
            text = f"the {state} machine will be {_steps(changes)} to change {', '.join(changes.off_for)}"
        yield _unless_forbidden(text, changes) if changes.inputs.running else SideEffect(text)


def _steps(changes: MachineChanges) -> str:
    wakes = ["resumed"] if changes.power_state in _WAKES else []
    steps = [*wakes, "shut down", *(["started again"] if changes.inputs.running else [])]
    return " and ".join([text for text in (", ".join(steps[:-1]), steps[-1]) if text])


def _unless_forbidden(text: str, changes: MachineChanges) -> SideEffect:
    if changes.inputs.on_power_off != "fail":
        return SideEffect(text)
    return SideEffect(
        f"{text}, and on_power_off='fail' forbids that. Shut it down when it suits you, or set on_power_off='restart'.",
        forbidden=True,
    )


def start(machine: Cmdlet, state: str) -> Pipeline:
    """What makes a machine run that is in this state."""
    return machine | Cmdlet(_WAKES.get(state, "Start-VM"))


def shut_down(machine: Cmdlet, state: str, seconds: float) -> Plan[None]:
    """Shut the guest down, and turn the machine off if that fails or takes longer than the seconds."""
    if state in _WAKES:
        yield Step("wake the machine, to shut its guest down", (start(machine, state),))
    # -Force does not cut the power: it answers the prompt for a guest that is locked or has unsaved work (Stop-VM).
    # It can fail all the same: "Failed to stop" (MattHodge/PackerTemplates#18; microsoft/lisa#4068 turns off then).
    tolerated = (ErrorKind.PROMPTED, ErrorKind.WRONG_STATE, ErrorKind.FAILED)
    asking = (machine | cmdlet("Stop-VM", Force=True)).tolerating(*tolerated)
    try:
        facts = yield Step("shut the guest down", (asking,), timeout=seconds)
    except TimeoutError:
        facts = Facts()
    else:
        if not facts.errors:
            return
    yield Step("turn the machine off", (machine | cmdlet("Stop-VM", TurnOff=True, Force=True),))
