"""What a change of a machine does beside what it says: told in the preview, from the last look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nestedlab.declare import Attribute, Change, Consequence, Properties
from nestedlab.lifecycle import needs
from nestedlab.machine.disks.table import HELD, OS_LOCATION, by_location, same_disk


def machine_consequences(
    found: Properties, asked: Properties, changed: Sequence[Attribute], replaced: Sequence[Attribute]
) -> Iterator[Consequence]:
    """A machine that is replaced, is shut down, goes back to its baseline, or loses a disk."""
    if replaced:
        why = ", ".join(one.name for one in replaced)
        yield Consequence(
            f"the machine will be deleted, with the disks made for it, and made anew: {why} cannot change"
        )
        return
    resets = "reset" in {one.name for one in changed} and bool(asked.get("reset"))
    yield from _power(found, asked, changed, resets=resets)
    yield from _held(found, asked)
    yield from _lost(found, asked, resets=resets)


def _power(
    found: Properties, asked: Properties, changed: Sequence[Attribute], *, resets: bool
) -> Iterator[Consequence]:
    runs, stays = bool(found.get("running")), bool(asked.get("running"))
    if resets:
        off = "running machine will be turned off and go back" if runs else "machine will go back"
        text = f"the {off} to its baseline: what was done on it since then is lost"
        yield _unless_it_fails(text, asked) if runs else Consequence(text)
    off_for = [one.name for one in changed if Change.OFF in needs([one], found, asked)]
    if runs and off_for:
        again = " and started again" if stays else ""
        text = f"the running machine will be shut down{again} to change {', '.join(off_for)}"
        yield _unless_it_fails(text, asked) if stays else Consequence(text)
    elif runs and not stays:
        yield Consequence("the running machine will be shut down")


def _unless_it_fails(text: str, asked: Properties) -> Consequence:
    fails = asked.get("on_power_off") == "fail"
    return Consequence(f"{text}, and on_power_off is 'fail'" if fails else text, forbidden=fails)


def _held(found: Properties, asked: Properties) -> Iterator[Consequence]:
    """What a checkpoint rules out."""
    there, wanted = by_location(found), by_location(asked)
    for location in found.get("checkpointed_disks") or ():
        was, disk = there.get(location) or {}, wanted.get(location) or {}
        if was and not same_disk({**disk, "keep": was.get("keep")} if disk else {}, was):
            which = "the OS disk" if location == OS_LOCATION else f"the data disk at location {location}"
            yield Consequence(f"{which} cannot change: {HELD}", forbidden=True)


def _lost(found: Properties, asked: Properties, *, resets: bool) -> Iterator[Consequence]:
    """Data disks that were made and are not to be kept: those no more asked for, and in a reset those made since."""
    there, wanted = by_location(found), by_location(asked)
    missing = any(location not in there and disk.get("path") is None for location, disk in wanted.items())
    back = ", or put back where it belongs if somebody has moved it" if missing else ""
    for disk in found.get("data_disks") or ():
        location, stays = disk["location"], wanted.get(disk["location"])
        if disk.get("path") is not None:
            continue
        # One that a given file takes the place of goes too.
        if stays is None or stays.get("path") is not None:
            if not disk.get("keep"):
                yield Consequence(f"the data disk at location {location} will be deleted{back}")
        elif resets and not stays.get("keep") and location not in (found.get("checkpointed_disks") or ()):
            yield Consequence(f"the data disk at location {location} is not in the baseline, and will be made anew")
