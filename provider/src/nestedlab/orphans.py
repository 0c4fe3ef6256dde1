"""What on a host is a stack's and is in no state of it: what the host is asked, and how its answer is judged. Pure.

Machines and switches tell their stack by their mark (decision 0015). A file and a NAT network tell only the machine or
switch that they were made for; so they are a stack's only if an earlier state of it has that machine or switch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import Any
from uuid import UUID

from nestedlab.declare import Resource
from nestedlab.errors import kind_of
from nestedlab.lifecycle import Observed, Plan
from nestedlab.machine.disks.read import base_of, made_files
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.names import same_path
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.ownership import Mark, is_made_for, mark_on, stack_of
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, PSObject, Step, statement
from nestedlab.plain import loaded

MADE_FILES = "*.vhdx"
"""The files that are listed; a role for a JEA endpoint shows these and no others."""

_MADE_FILE = re.compile(r".+-(?:os|data[0-9]+)-(?P<machine>[0-9a-f]{12})\.vhdx", re.IGNORECASE)

_FILES_UNSEEN = (ErrorKind.DENIED, ErrorKind.NO_COMMAND, ErrorKind.NO_PARAMETER, ErrorKind.INVALID)
"""What hides the files of a folder, without harm to the rest: rights, or the role of a JEA endpoint."""


@dataclass(frozen=True)
class Entry:
    """A machine or switch as a state of the stack has it: its kind, its id, its inputs and outputs by attribute."""

    kind: type[Resource]
    id: UUID
    values: Mapping[str, Any]

    def files(self, *names: str) -> list[str]:
        """The files that it names as these outputs."""
        found = [self.values.get(name) or () for name in names]
        return [path for paths in found for path in ([paths] if isinstance(paths, str) else paths)]


@dataclass(frozen=True)
class StackRecord:
    """What is known of a stack: its name, its identities, what its state has, and what earlier states of it had."""

    project: str
    stack: str
    identities: frozenset[str] = frozenset()
    entries: tuple[Entry, ...] = ()
    earlier: tuple[Entry, ...] = ()

    @property
    def name(self) -> str:
        """The project and the stack, as a mark's owner begins."""
        return f"{self.project}/{self.stack}"

    def has(self, identity: UUID) -> bool:
        """Whether the stack's state has the machine or switch of this id."""
        return any(entry.id == identity for entry in self.entries)

    def before(self, kind: type[Resource]) -> Iterator[Entry]:
        """The machines or switches that only earlier states have."""
        return (entry for entry in self.earlier if entry.kind is kind and not self.has(entry.id))


@dataclass(frozen=True)
class Orphan:
    """Something on a host that is in no state of the stack.

    `entry` is what its removal is told of it: the machine or switch that it is, or was made for. `files` go with it.
    """

    what: str
    name: str
    entry: Entry
    owner: str = ""
    identity: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Orphans:
    """What one host has: the stack's own, and what may be the stack's or another's, which nothing removes."""

    own: tuple[Orphan, ...] = ()
    doubtful: tuple[Orphan, ...] = ()
    loose_disks: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def survey(*records: StackRecord) -> Plan[Facts]:
    """Ask a host for all that may be the stacks'. Changes nothing."""
    drives = statement("Get-VM") | Cmdlet("Get-VMHardDiskDrive")
    listing = (statement("Get-VM"), drives, statement("Get-VMSwitch"), statement("Get-VMHost"))
    facts = yield Step("list the machines and switches", listing)
    seen = [facts]
    if any(any(record.before(NatSwitch)) for record in records):
        seen.append((yield Step("list the NAT networks", (statement("Get-NetNat"),))))
    listings = tuple(
        statement("Get-ChildItem", LiteralPath=folder, Filter=MADE_FILES).tolerating(ErrorKind.ABSENT, *_FILES_UNSEEN)
        for folder in _folders(records, facts)
    )
    if listings:
        seen.append((yield Step("list the files of disks", listings)))
    return Facts(
        tuple(thing for answer in seen for thing in answer.objects),
        tuple(error for answer in seen for error in answer.errors),
    )


MARKED = Step("list the machines and switches", (statement("Get-VM"), statement("Get-VMSwitch")))
"""What shows all machines and switches of a host with their marks, and nothing else."""


def listing() -> Plan[Facts]:
    """List all machines and switches of a host."""
    return (yield MARKED)


def judge(record: StackRecord, facts: Facts, on: str | None) -> Orphans:
    """What of a host's answer is the stack's and in no state of it. `on` is the host's name in the configuration."""
    unknown = list(_unknown(record, facts, on))
    mine = [orphan for orphan in unknown if orphan.identity in record.identities]
    loose = _loose_files(record, facts)
    disks = list(_disks(record, loose, on))
    recognized = {path for orphan in disks for path in orphan.files}
    return Orphans(
        own=(*mine, *disks, *_nats(record, facts, on)),
        doubtful=tuple(orphan for orphan in unknown if orphan not in mine),
        loose_disks=tuple(path for path in loose if path not in recognized),
        notes=tuple(_notes(facts)),
    )


def _unknown(record: StackRecord, facts: Facts, on: str | None) -> Iterator[Orphan]:
    """The machines and switches that carry an identity or the name of the stack, and that its state does not have."""
    kinds: tuple[tuple[str, str, type[Resource]], ...] = (
        ("machine", "VirtualMachine", NestedHyperVHost),
        ("switch", "VMSwitch", NatSwitch),
    )
    for what, shown_as, kind in kinds:
        for thing in _once(facts.all(shown_as)):
            identity, mark = UUID(thing.text("Id")), mark_on(thing)
            if record.has(identity) or not _may_be_ours(record, mark):
                continue
            entry = _entry(record, kind, identity, _values(thing, mark, on))
            files = _files_of(entry, facts) if kind is NestedHyperVHost else ()
            yield Orphan(what, thing.text("Name"), entry, mark.owner, mark.stack, files)


def _once(things: Iterable[PSObject]) -> Iterable[PSObject]:
    return {thing.text("Id"): thing for thing in things}.values()


def _may_be_ours(record: StackRecord, mark: Mark) -> bool:
    return mark.stack in record.identities or stack_of(mark.owner) == (record.project, record.stack)


def _values(thing: PSObject, mark: Mark, on: str | None) -> dict[str, Any]:
    """What a delete has to know: that the mark is still this one when it comes to it, and on which host that is."""
    values = {"name": thing.text("Name"), "owner": mark.owner, "stack_id": mark.stack or None, "on": on}
    return {**values, "creation": mark.creation or None}


def _entry(record: StackRecord, kind: type[Resource], identity: UUID, values: Mapping[str, Any]) -> Entry:
    """The entry with what an earlier state knows of it besides, such as which disks are to be kept."""
    earlier = next((entry.values for entry in record.before(kind) if entry.id == identity), {})
    return Entry(kind, identity, {**earlier, **values})


def _files_of(entry: Entry, facts: Facts) -> tuple[str, ...]:
    """The files that a delete of the machine removes."""
    drives = tuple(drive for drive in facts.all("HardDiskDrive") if drive.text("VMId") == str(entry.id))
    values = {name: value for name, value in entry.values.items() if value is not None}
    known = Observed(entry.id, loaded(NestedHyperVHost, values), loaded(NestedHyperVHost.outputs, values))
    return tuple(made_files(Facts(drives), known))  # type: ignore[arg-type] # a machine's outputs


def _loose_files(record: StackRecord, facts: Facts) -> list[str]:
    """The files with names of disks that we make, whose machine is gone, and which neither a state nor a drive has."""
    machines = [UUID(machine.text("Id")) for machine in facts.all("VirtualMachine")]
    attached = [base_of(drive.text("Path")) for drive in facts.all("HardDiskDrive")]
    recorded = [path for entry in record.entries for path in entry.files("made_disks", "kept_disks", "os_disk_path")]
    kept = [path for entry in record.before(NestedHyperVHost) for path in entry.files("kept_disks")]
    needed = [*attached, *recorded, *kept]
    files = sorted({file.text("FullName") for file in facts.all("FileInfo")})
    return [
        path
        for path in files
        if _MADE_FILE.fullmatch(PureWindowsPath(path).name)
        and not any(is_made_for(PureWindowsPath(path).stem, machine) for machine in machines)
        and not any(same_path(path, other) for other in needed)
    ]


def _disks(record: StackRecord, loose: Iterable[str], on: str | None) -> Iterator[Orphan]:
    """The loose files that an earlier state has recorded as made for a machine, and to go with it."""
    files = list(loose)
    for entry in record.before(NestedHyperVHost):
        made = [path for path in files if any(same_path(path, other) for other in entry.files("made_disks"))]
        if made:
            values = {**entry.values, "made_disks": made, "on": on, "host": ""}
            yield _of_earlier("disks of a machine that is gone", Entry(entry.kind, entry.id, values), made)


def _nats(record: StackRecord, facts: Facts, on: str | None) -> Iterator[Orphan]:
    """The NAT networks that were made for switches that an earlier state has and that are gone."""
    switches = {UUID(switch.text("Id")) for switch in facts.all("VMSwitch")}
    names = [nat.text("Name") for nat in facts.all("MSFT_NetNat")]
    for entry in record.before(NatSwitch):
        if entry.id in switches:
            continue
        for name in names:
            if is_made_for(name, entry.id):
                # Without its network: another switch may have that by now, and forwards of its own in it.
                values = {key: entry.values.get(key) for key in ("name", "owner", "stack_id")}
                yield _of_earlier("NAT network", Entry(entry.kind, entry.id, {**values, "on": on}), (), name)


def _of_earlier(what: str, entry: Entry, files: Iterable[str], name: str = "") -> Orphan:
    values = entry.values
    named = name or str(values.get("name") or "")
    return Orphan(what, named, entry, str(values.get("owner") or ""), str(values.get("stack_id") or ""), tuple(files))


def _folders(records: Iterable[StackRecord], facts: Facts) -> list[str]:
    """The folders that disks of the stacks are made in: the host's own, and those of all files that are known."""
    host = facts.first("VMHost")
    records = list(records)
    entries = [entry for record in records for entry in (*record.entries, *record.earlier)]
    paths = [path for entry in entries for path in entry.files("made_disks", "kept_disks")]
    marks = {thing.text("Id"): mark_on(thing) for thing in facts.all("VirtualMachine")}
    ours = {identity for identity, mark in marks.items() if any(_may_be_ours(record, mark) for record in records)}
    paths += [base_of(drive.text("Path")) for drive in facts.all("HardDiskDrive") if drive.text("VMId") in ours]
    made = [str(PureWindowsPath(path).parent) for path in paths if _MADE_FILE.fullmatch(PureWindowsPath(path).name)]
    folders = [host.text("VirtualHardDiskPath") if host is not None else "", *made]
    return [folder for folder in {folder.casefold(): folder for folder in folders}.values() if folder]


def _notes(facts: Facts) -> Iterator[str]:
    kinds = {kind_of(error) for error in facts.errors if error.cmdlet in ("Get-ChildItem", "")}
    if kinds & {ErrorKind.NO_COMMAND, ErrorKind.NO_PARAMETER, ErrorKind.INVALID}:
        yield (
            "files of disks were not looked for: the PowerShell endpoint does not show Get-ChildItem. "
            "Let its role show it, as docs/nestedlab.psrc does."
        )
    elif ErrorKind.DENIED in kinds:
        yield (
            "files of disks were not looked for in every folder: the account may not list them. "
            "Give it the right to read the folders of the disks."
        )
