"""The provider, whatever speaks to it: check, diff, create, read, update and delete on plain values.

A front (`adapters/`) translates an engine's messages to these calls. Nothing here knows Pulumi, and nothing is kept but
for one operation of one stack.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, TypeAlias, TypeVar
from uuid import UUID

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from nestedlab.connection import Connection, connection
from nestedlab.declare import Attribute, Change, Plain, Properties, Resource
from nestedlab.errors import Interrupted, NestedlabError, RefusedError
from nestedlab.lifecycle import (
    Changes,
    CheckFailed,
    HalfMade,
    Lifecycle,
    Observed,
    Plan,
    ReadsMany,
    check,
    normalised,
)
from nestedlab.machine.lifecycle import NestedHyperVHostLifecycle
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.lifecycle import NatSwitchLifecycle
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.perform import Cancellation, Runners, perform
from nestedlab.pipeline import Facts, PSObject
from nestedlab.plain import loaded, plain
from nestedlab.prefetch import Prefetch
from nestedlab.preflight import Preflight
from nestedlab.program import switches_named_by
from nestedlab.retry import LOST_ANSWER

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

AnyLifecycle: TypeAlias = Lifecycle[Any, Any]
AnyObserved: TypeAlias = Observed[Any, Any]

Report: TypeAlias = Callable[[type[Resource], str, str], None]
"""Shows a warning to the user: the kind of a resource, its owner, the text."""

KINDS: tuple[type[Resource], ...] = (NestedHyperVHost, NatSwitch)


class HostSessions(Runners, Protocol):
    """The sessions with one host."""

    def lock(self, name: str) -> threading.Lock:
        """The lock that steps of this name hold while they run."""
        ...


@dataclass(frozen=True)
class Checked:
    """Validated inputs with their defaults, or all that is wrong with them."""

    inputs: dict[str, Plain]
    failures: tuple[CheckFailed, ...] = ()


@dataclass(frozen=True)
class Diff:
    """Whether there is something to do, and which attributes only a replacement can change."""

    has_changes: bool
    replaces: tuple[Attribute, ...]


@dataclass(frozen=True)
class Recorded:
    """A resource as a state records it: its id, its inputs as the host has them, and those with the outputs."""

    id: str
    inputs: dict[str, Plain]
    state: dict[str, Plain]


class Provider:
    """What one process does for one stack's configuration. Safe across threads; connects when it first needs a host."""

    def __init__(
        self,
        configuration: Mapping[str, Any],
        environment: Mapping[str, str],
        sessions: Callable[[Connection], HostSessions],
        report: Report,
        cancellation: Cancellation | None = None,
    ) -> None:
        self._configuration = configuration
        self._environment = environment
        self._sessions = sessions
        self._report = report
        self._cancellation = cancellation or Cancellation()
        self._lock = threading.Lock()
        self._hosts: dict[Connection, _ParentHost] = {}

    def check(
        self, kind: type[Resource], values: Properties, unknown: Collection[str] = (), before: Properties | None = None
    ) -> Checked:
        """Validate the inputs, fill in the defaults, and report what the host rules out.

        `unknown` names the inputs that have no value yet, in a preview; `before` are the inputs so far, if the object
        exists. Raises NestedlabError if the configuration is wrong, or if the host cannot hold the resource.
        """
        if "on" not in unknown:
            self._connection(values.get("on"))
        inputs, failures = check(kind, values, unknown)
        previous = loaded(kind, before) if before else None
        if inputs is not None and previous is not None:
            failures += _WITHOUT_HOST[kind].validate_change(inputs, previous)
        if inputs is None or failures:
            return Checked(dict(values), tuple(failures))
        if not {"on", "owner"} & set(unknown):
            for text in self._host(inputs.on).preflight.check(inputs, previous):
                self._report(kind, inputs.owner, text)
            for text in self._on_other_hosts(inputs):
                self._report(kind, inputs.owner, text)
            if previous is None and not _NEEDED & set(unknown):
                obstacle = self._host(inputs.on).obstacle(kind, inputs)
                if obstacle is not None:
                    self._report(kind, inputs.owner, f"as the host is now, this cannot be created: {obstacle}")
        return Checked(plain(inputs))

    def diff(
        self, kind: type[Resource], identity: str, state: Properties, values: Properties, unknown: Collection[str] = ()
    ) -> Diff:
        """Compare the state with the inputs, and report what an update would do besides what it says.

        Raises RefusedError if the program, or what is on the host, does not allow the change.
        """
        recorded, inputs = _state(kind, identity, state), loaded(kind, values)
        # What has no value yet may stay as it is: nothing is reported of it.
        known = inputs.model_copy(update={name: getattr(recorded.inputs, name) for name in unknown})
        changes: Changes = _WITHOUT_HOST[kind].changes(known, recorded)
        try:
            changes.refuse_forbidden()
        except RefusedError as error:
            raise RefusedError(f"{known.subject}: {error}") from error
        if changes.replaced and not _NEEDED & set(unknown):
            obstacle = self._host(known.on).obstacle(kind, known, recorded)
            if obstacle is not None:
                raise type(obstacle)(f"{known.subject} has to be replaced, and that would fail: {obstacle}")
        for effect in changes.side_effects:
            self._report(kind, known.owner, effect.text)
        pending = [row for row in kind.attributes() if row.name in unknown]
        replaced = [row for row in pending if row.change(recorded.inputs, inputs) is Change.REPLACE]
        return Diff(bool(changes.changed or pending), (*changes.replaced, *replaced))

    def create(self, kind: type[Resource], values: Properties) -> Recorded:
        """Create it, or complete what an earlier attempt has begun.

        Raises HalfMade, with its identity, if it could not be completed: `undo` removes it again, or an update of that
        identity completes it. Raises any other NestedlabError if nothing was made, or nobody knows.
        """
        inputs = loaded(kind, values)
        host = self._host(inputs.on)
        listed = host.preflight.machines
        with host.turn(inputs):
            return _recorded(inputs, host.perform(kind, lambda lifecycle: lifecycle.create(inputs, listed), inputs))

    def undo(self, kind: type[Resource], half_made: HalfMade) -> NoReturn:
        """Remove what a create has left half made, and raise its error; the text says so if that failed too."""
        made = half_made.made
        try:
            self._host(made.inputs.on).perform(kind, lambda lifecycle: lifecycle.undo(made), made.inputs)
        except (NestedlabError, TimeoutError) as second:
            raise type(half_made.error)(
                f"{half_made} What was made so far is still on the host, because removing it failed too: {second} "
                "The next `pulumi up` completes it."
            ) from half_made
        raise type(half_made.error)(str(half_made)) from half_made

    def read(self, kind: type[Resource], identity: str, state: Properties) -> Recorded | None:
        """Read it; None if it is certainly gone. Raises NestedlabError."""
        recorded = _state(kind, identity, state)
        host = self._host(recorded.inputs.on)
        now = host.read(kind, recorded)
        if now is None:
            left = host.orphans(kind, recorded)
            if left is not None:
                self._report(kind, recorded.inputs.owner, left)
            return None
        for text in _WITHOUT_HOST[kind].warnings(now):
            self._report(kind, recorded.inputs.owner, text)
        return _recorded(recorded.inputs, now)

    def update(self, kind: type[Resource], identity: str, state: Properties, values: Properties) -> Recorded:
        """Bring it from whatever it is now to the inputs. Raises NestedlabError."""
        recorded, inputs = _state(kind, identity, state), loaded(kind, values)
        host = self._host(inputs.on)
        return _recorded(inputs, host.perform(kind, lambda lifecycle: lifecycle.update(inputs, recorded), inputs))

    def delete(self, kind: type[Resource], identity: str, state: Properties) -> None:
        """Remove it and what was made for it, and report what had to be left on the host. Raises NestedlabError."""
        recorded = _state(kind, identity, state)
        host = self._host(recorded.inputs.on)
        left = host.perform(kind, lambda lifecycle: lifecycle.delete(recorded), recorded.inputs)
        if left:
            self._report(kind, recorded.inputs.owner, left)

    def _on_other_hosts(self, inputs: Resource) -> list[str]:
        """Warnings about switches of a machine that the program makes on another host."""
        own = self._host(inputs.on).preflight.nat_switches
        with self._lock:
            hosts = list(self._hosts.items())
        elsewhere = {switch: to.host for to, host in hosts for switch in host.preflight.nat_switches - own}
        return [
            f"switch: the NatSwitch {name!r} of this program is on the host {elsewhere[name.casefold()]}, and this "
            "machine is on another. Give both the same `on`."
            for name in switches_named_by(inputs)
            if name.casefold() in elsewhere
        ]

    def _connection(self, on: str | None) -> Connection:
        return connection(self._configuration, self._environment, on)

    def _host(self, on: str | None) -> _ParentHost:
        to = self._connection(on)
        with self._lock:
            if to not in self._hosts:
                self._hosts[to] = _ParentHost(to, self._sessions(to), self._cancellation)
            return self._hosts[to]


_WITHOUT_HOST: Mapping[type[Resource], AnyLifecycle] = {
    NestedHyperVHost: NestedHyperVHostLifecycle(),
    NatSwitch: NatSwitchLifecycle(),
}
"""What decides on changes, for which no host is asked and no guest is shut down."""


def _lifecycles(to: Connection) -> Mapping[type[Resource], AnyLifecycle]:
    return {
        NestedHyperVHost: NestedHyperVHostLifecycle(to.shutdown_timeout, adopt=to.adopt),
        NatSwitch: NatSwitchLifecycle(adopt=to.adopt),
    }


_NEEDED = {"os_disk", "data_disks", "adapters", "prefix", "nat", "nat_prefix", "forwards", "on", "owner"}
"""Inputs that must be known before it can be checked what a create needs."""


def _state(kind: type[Resource], identity: str, values: Properties) -> AnyObserved:
    return Observed(UUID(identity), loaded(kind, values), loaded(kind.outputs, values))


def _recorded(inputs: Resource, now: AnyObserved) -> Recorded:
    """What a state is to hold of what was read, in the spelling of the inputs."""
    shown = plain(normalised(inputs, now.inputs))
    return Recorded(str(now.id), shown, {**shown, **plain(now.outputs)})


class _ParentHost:
    """One parent host, for one operation: its sessions, and what was asked of it before."""

    def __init__(self, to: Connection, sessions: HostSessions, cancellation: Cancellation) -> None:
        self._sessions = sessions
        self._cancellation = cancellation
        self._lifecycles = _lifecycles(to)
        lock = sessions.lock("prefetch")
        self._prefetch = {
            kind: Prefetch(lifecycle, lock)
            for kind, lifecycle in self._lifecycles.items()
            if isinstance(lifecycle, ReadsMany)
        }
        self.preflight = Preflight(sessions)

    def turn(self, inputs: Resource) -> threading.Lock:
        """The lock that creates of one name hold: the second finds what the first has made."""
        return self._sessions.lock(f"create {inputs.title} {inputs.name.casefold()}")

    def obstacle(
        self, kind: type[Resource], inputs: Resource, replaced: AnyObserved | None = None
    ) -> NestedlabError | None:
        """The error that a create would meet. What is `replaced` is gone by then, and its given disks are free."""
        listed, coming = self.preflight.machines, self.preflight.coming()
        if replaced is not None:
            listed = listed.without(replaced.id) if listed else None
            coming = Facts((*coming.objects, *_given_disks(replaced.inputs)))
        lifecycle = self._lifecycles[kind]
        obstacle = self.preflight.obstacle(lambda: lifecycle.needs(inputs, listed, coming), anew=replaced is not None)
        if obstacle is not None or replaced is None:
            return obstacle
        if isinstance(inputs, NestedHyperVHost) and isinstance(replaced.inputs, NestedHyperVHost):
            return self.preflight.too_little(inputs, replaced.inputs)
        return None

    def read(self, kind: type[Resource], state: AnyObserved) -> AnyObserved | None:
        """The resource, prefetched if it can be; None if it is certainly gone."""
        if kind in self._prefetch:
            now = self._prefetch[kind].read(state, lambda plan: self._perform(plan, state.inputs))
            if now is not None:
                return now
        return self._perform(lambda: self._lifecycles[kind].read(state), state.inputs)

    def orphans(self, kind: type[Resource], state: AnyObserved) -> str | None:
        """What is left on the host of one that is gone from it, in words."""
        return self._perform(lambda: self._lifecycles[kind].orphans(state), state.inputs)

    def perform(self, kind: type[Resource], plan: Callable[[AnyLifecycle], Plan[T]], about: Resource) -> T:
        """Perform a plan of the kind's lifecycle that changes the host, on a session of its own."""
        try:
            return self._perform(lambda: plan(self._lifecycles[kind]), about)
        finally:
            self.preflight.note_change()

    def _perform(self, plan: Callable[[], Plan[T]], about: Resource) -> T:
        """Perform a fresh plan; if an answer was lost, begin again: every plan begins with reading what is there."""
        with self._sessions.borrow() as runner:
            try:
                for attempt in Retrying(
                    retry=retry_if_exception_type(Interrupted), stop=stop_after_attempt(LOST_ANSWER), reraise=True
                ):
                    with attempt:
                        return perform(plan(), runner, self._cancellation.wait)
            except HalfMade as half:
                raise HalfMade(_located(half.error, runner.host, about), half.made) from half
            except NestedlabError as error:
                raise _located(error, runner.host, about) from error
        raise AssertionError("unreachable: the last attempt returns or raises")


def _given_disks(inputs: Resource) -> list[PSObject]:
    if not isinstance(inputs, NestedHyperVHost):
        return []
    paths = (disk.path for disk in (inputs.os_disk, *(inputs.data_disks or ())) if disk is not None)
    return [PSObject("VirtualHardDisk", {"Path": path}) for path in paths if path]


def _located(error: NestedlabError, host: str, about: Resource) -> NestedlabError:
    """The error with the host and the resource that it is about, once."""
    text = str(error)
    return type(error)(f"{host}: {text}" if text.startswith(about.subject) else f"{host}: {about.subject}: {text}")
