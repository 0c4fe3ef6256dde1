"""The provider's process ends in the middle of its work: the next `up` completes the same machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from lab import Lab

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

PROGRAM = """
import pulumi_nestedlab as lab

lab.NestedHyperVHost("hv1", processors={processors}, os_disk=lab.Disk(size_gib={size}))
"""
HELD = 120
"""Seconds for which the host holds its answer back, at most: until the process that waits for it has been killed."""


def test_what_is_killed_anywhere_is_completed_by_the_next_up(parent: Parent, lab_on: LabOn) -> None:
    before = parent.snapshot()
    lab = lab_on(parent, PROGRAM.format(processors=4, size=80))
    # Two answers open the session, the third is to the preflight; the fourth is to the read of what exists, the fifth
    # to New-VM.
    for answer in (4, 5):
        kill_at(answer, parent, lab)
    created_id = parent.machine("hv1").id
    # The machine exists, so now the fifth is to reading it; the sixth is to the settings, the seventh to Start-VM.
    for answer in (6, 7):
        kill_at(answer, parent, lab)
    assert lab.up().steps == {"hv1": ["create"]}

    lab.write(PROGRAM.format(processors=2, size=81))
    # After the read the guest is shut down; the next attempt finds it off, applies the settings and starts it.
    for answer in (5, 6):
        kill_at(answer, parent, lab)
    assert lab.up().steps == {"hv1": ["update"]}
    lab.expect_no_changes()
    assert parent.machine("hv1").id == created_id

    # A destroy has no preflight. After the read comes Remove-VM: the machine is gone then, and its disk is not.
    kill_at(4, parent, lab, "destroy", "--target", lab.resources()["hv1"]["urn"])  # of the machine alone: one session
    assert not parent.machines
    lab.destroy()
    assert parent.snapshot() == before


def kill_at(answer: int, parent: Parent, lab: Lab, operation: str = "up", *options: str) -> None:
    """Hold an answer of the host back, and kill the provider's process while it waits for it."""
    held = parent.server.arm(f"stall={HELD} Receive#{answer}")
    with ThreadPoolExecutor(1) as cli:
        running = cli.submit(lab.operate, operation, "--yes", "--skip-preview", *options, fails=True)
        while not held.fired:
            assert not running.done(), running.result().text
            time.sleep(0.01)
        (provider,) = _providers()
        provider.kill()
        failed = running.result()
    parent.server.arm()
    assert "error reading from server" in failed.text or "transport" in failed.text, failed.text


def _providers() -> Iterator[psutil.Process]:
    """The provider's processes among those that this process has started."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # ended in the meantime
            if "pulumi.dynamic" in process.cmdline():
                yield process
