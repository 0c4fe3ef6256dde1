"""What a change of a machine does to its disks: decided once, from what is in each slot and what is asked for there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nestedlab.lifecycle import SideEffect
from nestedlab.machine.disks.slots import by_location
from nestedlab.machine.disks.table import OS_LOCATION, Disk, both_made, is_another, same_disk, shrinks
from nestedlab.machine.table import NestedHyperVHost, ObservedMachine
from nestedlab.names import same_path


def called(location: int) -> str:
    """What a message calls the disk at a location: the property that asks for it."""
    return "os_disk" if location == OS_LOCATION else f"data_disks[{location}]"


def _in_words(location: int) -> str:
    return "the OS disk" if location == OS_LOCATION else f"the data disk at location {location}"


ANOTHER = (
    "the disk there is another one, and would be lost. Give the new disk another location, or remove this one first."
)
"""Why a data disk cannot be replaced in its place, and what to do."""

HELD = (
    "a checkpoint uses this disk, so it cannot be removed or resized. Remove `baseline` from the program first, or "
    "delete the checkpoint on the host."
)
"""Why a disk cannot change while a checkpoint holds it, and what to do."""


@dataclass(frozen=True)
class DiskChange:
    """What becomes of the slot at a location. `there` is the disk in it, and `wanted` the one asked for, if any.

    `held` says that a checkpoint holds the disk that is there. `from_scratch` says that a disk is made without what a
    file of its name may hold: it was not in the baseline that the machine has just gone back to.
    """

    location: int
    there: Disk | None
    wanted: Disk | None
    held: bool = False
    from_scratch: bool = False

    @property
    def is_made_anew(self) -> bool:
        """Whether the disk is made anew, empty: a blank data disk that cannot be read, for its file may be gone.

        A file that is still there is not made over, and the machine then does not take it.
        """
        if self.there is None or self.wanted is None or self.held or self.location == OS_LOCATION:
            return False
        is_blank = self.there.parent is None and self.wanted.parent is None
        return self.there.is_unreadable and both_made(self.there, self.wanted) and is_blank

    @property
    def stays(self) -> bool:
        """Whether the file in the slot stays in it."""
        return both_made(self.there, self.wanted) and not self.is_made_anew

    @property
    def is_stuck(self) -> bool:
        """Whether the disk that is there is to stay and cannot be read, so that nothing can be done with it."""
        if self.there is None or self.wanted is None or not self.there.is_unreadable:
            return False
        is_same = self.there.path is not None and self.wanted.path is not None
        return self.stays or (is_same and same_path(str(self.there.path), str(self.wanted.path)))

    @property
    def unreadable(self) -> str:
        """What to know of a disk that is there and cannot be read, and what to do; "" for any other."""
        if self.there is None or not self.there.is_unreadable:
            return ""
        return f"{_in_words(self.location)} cannot be read: {self.there.unreadable}. {self._remedy(self.there)}"

    def _remedy(self, there: Disk) -> str:
        if self.is_made_anew:
            return (
                "Its file may have been removed or damaged. Put it back, or, if it is gone, run `pulumi up`: the disk "
                "is created again, empty."
            )
        broken = (
            "The image may have been removed, resized or written to. Put the image back as it was, or"
            if there.parent is not None
            else "Its file may have been removed or damaged. Put the file back, or"
        )
        if self.location == OS_LOCATION:
            return (
                f"{broken} replace the machine (`pulumi up --replace` with its URN): what is on its disks is then lost."
            )
        lost = "" if there.is_given or there.keep else ": its file is then deleted"
        return f"{broken} remove it from the program{lost}."

    @property
    def grows_to(self) -> int | None:
        """The new size in GiB of a disk that stays and grows."""
        return self.wanted.size_gib if self.stays and self.wanted is not None else None

    @property
    def detaches(self) -> bool:
        """Whether the disk that is there is taken out of the slot."""
        return self.there is not None and not self.stays

    @property
    def attaches(self) -> Disk | None:
        """The disk that is put into the slot."""
        return None if self.stays else self.wanted

    @property
    def deletes(self) -> bool:
        """Whether the file of the disk that is there is deleted: it was made, and is not to be kept."""
        is_removed = self.detaches and not self.is_made_anew
        return is_removed and self.there is not None and not self.there.is_given and not self.there.keep

    @property
    def obstacle(self) -> str:
        """Why the change cannot be made, and what to do; "" if it can."""
        if self.there is None:
            return ""
        if self.held:
            return HELD
        if self.wanted is not None and shrinks(self.there.size_gib, self.wanted.size_gib):
            return f"a disk cannot shrink: it has {self.there.size_gib} GiB. Set size_gib to at least that."
        return ANOTHER if is_another(self.there, self.wanted) else ""

    @property
    def side_effect(self) -> SideEffect | None:
        """What the change does besides what it says, if anything."""
        if self.is_stuck or self.is_made_anew:
            # Not forbidden in a preview, which the engine would end for the whole stack: an update refuses it.
            return SideEffect(self.unreadable)
        if self.obstacle:
            return SideEffect(f"{_in_words(self.location)} cannot change: {self.obstacle}", forbidden=True)
        return SideEffect(f"{_in_words(self.location)} will be deleted") if self.deletes else None


def disk_changes(
    inputs: NestedHyperVHost, state: ObservedMachine, *, after_reset: bool = False
) -> tuple[DiskChange, ...]:
    """What becomes of each slot in which another disk is asked for than there is."""
    there, wanted = by_location(state.inputs), by_location(inputs)
    changes = (
        DiskChange(
            location,
            there.get(location),
            wanted.get(location),
            held=location in (state.outputs.checkpointed_disks or ()),
            from_scratch=after_reset and _is_from_scratch(wanted.get(location)),
        )
        for location in sorted({*there, *wanted})
    )
    return tuple(change for change in changes if not _is_the_same(change))


def _is_from_scratch(wanted: Disk | None) -> bool:
    return wanted is not None and not wanted.is_given and not wanted.keep


def _is_the_same(change: DiskChange) -> bool:
    """Whether the slot has what is asked for; what becomes of a disk when the machine goes is not on the host."""
    if change.there is None or change.wanted is None:
        return change.there is change.wanted
    return same_disk(change.wanted.model_copy(update={"keep": change.there.keep}), change.there)


def lost_in_a_reset(inputs: NestedHyperVHost, state: ObservedMachine) -> Iterator[SideEffect]:
    """The data disks that a reset makes again, because they were made after the baseline was taken."""
    wanted = by_location(inputs)
    for location, disk in by_location(state.inputs).items():
        stays = wanted.get(location)
        if location == OS_LOCATION or disk.is_given or stays is None or stays.is_given or stays.keep:
            continue
        if location not in (state.outputs.checkpointed_disks or ()):
            yield SideEffect(
                f"the data disk at location {location} is not in the baseline, and will be created again, empty"
            )


def disk_side_effects(changes: Sequence[DiskChange]) -> Iterator[SideEffect]:
    """What the changes do besides what they say."""
    is_missing = any(change.there is None and _is_made(change.wanted) for change in changes)
    for change in changes:
        effect = change.side_effect
        if effect is None:
            continue
        may_be_moved = is_missing and change.deletes and not effect.forbidden
        back = ", or put back where it belongs if somebody has moved it" if may_be_moved else ""
        yield replace(effect, text=effect.text + back)


def _is_made(disk: Disk | None) -> bool:
    return disk is not None and not disk.is_given


def unreadable_disks(state: ObservedMachine) -> Iterator[str]:
    """What to know of each disk that the host cannot read, and what to do."""
    held = state.outputs.checkpointed_disks or ()
    for location, disk in by_location(state.inputs).items():
        text = DiskChange(location, disk, disk, held=location in held).unreadable
        if text:
            yield text


def changes_to_refuse(inputs: NestedHyperVHost, before: NestedHyperVHost) -> Iterator[tuple[tuple[str, ...], str]]:
    """The path of each disk whose inputs change in a way that would lose what is on it, and why."""
    there = by_location(before)
    for location, disk in by_location(inputs).items():
        change = DiskChange(location, there.get(location), disk)
        where = "os_disk" if location == OS_LOCATION else "data_disks"
        if change.there is not None and shrinks(change.there.size_gib, disk.size_gib):
            yield (where, "size_gib"), change.obstacle
        elif location != OS_LOCATION and change.obstacle:
            yield (where,), f"at location {location} {change.obstacle}"
