"""What it takes to make, look at, change and remove a machine: plans, without I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import ClassVar
from uuid import UUID

from nestedlab.declare import Attribute, Change, Properties, Resource
from nestedlab.errors import AccessError, ConflictError, NotFoundError, RefusedError, RevertedError, condition_of
from nestedlab.lifecycle import Found, Plan, differences, needs, undone, values, verify, writes
from nestedlab.nouns import GIB_BYTES, MIB_BYTES
from nestedlab.ownership import is_made_for, marked, owner_of
from nestedlab.pipeline import Cmdlet, Condition, Facts, Pipeline, PSObject, Step, cmdlet, statement
from nestedlab.resources.disk import SLOT, disk_found, disk_path, drive_in_slot, make
from nestedlab.resources.names import same_name
from nestedlab.resources.nested_hyperv_host import NestedHyperVHost

# A failed create is undone; but where the answer is lost or the host out of reach, the next attempt resumes it.
_UNDONE = (AccessError, ConflictError, NotFoundError, RefusedError, RevertedError)

# What brings a machine that sleeps back to where it can be shut down; a saved one cannot be changed as it is.
_WAKES = {"Saved": "Start-VM", "Paused": "Resume-VM"}


def machine_by_id(machine: UUID) -> Cmdlet:
    """The machine. Names are not unique in Hyper-V; only Get-VM takes a GUID, other cmdlets get the machine piped."""
    return cmdlet("Get-VM", Id=machine)


def reads(machine: UUID) -> tuple[Pipeline, ...]:
    """What shows all of a machine."""
    vm = machine_by_id(machine)
    piped = ("Get-VMProcessor", "Get-VMMemory", "Get-VMNetworkAdapter", "Get-VMHardDiskDrive")
    return (Pipeline((vm,)), *(vm | Cmdlet(name) for name in piped), statement("Get-VHD", VMId=machine))


def found(machine: UUID, facts: Facts, last_disk: str = "") -> Found:
    """The machine as the host shows it; `last_disk` is the file that was in its slot at the last look."""
    seen = values(NestedHyperVHost, facts.objects)
    drive = drive_in_slot(facts)
    seen |= {"os_disk": disk_found(machine, facts), "os_disk_path": drive.text("Path") if drive else last_disk}
    return Found(machine, seen, facts)


@dataclass(frozen=True)
class NestedHyperVHostLifecycle:
    """What it takes to make, look at, change and remove a machine. `shutdown_seconds` is what a guest gets to stop."""

    shutdown_seconds: float = 300
    kind: ClassVar[type[Resource]] = NestedHyperVHost

    def create(self, desired: Properties) -> Plan[Found]:
        """Make the machine, or complete the one that an earlier attempt of the same owner has begun."""
        facts = yield _lookup(desired)
        resumed = _own(facts, desired)
        if resumed is not None:
            return (yield from self.update(resumed, desired))
        _prerequisites(facts, desired)
        try:
            born = yield _birth(desired)
        except _UNDONE as error:
            yield from undone(error, self._remove_stillborn(desired))
            raise
        machine = UUID(_only(born.all("VirtualMachine")).text("Id"))
        newborn = found(machine, Facts(born.objects + tuple(facts.all("VMHost"))))
        try:
            return (yield from self._converge(desired, newborn))
        except _UNDONE as error:
            # The disk may have been made and not attached.
            disk = disk_path(machine, desired["name"], _disk_folder(desired, newborn), desired["os_disk"])
            yield from undone(error, self.delete(machine, {"os_disk_path": disk}))
            raise

    def read(self, identity: UUID, known: Properties) -> Plan[Found | None]:
        """Look at the machine; None where a second, successful look confirms that it is gone."""
        facts = yield from _look(identity, "read the machine", reads(identity))
        return found(identity, facts, str(known.get("os_disk_path") or "")) if facts else None

    def update(self, identity: UUID, desired: Properties) -> Plan[Found]:
        """Bring the machine from whatever state it is in to what is desired."""
        now = yield from self.read(identity, {})
        if now is None:
            raise NotFoundError(
                f"machine {desired['name']!r} ({identity}) is no longer on the host. "
                "Run `pulumi refresh`, so that the next `pulumi up` makes it again."
            )
        return (yield from self._converge(desired, now))

    def delete(self, identity: UUID, known: Properties) -> Plan[None]:
        """Remove the machine and the disks that were made for it, never an image or a disk it was given."""
        vm = machine_by_id(identity)
        # Not all of it: a machine whose disk cannot be read can be removed all the same.
        asked = (Pipeline((vm,)), vm | Cmdlet("Get-VMHardDiskDrive"))
        facts = yield from _look(identity, "look at the machine and its drives", asked)
        # A disk that was made for the machine is its own even where it is not attached (any more).
        files = {PureWindowsPath(known.get("os_disk_path") or "")}
        if facts is not None:
            files |= {PureWindowsPath(one.text("Path")) for one in facts.all("HardDiskDrive")}
            yield Step(
                "remove the machine",
                (
                    (vm | cmdlet("Stop-VM", TurnOff=True, Force=True)).tolerating(Condition.WRONG_STATE),
                    vm | cmdlet("Remove-VM", Force=True),
                ),
            )
        made = sorted(str(path) for path in files if is_made_for(path.stem, identity))
        if made:
            yield from _remove_files(made)

    def _remove_stillborn(self, desired: Properties) -> Plan[None]:
        """Remove a machine that was made and not marked: none had the name a moment ago, and this one has no notes."""
        named = statement("Get-VM", Name=desired["name"]).tolerating(Condition.ABSENT)
        facts = yield Step("look for a machine that was made and not marked", (named,))
        unmarked = [one for one in facts.all("VirtualMachine") if not one.text("Notes") and one.text("State") == "Off"]
        if len(unmarked) == 1:
            yield from self.delete(UUID(unmarked[0].text("Id")), {})

    def _converge(self, desired: Properties, now: Found) -> Plan[Found]:
        changed = differences(self.kind, desired, now.values)
        needed = needs(changed, now.values, desired)
        if Change.REPLACE in needed:
            raise RefusedError(_cannot_change(desired, now, changed))
        if not changed:
            return now
        state = _only(now.facts.all("VirtualMachine")).text("State")
        machine = machine_by_id(now.id)
        stops = not desired["running"] and any(one.name == "running" for one in changed)
        if state != "Off" and (Change.OFF in needed or stops):
            yield from self._shut_down(machine, state)
            state = "Off"
        if any(one.name == "os_disk" for one in changed) and now.facts.first("VMHost") is None:
            host = yield Step("ask where the host keeps disks", (statement("Get-VMHost"),))
            now = Found(now.id, now.values, Facts(now.facts.objects + host.objects))
        changes = list(_changes(machine, changed, desired, now))
        starts = desired["running"] and state != "Running"
        facts = now.facts
        if changes or not starts:
            purpose = "apply the settings" if changes else "read the machine"
            facts = yield Step(purpose, (*changes, *reads(now.id)))
        if starts:
            _verified(desired, now.id, facts, but_running=True)
            starting = cmdlet(_WAKES.get(state, "Start-VM"))
            facts = yield Step("start the machine", (machine | starting, *reads(now.id)))
        return _verified(desired, now.id, facts)

    def _shut_down(self, machine: Cmdlet, state: str) -> Plan[None]:
        if state in _WAKES:
            yield Step("wake the machine, to shut its guest down", (machine | cmdlet(_WAKES[state]),))
        # -Force does not cut the power: it answers the prompt for a guest that is locked or has unsaved work (Stop-VM).
        asking = (machine | cmdlet("Stop-VM", Force=True)).tolerating(Condition.PROMPTED, Condition.WRONG_STATE)
        try:
            facts = yield Step("shut the guest down", (asking,), within=self.shutdown_seconds)
        except TimeoutError:
            facts = Facts(problems=())
        else:
            if not facts.problems:
                return
        yield Step("turn the machine off", (machine | cmdlet("Stop-VM", TurnOff=True, Force=True),))


def _look(machine: UUID, purpose: str, asked: tuple[Pipeline, ...]) -> Plan[Facts | None]:
    """What the host shows of the machine; None where a second, successful look confirms that it is gone."""
    facts = yield Step(purpose, tuple(one.tolerating(Condition.ABSENT) for one in asked))
    if facts.first("VirtualMachine") is not None:
        return facts
    # "Not found" is also what a stopped Virtual Machine Management service says (shared facts, "VM"); a listing
    # that succeeds and does not have the machine is the proof.
    listed = yield Step("list the machines", (statement("Get-VM"),))
    if any(one.text("Id") == str(machine) for one in listed.all("VirtualMachine")):
        raise RefusedError(f"the host lists machine {machine} and does not show it; try again")
    return None


def _lookup(desired: Properties) -> Step:
    disk = desired["os_disk"]
    image = disk.get("parent") or disk.get("path")
    asked = [statement("Get-VM", Name=desired["name"]).tolerating(Condition.ABSENT), statement("Get-VMHost")]
    if desired["switch"]:
        asked.append(statement("Get-VMSwitch", Name=desired["switch"]).tolerating(Condition.ABSENT))
    if image:
        # Get-VHD says the same of a file that is missing and of one it cannot read: look at what it shows.
        unreadable = (Condition.ABSENT, Condition.BUSY, Condition.OTHER)
        asked.append(statement("Get-VHD", Path=image).tolerating(*unreadable))
    return Step("look for the machine and what it needs", tuple(asked))


def _own(facts: Facts, desired: Properties) -> UUID | None:
    """The machine that an earlier attempt of the same owner has made, if any; a stranger's is a conflict."""
    machines = list(facts.all("VirtualMachine"))
    own = [one for one in machines if owner_of(one.text("Notes")) == desired["owner"]]
    if len(own) > 1:
        ids = " and ".join(one.text("Id") for one in own)
        raise ConflictError(f"two machines are marked as this one, {ids}: remove the one that is not wanted")
    if own:
        return UUID(own[0].text("Id"))
    if machines:
        stranger = machines[0]
        owner = owner_of(stranger.text("Notes"))
        whose = f"it belongs to {owner}" if owner else "it was not made by nestedlab"
        raise ConflictError(
            f"a machine named {desired['name']!r} is on the host already ({stranger.text('Id')}) and {whose}. "
            "It is left alone: give this one another name, or remove that one."
        )
    return None


def _prerequisites(facts: Facts, desired: Properties) -> None:
    """Raise where something that the machine needs is not there, before anything is made."""
    switches = [one for one in facts.all("VMSwitch") if same_name(desired["switch"], one.text("Name"))]
    if desired["switch"] and not switches:
        raise NotFoundError(
            f"switch: there is no switch named {desired['switch']!r} on the host. "
            "Name one that exists, or pass the name of a NatSwitch of this program (switch=net.name)."
        )
    if len(switches) > 1:
        raise ConflictError(
            f"switch: {len(switches)} switches on the host are named {desired['switch']!r}: rename all but one."
        )
    disk = desired["os_disk"]
    for key in ("parent", "path"):
        if disk.get(key) and facts.first("VirtualHardDisk") is None:
            raise NotFoundError(
                f"os_disk.{key}: {disk[key]} is not a virtual disk on the host, or it cannot be read. "
                "Check the path, as the host sees it, and that no other machine is writing to the file."
            )


def _birth(desired: Properties) -> Step:
    making = cmdlet(
        "New-VM",
        Name=desired["name"],
        Generation=2,
        MemoryStartupBytes=desired["memory_mib"] * MIB_BYTES,
        NoVHD=True,
        Path=desired.get("path"),
    )
    # New-VM takes no notes. Piped on, the marker is set on the host even if this process ends in between.
    notes = marked(desired["notes"], desired["owner"])
    return Step("make the machine", (making | cmdlet("Set-VM", Notes=notes, Passthru=True),))


def _changes(machine: Cmdlet, changed: list[Attribute], desired: Properties, now: Found) -> Iterator[Pipeline]:
    names = {one.name for one in changed}
    looked = now.facts.first("VMProcessor") is not None
    if looked and now.facts.first("VMNetworkAdapter") is None and names & {"switch", "mac_spoofing"}:
        yield machine | cmdlet("Add-VMNetworkAdapter")
    yield from writes(NestedHyperVHost, machine, changed, desired)
    if "os_disk" in names:
        yield from _disk_changes(machine, desired, now)


def _disk_changes(machine: Cmdlet, desired: Properties, now: Found) -> Iterator[Pipeline]:
    disk = desired["os_disk"]
    drive = drive_in_slot(now.facts)
    if drive is not None and disk.get("size_gib") is not None:
        size = disk["size_gib"] * GIB_BYTES
        yield statement("Resize-VHD", Path=drive.text("Path"), SizeBytes=size).on_behalf_of("os_disk.size_gib")
        return
    if drive is not None:
        # By number and location alone: -ControllerType fails here on some builds (shared facts, contract), and a
        # Generation 2 machine has none but SCSI controllers.
        slot = cmdlet("Get-VMHardDiskDrive", ControllerNumber=0, ControllerLocation=0)
        yield (machine | slot | cmdlet("Remove-VMHardDiskDrive")).on_behalf_of("os_disk")
    path = disk_path(now.id, desired["name"], _disk_folder(desired, now), disk)
    yield from make(path, disk)
    yield (machine | Cmdlet("Add-VMHardDiskDrive", {**SLOT, "Path": path})).on_behalf_of("os_disk")


def _disk_folder(desired: Properties, now: Found) -> str:
    own = _only(now.facts.all("VirtualMachine")).text("Path")
    return own if desired.get("path") else _only(now.facts.all("VMHost")).text("VirtualHardDiskPath")


def _remove_files(paths: list[str]) -> Plan[None]:
    """Remove disks of a machine that is gone. Its checkpoints merge first, and hold the files until that is done."""
    for pause in (0, 1, 2, 4, 8, 16):
        busy = Condition.BUSY if pause < 16 else Condition.ABSENT
        removing = (statement("Remove-Item", LiteralPath=one).tolerating(Condition.ABSENT, busy) for one in paths)
        facts = yield Step("remove the machine's disks", tuple(removing), pause=pause)
        if not any(condition_of(one) is Condition.BUSY for one in facts.problems):
            return


def _verified(desired: Properties, machine: UUID, facts: Facts, *, but_running: bool = False) -> Found:
    asked = {**desired, "running": None} if but_running else desired
    return verify(NestedHyperVHost, f"machine {desired['name']!r}", asked, found(machine, facts))


def _cannot_change(desired: Properties, now: Found, changed: list[Attribute]) -> str:
    fixed = [one for one in changed if Change.REPLACE in needs([one], now.values, desired)]
    said = ", ".join(
        f"{one.name} is {now.values.get(one.name)!r}, asked for is {desired.get(one.name)!r}" for one in fixed
    )
    return (
        f"machine {desired['name']!r} is on the host, left by an earlier attempt, and cannot be changed in place: "
        f"{said}. Ask for what is there, or remove the machine on the host."
    )


def _only(objects: Iterator[PSObject]) -> PSObject:
    return next(objects)
