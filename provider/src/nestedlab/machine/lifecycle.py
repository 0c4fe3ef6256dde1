"""What it takes to make, look at, change and remove a machine: plans, without I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from nestedlab.declare import Attribute, Change, Properties, Resource
from nestedlab.errors import NestedlabError, RefusedError, kind_of
from nestedlab.lifecycle import UNDONE, Around, Found, Plan, differences, needs, undone, verify, writes
from nestedlab.ownership import owner_of
from nestedlab.pipeline import Cmdlet, ErrorKind, Facts, Pipeline, PSObject, Step, cmdlet, statement
from nestedlab.resources import adapters, baselines, devices, disk_looks, disks
from nestedlab.machine.create import birth, lookup
from nestedlab.machine.read import apart, found, look, machine_by_id, reads, stack_of
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.resources.owned import gone, own
from nestedlab.machine.power import shut_down, start

# How many machines are read in one invocation: its message and its answer stay within a few of WinRM's envelopes.
_AT_ONCE = 32


@dataclass(frozen=True)
class NestedHyperVHostLifecycle:
    """What it takes to make, look at, change and remove a machine. `shutdown_seconds` is what a guest gets to stop."""

    shutdown_seconds: float = 300
    kind: ClassVar[type[Resource]] = NestedHyperVHost

    def create(self, desired: Properties) -> Plan[Found]:
        """Make the machine, or complete the one that an earlier attempt of the same owner has begun."""
        facts = yield lookup(desired)
        resumed = own("machine", facts.all("VirtualMachine"), desired)
        if resumed is not None:
            return (yield from self.update(resumed, desired))
        adapters.prerequisites(facts, desired)
        disks.prerequisites(facts, desired)
        try:
            born = yield birth(desired)
        except UNDONE as error:
            yield from undone(error, self._remove_stillborn(desired, error))
            raise
        machine = UUID(_only(born.all("VirtualMachine")).text("Id"))
        newborn = found(machine, Facts(born.objects + tuple(facts.all("VMHost"))), desired)
        try:
            return (yield from self._converge(desired, newborn))
        except UNDONE as error:
            # A disk may have been made and not attached.
            made = disks.to_make(machine, desired, _folder(desired, newborn))
            yield from undone(error, self.delete(machine, {"made_disks": made}))
            raise

    def read(self, identity: UUID, known: Properties) -> Plan[Found | None]:
        """Look at the machine; None where a second, successful look confirms that it is gone."""
        facts = yield from look(identity, "read the machine", reads(identity), known)
        return found(identity, facts, known) if facts else None

    def look_around(self, identity: UUID, known: Properties) -> Plan[Around]:
        """Read one machine, and list the host's; those of the same stack are the others."""
        listing = statement("Get-VM")
        facts = yield Step(
            "read the machine", (*(one.tolerating(ErrorKind.ABSENT) for one in reads(identity)), listing)
        )
        if facts.errors:
            return Around(None)
        machines = apart(facts)
        owners = {one: owner_of(shown.objects[0].text("Notes")) for one, shown in machines.items()}
        stack = stack_of(str(known.get("owner", "")))
        others = [one for one, owner in owners.items() if one != identity and stack_of(owner) == stack]
        return Around(found(identity, machines[identity], known), others=others)

    def read_all(self, identities: Sequence[UUID]) -> Plan[Mapping[UUID, Facts]]:
        """What the host shows of each machine; nothing of any where there is a problem with one."""
        around: dict[UUID, Facts] = {}
        for start_at in range(0, len(identities), _AT_ONCE):
            some = identities[start_at : start_at + _AT_ONCE]
            facts = yield Step("read the stack's machines", tuple(one for machine in some for one in reads(machine)))
            around |= apart(facts)
        return around

    def found(self, identity: UUID, facts: Facts, known: Properties) -> Found | None:
        """What the facts say of a machine."""
        return found(identity, facts, known)

    def update(self, identity: UUID, desired: Properties, known: Properties | None = None) -> Plan[Found]:
        """Bring the machine from whatever state it is in to what is desired, by way of its baseline where asked to."""
        before = known or {}
        desired = {**desired, "baseline_id": before.get("baseline_id")}
        resets = bool(desired.get("reset") and before.get("baseline_id")) and desired["reset"] != before.get("reset")
        if resets:
            yield from self._reset(identity, desired)
        last = {**disk_looks.remembered(desired, before), **adapters.remembered(desired, before)}
        now = yield from self.read(identity, last)
        if now is None:
            raise gone("machine", identity, desired)
        return (yield from self._converge(desired, now, fresh=resets))

    def _reset(self, identity: UUID, desired: Properties) -> Plan[None]:
        machine, baseline = machine_by_id(identity), desired["baseline_id"]
        purpose = "look at the machine and its checkpoints, to go back to its baseline"
        facts = yield Step(purpose, baselines.looks(machine, baseline))
        if _only(facts.all("VirtualMachine")).text("State") != "Off":
            _allowed(desired, "to go back to its baseline")
        disks.refuse_beneath(baselines.others(baseline, facts), desired)
        off = (machine | cmdlet("Stop-VM", TurnOff=True, Force=True)).tolerating(ErrorKind.WRONG_STATE)
        yield Step("turn the machine off, to go back to its baseline", (off,))
        yield Step("go back to the baseline", (baselines.restore(baseline),))

    def delete(self, identity: UUID, known: Properties) -> Plan[None]:
        """Remove the machine and the disks that were made for it, never an image or a disk it was given."""
        vm = machine_by_id(identity)
        # Not all of it: a machine whose disk cannot be read can be removed all the same.
        asked = (Pipeline((vm,)), vm | Cmdlet("Get-VMHardDiskDrive"))
        facts = yield from look(identity, "look at the machine and its drives", asked, known)
        if facts is not None:
            yield Step(
                "remove the machine",
                (
                    (vm | cmdlet("Stop-VM", TurnOff=True, Force=True)).tolerating(ErrorKind.WRONG_STATE),
                    vm | cmdlet("Remove-VM", Force=True),
                ),
            )
        made = disk_looks.made_files(identity, facts or Facts(), known)
        if made:
            yield from _remove_files(made)

    def _remove_stillborn(self, desired: Properties, error: NestedlabError) -> Plan[None]:
        """Remove a machine that was made and not marked.

        Only where marking it is what failed: then the one without notes is ours, since none had the name before.
        """
        if error.cmdlet != "Set-VM":
            return
        named = statement("Get-VM", Name=desired["name"]).tolerating(ErrorKind.ABSENT)
        facts = yield Step("look for a machine that was made and not marked", (named,))
        unmarked = [one for one in facts.all("VirtualMachine") if not one.text("Notes") and one.text("State") == "Off"]
        if len(unmarked) == 1:
            yield from self.delete(UUID(unmarked[0].text("Id")), {})

    def _converge(self, desired: Properties, now: Found, *, fresh: bool = False) -> Plan[Found]:
        changed = differences(self.kind, desired, now.values)
        needed = needs(changed, now.values, desired)
        if Change.REPLACE in needed:
            raise RefusedError(_cannot_change(desired, now, changed))
        if not changed:
            return now
        names = {one.name for one in changed}
        # What is loose goes with a change of disks, unless a checkpoint may hold it.
        going = disk_looks.removable(now, fresh=fresh) if names & disks.ATTRIBUTES else []
        left = [one for one in disk_looks.loose(now) if one not in going]
        desired = {**desired, "made_disks": left, "kept_disks": now.values.get("kept_disks")}
        state = _only(now.facts.all("VirtualMachine")).text("State")
        machine = machine_by_id(now.id)
        stops = not desired["running"] and "running" in names
        # What is refused is refused before the guest is shut down.
        now = yield from _informed(machine, names, desired, now)
        changes = list(_changes(machine, changed, desired, now, fresh=fresh))
        if state != "Off" and Change.OFF in needed and not stops:
            off = (one.name for one in changed if Change.OFF in needs([one], now.values, desired))
            _allowed(desired, f"to change {', '.join(off)}")
        if state != "Off" and (Change.OFF in needed or stops):
            yield from shut_down(machine, state, self.shutdown_seconds)
            state = "Off"
        starts = desired["running"] and state != "Running"
        facts = now.facts
        if changes or not starts:
            purpose = "apply the settings" if changes else "read the machine"
            facts = yield Step(purpose, (*changes, *reads(now.id)))
        if "baseline" in names:
            facts = yield from _take_baseline(desired, now, facts)
            desired = {**desired, "baseline_id": None}  # it is another one now, known by its name
        if starts:
            _verified(desired, now, facts, but_running=True)
            facts = yield Step("start the machine", (start(machine, state), *reads(now.id)))
        if "baseline" in names:
            facts = yield from _give_up_baseline(desired, now, facts)
        return _verified(desired, now, facts)


def _allowed(desired: Properties, why: str) -> None:
    """Raise where a running machine has to be off for something and its author forbids it.

    A preview says so from the last look. The host may have changed since, so that it is said here too.
    """
    if desired["on_power_off"] == "fail":
        raise RefusedError(
            f"machine {desired['name']!r} runs and has to be off {why}, and on_power_off is 'fail'. "
            "Shut it down when it suits, or allow it (on_power_off='restart')."
        )


def _informed(machine: Cmdlet, changed: set[str], desired: Properties, now: Found) -> Plan[Found]:
    """What was found, with what else must be known to make the changes. Raises where what they need is not there."""
    asked: list[Pipeline] = []
    if changed & disks.ATTRIBUTES and disks.needs_folder(desired, now) and now.facts.first("VMHost") is None:
        asked.append(statement("Get-VMHost"))
    looked = adapters.looked(now.facts)  # what a newborn one needs was looked for before its birth
    if looked and changed & adapters.ATTRIBUTES:
        asked.extend(adapters.lookup(desired, now))
    if looked and changed & disks.ATTRIBUTES:
        asked.extend(disks.lookup(desired, now))
    if devices.needs_look(changed, now.facts):
        asked.append(machine | Cmdlet("Get-VMIntegrationService"))
    if not asked:
        return now
    facts = yield Step("look at what the changes need", tuple(asked))
    if looked and changed & adapters.ATTRIBUTES:
        adapters.prerequisites(facts, desired, now)
    if looked and changed & disks.ATTRIBUTES:
        disks.prerequisites(facts, desired, now)
    return Found(now.id, now.values, Facts(now.facts.objects + facts.objects))


def _take_baseline(desired: Properties, now: Found, facts: Facts) -> Plan[Facts]:
    """Take the baseline of the machine as it is set up now; one that somebody has renamed gets its name back."""
    name, before = desired.get("baseline"), str(now.values.get("baseline_id") or "")
    if not name:
        return facts
    _verified({**desired, "baseline": now.values.get("baseline")}, now, facts, but_running=True)
    if baselines.was_renamed(now.id, before, facts):
        return (yield Step("give the baseline its name back", (baselines.rename(now.id, before, name), *reads(now.id))))
    if baselines.taken_as(now.id, name, facts) is not None:  # by an earlier attempt
        return facts
    return (yield Step("take the baseline", (baselines.take(machine_by_id(now.id), now.id, name), *reads(now.id))))


def _give_up_baseline(desired: Properties, now: Found, facts: Facts) -> Plan[Facts]:
    """Give up the baseline before, if there is one that is not the baseline any more.

    Last of all, when the others are in place: a machine does not start while a checkpoint's disks are merged.
    """
    before = str(now.values.get("baseline_id") or "")
    if not before or before == _verified(desired, now, facts).values["baseline_id"]:
        return facts
    return (yield Step("give up the baseline before", (baselines.remove(before), *reads(now.id))))


def _changes(
    machine: Cmdlet, changed: list[Attribute], desired: Properties, now: Found, *, fresh: bool
) -> Iterator[Pipeline]:
    names = {one.name for one in changed}
    if names & adapters.ATTRIBUTES:
        yield from adapters.changes(machine, desired, now)
    yield from writes(NestedHyperVHost, machine, changed, desired)
    if devices.lacks_dvd_drive(now.facts):
        yield devices.dvd_drive(machine)
    if names & disks.ATTRIBUTES:
        yield from disks.changes(machine, desired, now, _folder(desired, now), fresh=fresh)
    yield from devices.changes(machine, names, desired, now.facts)


def _folder(desired: Properties, now: Found) -> str:
    """The folder that disks are made in: the machine's own where it was given one, else the host's for disks."""
    own = _only(now.facts.all("VirtualMachine")).text("Path")
    host = now.facts.first("VMHost")
    return own if desired.get("path") or host is None else host.text("VirtualHardDiskPath")


def _remove_files(paths: list[str]) -> Plan[None]:
    """Remove disks of a machine that is gone. Its checkpoints merge first, and hold the files until that is done."""
    for delay in (0, 1, 2, 4, 8, 16):
        busy = ErrorKind.BUSY if delay < 16 else ErrorKind.ABSENT
        removing = (statement("Remove-Item", LiteralPath=one).tolerating(ErrorKind.ABSENT, busy) for one in paths)
        facts = yield Step("remove the machine's disks", tuple(removing), delay=delay)
        if not any(kind_of(one) is ErrorKind.BUSY for one in facts.errors):
            return


def _verified(desired: Properties, before: Found, facts: Facts, *, but_running: bool = False) -> Found:
    asked = {**desired, "running": None} if but_running else desired
    now = found(before.id, facts, desired)
    return verify(NestedHyperVHost, f"machine {desired['name']!r}", asked, now)


def _cannot_change(desired: Properties, now: Found, changed: list[Attribute]) -> str:
    fixed = [one for one in changed if Change.REPLACE in needs([one], now.values, desired)]
    said = ", ".join(
        f"{one.name} is {now.values.get(one.name)!r}, asked for is {desired.get(one.name)!r}" for one in fixed
    )
    return (
        f"machine {desired['name']!r} is on the host and cannot be changed in place: {said}. Run `pulumi refresh`: the "
        "next preview says what it takes. Where an interrupted attempt has left it so, ask for what is there, or "
        "remove the machine on the host."
    )


def _only(objects: Iterator[PSObject]) -> PSObject:
    return next(objects)
