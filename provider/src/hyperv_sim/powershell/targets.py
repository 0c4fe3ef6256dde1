"""Which machines a cmdlet is about: by name, or as live objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hyperv_sim import errors
from hyperv_sim.fidelity import REFERENCE, fact
from hyperv_sim.powershell.call import Call
from hyperv_sim.records import Scalar
from hyperv_sim.state.machines import Machine
from hyperv_sim.state.switches import Switch
from hyperv_sim.state.world import Host

WILDCARDS = "*?["


def matcher(text: str) -> Callable[[str], bool]:
    """Whether a name is this text, in any case; `*`, `?` and `[ab]` are PowerShell's wildcards."""
    pieces = {"*": ".*", "?": "."}
    pattern = "".join(pieces.get(part, part if part.startswith("[") else re.escape(part)) for part in _parts(text))
    try:
        compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    except re.error:  # a range that runs backwards, as in [z-a]
        raise errors.not_simulated(f"the wildcard pattern {text}") from None
    return lambda name: compiled.fullmatch(name) is not None


def _parts(text: str) -> list[str]:
    return re.findall(r"\[[\w -]+\]|.", text, re.DOTALL)


def named(host: Host, name: str, *, wildcards: bool = False, missing: str = "InvalidParameter") -> list[Machine]:
    """The machines of this name: there may be several. Wildcards are refused unless the cmdlet documents them.

    Raises CmdletError, with the ErrorIdentifier `missing`, if a plain name names nothing; a pattern that matches
    nothing is no error.
    """
    is_pattern = any(mark in name for mark in WILDCARDS)
    if is_pattern and not wildcards:
        raise errors.not_simulated("wildcards in a name where the reference does not document them")
    fits = matcher(name)
    found = [machine for machine in host.machines.values() if fits(machine.name)]
    if not found and not is_pattern:
        message = f'Hyper-V was unable to find a virtual machine with name "{name}".'
        raise errors.hyper_v(missing, message, target=Scalar("String", name))
    return found


def machines(call: Call) -> Iterator[Machine]:
    """The machines of -VM, -VMName or -Name. A name that names nothing is an error, and the others follow.

    Get-VM says InvalidParameter [logs], Remove-VM ObjectNotFound [multipass#2867]. For the others it is inferred:
    those that read are like the first, those that act like the second.
    """
    if "VM" in call.parameters:
        for machine in _all(call.parameters["VM"]):
            yield from present(call, machine)
        return
    reads = call.cmdlet.name.startswith("Get-")
    for name in _all(call.parameters["VMName" if "VMName" in call.parameters else "Name"]):
        with call.going_on():
            yield from named(call.host, name, missing="InvalidParameter" if reads else "ObjectNotFound")


def machines_with(call: Call, part: str) -> Iterator[Machine]:
    """The machines of the parts that are given as live objects, as with -VMProcessor; else those of `machines`."""
    given = call.get(part)
    if not given:
        yield from machines(call)
        return
    for component in given:
        yield from present(call, component.machine)


def _all(given: Any) -> tuple[Any, ...]:
    return given if isinstance(given, tuple) else (given,)


def present(call: Call, machine: Machine) -> Iterable[Machine]:
    """The machine, unless it was removed since it was read."""
    if machine.id in call.host.machines:
        return (machine,)
    call.fail(errors.hyper_v("ObjectNotFound", f"The virtual machine '{machine.name}' does not exist any more."))
    return ()


def each(call: Call, found: Iterable[Machine], act: Callable[[Machine], Iterable[object] | None]) -> Iterator[object]:
    """Act on each machine; an error of one is written, and the next has its turn."""
    for machine in list(found):
        with call.going_on():
            yield from act(machine) or ()


def switch_named(host: Host, name: str, *, missing: str = "InvalidParameter") -> Switch:
    """The one switch of this name. Raises CmdletError if there is none, or more than one. [Lability#326]"""
    found = [switch for switch in host.switches.values() if switch.name.lower() == name.lower()]
    if not found:
        message = f'Hyper-V was unable to find a virtual switch with name "{name}".'
        raise errors.hyper_v(missing, message, target=Scalar("String", name))
    if len(found) > 1:
        raise errors.hyper_v("Unspecified", "Sequence contains more than one element")
    return found[0]


fact(
    "PowerShell",
    "a name of no machine: `InvalidParameter` to cmdlets that read, `ObjectNotFound` to those that act",
    "public logs for Get-VM; canonical/multipass#2867 for Remove-VM; the rest inferred",
)
fact("PowerShell", "wildcards in a machine's name are for Get-VM only", REFERENCE)
