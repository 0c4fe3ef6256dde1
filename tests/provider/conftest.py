"""The provider without Pulumi: handlers and real sessions, against a simulated host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from nestedlab.handler import Handler
from nestedlab.lifecycle import Lifecycle, check
from nestedlab.psrp.sessions import Sessions
from nestedlab.machine.lifecycle import NestedHyperVHostLifecycle
from nestedlab.nat_switch.lifecycle import NatSwitchLifecycle

if TYPE_CHECKING:
    from tests.conftest import Parent

    from nestedlab.lifecycle import Found

GUEST_SECONDS = 1.0
"""What a guest gets to shut down in these tests."""

USUAL: dict[str, dict[str, Any]] = {
    "machine": {"name": "hv1", "owner": "lab/dev/hv1", "os_disk": {"size_gib": 80}},
    "switch": {"name": "lab-net", "owner": "lab/dev/lab-net", "prefix": "192.168.50.0/24"},
}


@dataclass
class Provider:
    """What one process of the provider does on one host; `kind` is "machine" or "switch"."""

    parent: Parent
    sessions: Sessions

    def handler(self, kind: str) -> Handler:
        lifecycle: Lifecycle = NatSwitchLifecycle() if kind == "switch" else NestedHyperVHostLifecycle(GUEST_SECONDS)
        return Handler(lifecycle, self.sessions)

    def desired(self, kind: str, **inputs: Any) -> dict[str, Any]:
        """What a program's inputs come to, with the usual ones for those not given."""
        asked, failures = check(self.handler(kind).lifecycle.kind, self.inputs(kind, **inputs))
        assert not failures
        return asked

    def inputs(self, kind: str, **inputs: Any) -> dict[str, Any]:
        """A program's inputs, with the usual ones for those not given."""
        return {**USUAL[kind], **inputs}

    def create(self, kind: str, **inputs: Any) -> Found:
        return self.handler(kind).create(self.desired(kind, **inputs))

    def read(self, kind: str, thing: Found) -> Found | None:
        return self.handler(kind).read(thing.id, thing.values)

    def update(self, kind: str, thing: Found, **inputs: Any) -> Found:
        return self.handler(kind).update(thing.id, self.desired(kind, **inputs), thing.values)

    def delete(self, kind: str, thing: Found) -> None:
        self.handler(kind).delete(thing.id, thing.values)


NewProvider = Callable[..., Provider]
"""Starts a provider for a host: `new_provider(parent, password="wrong")`; settings are the connection's."""


@pytest.fixture
def new_provider() -> Iterator[NewProvider]:
    """Start providers, whose sessions end with the test, before the host does."""
    with ExitStack() as cleanup:

        def new(parent: Parent, **settings: str) -> Provider:
            sessions = Sessions(parent.connection(**settings))
            cleanup.callback(sessions.close)
            return Provider(parent, sessions)

        yield new


@pytest.fixture
def provider(new_provider: NewProvider, parent: Parent) -> Provider:
    """A provider for the usual host."""
    return new_provider(parent)
