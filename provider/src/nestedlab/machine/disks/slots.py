"""The slots of a machine's disks: which disk is at which location, and what the disks may come to take."""

from __future__ import annotations

from nestedlab.machine.disks.table import OS_LOCATION, Disk, both_made
from nestedlab.machine.table import NestedHyperVHost


def by_location(machine: NestedHyperVHost) -> dict[int, Disk]:
    """The disks of a machine, as a program asks for them or as they were observed, by location."""
    # Both have no value in a preview whose inputs are not known yet.
    disks: dict[int, Disk] = {disk.location: disk for disk in machine.data_disks or () if disk.location is not None}
    if machine.os_disk is not None and not machine.os_disk.is_empty:
        return {OS_LOCATION: machine.os_disk, **disks}
    return disks


def growth(inputs: NestedHyperVHost, before: NestedHyperVHost | None) -> int:
    """GiB that the disks made for a machine may come to take beyond what they may now; what has no size counts 0."""
    there = by_location(before) if before is not None else {}
    return sum(
        max((disk.size_gib or 0) - _size_now(there.get(location), disk), 0)
        for location, disk in by_location(inputs).items()
        if not disk.is_given
    )


def fixed_size(machine: NestedHyperVHost, *, kept: bool = True) -> int:
    """GiB that a machine's own disks of a fixed size take, with or without those that are kept when it goes."""
    fixed = [disk for disk in by_location(machine).values() if disk.fixed and (kept or not disk.keep)]
    return sum(disk.size_gib or 0 for disk in fixed)


def _size_now(there: Disk | None, wanted: Disk) -> int:
    return (there.size_gib or 0) if there is not None and both_made(there, wanted) else 0
