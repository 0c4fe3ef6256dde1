"""Waiting and retrying, bounded: each wait of the provider is a row here, with what it waits for and why.

What waits is a plan, so that nothing here sleeps: a delay is part of the step that follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from nestedlab.errors import kind_of
from nestedlab.lifecycle import Plan
from nestedlab.pipeline import ErrorKind, Facts, Step


@dataclass(frozen=True)
class Attempt:
    """One of several attempts: the seconds to wait before it, and which errors lead to the next one."""

    delay: float
    retried: tuple[ErrorKind, ...]
    """None of the last attempt: its errors are the plan's."""


@dataclass(frozen=True)
class Retry:
    """How often something is tried: seconds before each attempt, and the errors after which it is tried again."""

    delays: tuple[float, ...]
    after: tuple[ErrorKind, ...] = ()

    def attempts(self) -> Iterator[Attempt]:
        """The attempts, first to last."""
        for delay in self.delays[:-1]:
            yield Attempt(delay, self.after)
        yield Attempt(self.delays[-1], ())


MERGING_DISKS = Retry((0, 1, 2, 4, 8, 16), (ErrorKind.BUSY,))
"""Removing the disks of a removed machine: its checkpoints merge first, and hold the files until that is done."""

MERGING_STAYING_DISKS = Retry((0, 1, 2, 4, 8, 16, 32))
"""Reading until a removed machine's checkpoints are merged into the disks that stay: given to it, or to be kept.

Until then what was written last is not in them, and another machine cannot have them.
"""

BUSY_NAT = Retry((0, 0.25, 0.5, 1, 2), (ErrorKind.BUSY,))
"""Writing to WinNAT, which refuses while another program writes: it keeps all NAT networks of a host in one file."""

NOT_READY = (ErrorKind.INVALID, ErrorKind.ABSENT)
"""What Windows answers to New-NetIPAddress while it still sets up a new adapter, tried again together with the NAT.

Error 87, whose text is of PolicyStore and Dhcp (docker/for-win#2, #432), or 1168, Element not found
(Siemens-Healthineers/K2s#1131).
"""

HELD_IMAGE = Retry((0, 0.5, 1, 2, 4, 8), (ErrorKind.BUSY,))
"""Making a disk on an image, which New-VHD fails at times to open while others make theirs (microsoft/openvmm#1600)."""

STOPPED = Retry((0, 0.5, 1, 2, 4), (ErrorKind.WRONG_STATE,))
"""Removing a machine that was just turned off, which Hyper-V may take for one that runs for a moment
(taliesins/terraform-provider-hyperv#275)."""

HOST_ADAPTER = Retry((0.25, 0.5, 1, 2, 4, 8))
"""Reading until the host's adapter to a new switch is there: it can appear some time after New-VMSwitch returns."""

USABLE_ADDRESS = Retry((0.25, 0.5, 1, 2, 4, 8))
"""Reading until a new address is usable: Windows looks for another machine that has it for some seconds (RFC 4862)."""

YIELDING = Retry((0.25, 0.5, 1, 2, 4))
"""Reading until another process has removed the switch of the same name that it has made at the same time."""

LOST_READ = 2
"""How often a step is run that only reads, if its answer was lost: the second time on a new session."""

LOST_ANSWER = 3
"""How often an operation is begun whose answers are lost: every plan begins with reading what is there."""


def poll(read: Step, ready: Callable[[Facts], bool], retry: Retry) -> Plan[Facts]:
    """Read until the facts are as they should be; the last facts if they never were."""
    facts = Facts()
    for attempt in retry.attempts():
        facts = yield replace(read, delay=attempt.delay)
        if ready(facts):
            break
    return facts


def insist(step: Callable[[Attempt], Step | None], retry: Retry, cmdlet: str = "") -> Plan[Facts]:
    """Run the step until it runs without an error that is retried, or until there is none left to run.

    If a `cmdlet` is named, its errors alone count.
    """
    facts = Facts()
    for attempt in retry.attempts():
        next_step = step(attempt)
        if next_step is None:
            break
        facts = yield next_step
        failed = [kind_of(error) for error in facts.errors if cmdlet in ("", error.cmdlet)]
        if not any(kind in attempt.retried for kind in failed):
            break
    return facts
