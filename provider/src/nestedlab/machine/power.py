"""Stopping a machine so that its guest can end its work, and starting it again."""

from __future__ import annotations

from nestedlab.lifecycle import Plan
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, Step, cmdlet

# What brings a machine that sleeps back to where it can be shut down; a saved one cannot be changed as it is.
_WAKES = {"Saved": "Start-VM", "Paused": "Resume-VM"}


def start(machine: Cmdlet, state: str) -> Pipeline:
    """What makes a machine run that is in this state."""
    return machine | Cmdlet(_WAKES.get(state, "Start-VM"))


def shut_down(machine: Cmdlet, state: str, seconds: float) -> Plan[None]:
    """Shut the guest down, and turn the machine off where that takes longer than the seconds."""
    if state in _WAKES:
        yield Step("wake the machine, to shut its guest down", (start(machine, state),))
    # -Force does not cut the power: it answers the prompt for a guest that is locked or has unsaved work (Stop-VM).
    asking = (machine | cmdlet("Stop-VM", Force=True)).tolerating(ErrorKind.PROMPTED, ErrorKind.WRONG_STATE)
    try:
        facts = yield Step("shut the guest down", (asking,), timeout=seconds)
    except TimeoutError:
        facts = Facts()
    else:
        if not facts.errors:
            return
    yield Step("turn the machine off", (machine | cmdlet("Stop-VM", TurnOff=True, Force=True),))
