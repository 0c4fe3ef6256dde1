"""The provider without Pulumi: plain values and real sessions, against a simulated host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from nestedlab.connection import Connection, connection
from nestedlab.lifecycle import HalfMade, check
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.plain import plain
from nestedlab.provider import Diff, Recorded
from nestedlab.provider import Provider as PlainProvider
from nestedlab.psrp.sessions import Sessions

if TYPE_CHECKING:
    from tests.conftest import Parent

    from nestedlab.declare import Resource
    from nestedlab.lifecycle import CheckFailed
    from nestedlab.perform import Cancellation

GUEST_SECONDS = 1.0
"""What a guest gets to shut down in these tests."""

KINDS: dict[str, type[Resource]] = {"machine": NestedHyperVHost, "switch": NatSwitch}

STACK = "5ca1ab1e"
"""The identity of the stack."""

USUAL: dict[str, dict[str, Any]] = {
    "machine": {"name": "hv1", "owner": "lab/dev/hv1", "stack_id": STACK, "os_disk": {"size_gib": 80}},
    "switch": {"name": "lab-net", "owner": "lab/dev/lab-net", "stack_id": STACK, "prefix": "192.168.50.0/24"},
}


@dataclass(frozen=True)
class Thing:
    """A resource as a state records it."""

    id: UUID
    values: dict[str, Any]


@dataclass
class Provider:
    """What a process of the provider does on a host; `kind` is "machine" or "switch"."""

    parent: Parent
    sessions: Sessions
    plain: PlainProvider
    warnings: list[str] = field(default_factory=list)

    def validated(self, kind: str, before: dict[str, Any] | None = None, **inputs: Any) -> list[CheckFailed]:
        """What is wrong with a program's inputs."""
        return list(self.plain.check(KINDS[kind], self.inputs(kind, **inputs), before=before).failures)

    def desired(self, kind: str, **inputs: Any) -> dict[str, Any]:
        """A program's inputs once checked; inputs that are not given are the usual inputs."""
        checked, failures = check(KINDS[kind], self.inputs(kind, **inputs))
        assert checked is not None, failures
        return plain(checked)

    def inputs(self, kind: str, **inputs: Any) -> dict[str, Any]:
        """A program's inputs; inputs that are not given are the usual inputs."""
        return {**USUAL[kind], **inputs}

    def diff(self, kind: str, thing: Thing, **inputs: Any) -> Diff:
        return self.plain.diff(KINDS[kind], str(thing.id), thing.values, self.desired(kind, **inputs))

    def create(self, kind: str, **inputs: Any) -> Thing:
        try:
            return _thing(self.plain.create(KINDS[kind], self.desired(kind, **inputs)))
        except HalfMade as half_made:
            self.plain.undo(KINDS[kind], half_made)

    def read(self, kind: str, thing: Thing) -> Thing | None:
        recorded = self.plain.read(KINDS[kind], str(thing.id), thing.values)
        return _thing(recorded) if recorded else None

    def seen(self, kind: str, thing: Thing) -> Thing:
        """What a refresh records of a resource that is there."""
        now = self.read(kind, thing)
        assert now is not None
        return now

    def update(self, kind: str, thing: Thing, **inputs: Any) -> Thing:
        checked = self.desired(kind, **inputs)
        return _thing(self.plain.update(KINDS[kind], str(thing.id), thing.values, checked))

    def delete(self, kind: str, thing: Thing) -> None:
        self.plain.delete(KINDS[kind], str(thing.id), thing.values)


def _thing(recorded: Recorded) -> Thing:
    return Thing(UUID(recorded.id), recorded.state)


NewProvider = Callable[..., Provider]
"""Starts a provider for a host: `new_provider(parent, password="wrong")`; settings are the connection's."""


@pytest.fixture
def new_provider() -> Iterator[NewProvider]:
    """Start providers, whose sessions end with the test, before the host does."""
    with ExitStack() as cleanup:

        def new(parent: Parent, cancellation: Cancellation | None = None, **settings: str) -> Provider:
            settings = {"shutdownTimeout": str(GUEST_SECONDS), **settings}
            sessions: dict[Connection, Sessions] = {}

            def sessions_with(to: Connection) -> Sessions:
                if to not in sessions:
                    sessions[to] = Sessions(to)
                    cleanup.callback(sessions[to].close)
                return sessions[to]

            warnings: list[str] = []
            configuration = {f"nestedlab:{name}": value for name, value in settings.items()}
            plain_provider = PlainProvider(
                configuration,
                parent.environment,
                sessions_with,
                lambda _kind, _owner, text: warnings.append(text),
                cancellation,
            )
            default = sessions_with(connection(configuration, parent.environment))
            return Provider(parent, default, plain_provider, warnings)

        yield new


@pytest.fixture
def provider(new_provider: NewProvider, parent: Parent) -> Provider:
    """A provider for the usual host."""
    return new_provider(parent)
