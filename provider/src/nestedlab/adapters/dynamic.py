"""The dynamic front: Pulumi's Python dynamic providers for our resources.

Their import path is a file format: it stands in every stack's state, by reference. Never move or rename this module or
the two classes at its end (decision 0002). They have no instance state, for the same reason.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from nestedlab.adapters import engine_log, plain_errors
from nestedlab.adapters.wire import from_wire, path_on_wire, to_wire
from nestedlab.connection import SETTINGS, Connection, connection
from nestedlab.declare import Properties, Resource
from nestedlab.errors import RefusedError
from nestedlab.preflight import Foresight
from nestedlab.handler import Handler
from nestedlab.lifecycle import Lifecycle, check, diff, settled
from nestedlab.psrp.sessions import sessions_with
from nestedlab.prefetch import LooksAround, ReadAhead
from nestedlab.machine.lifecycle import NestedHyperVHostLifecycle
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.nat_switch.lifecycle import NatSwitchLifecycle
from nestedlab.machine.table import NestedHyperVHost

LOG_VARIABLE = "NESTEDLAB_LOG"
"""Environment variable with the path of a file to log every step and every answer's errors to."""

# The stack's configuration, as the engine gave it to this process.
_configuration: dict[str, Any] = {}


def _connection(inputs: Properties) -> Connection:
    return connection(_configuration, os.environ, inputs.get("on"))


@cache
def _foresight(to: Connection) -> Foresight:
    """The foresight of this process, which lives for one operation."""
    return Foresight(sessions_with(to))


_LIFECYCLES: Mapping[str, Callable[[Connection], Lifecycle]] = {
    NestedHyperVHost.__name__: lambda to: NestedHyperVHostLifecycle(to.shutdown_timeout),
    NatSwitch.__name__: lambda _: NatSwitchLifecycle(),
}


@cache
def _ahead(kind: str, to: Connection) -> ReadAhead | None:
    """What this process, which lives for one operation, reads ahead of a kind of resource on a host."""
    lifecycle = _LIFECYCLES[kind](to)
    return ReadAhead(lifecycle, sessions_with(to).lock("reading ahead")) if isinstance(lifecycle, LooksAround) else None


def urn_of(kind: type[Resource], owner: str) -> str:
    """The URN of a resource, from its owner: project/stack/name, or project/stack/types of its parents::name."""
    project, stack, rest = owner.split("/", 2)
    parents, _, name = rest.partition("::") if "::" in rest else ("", "", rest)
    types = f"{parents}$" if parents else ""
    return f"urn:pulumi:{stack}::{project}::{types}pulumi-python:dynamic/nestedlab:{kind.__name__}::{name}"


class _Provider(ResourceProvider):
    """Translates; all else is the handler's."""

    serialize_as_secret_always = False
    kind: ClassVar[type[Resource]]

    def configure(self, req: ConfigureRequest) -> None:
        """Take the stack's configuration. Connects to nothing: a preview works with the host down."""
        plain_errors.install()
        _configuration.update({key: req.config.get(key) for key in SETTINGS})
        if path := os.environ.get(LOG_VARIABLE):
            logging.basicConfig(filename=path, format="%(asctime)s %(threadName)s %(levelname)s %(message)s")
            logging.getLogger("nestedlab").setLevel(logging.DEBUG)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs and fill in the defaults."""
        asked, unknown = from_wire(self.kind, news)
        knows_host = "on" not in unknown
        if knows_host:
            _connection(asked)
        before, _ = from_wire(self.kind, olds)
        inputs, failures = check(self.kind, asked, unknown, before)
        if failures:
            return CheckResult(news, [CheckFailure(path_on_wire(one.path), one.reason) for one in failures])
        if knows_host and "owner" not in unknown:
            self._foresee(inputs, unknown, before)
        pending = {one.wire: news[one.wire] for one in self.kind.inputs() if one.name in unknown}
        return CheckResult({**to_wire(self.kind, inputs), **pending}, [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare what was found at the last look with what is asked for."""
        found, _ = from_wire(self.kind, olds)
        asked, unknown = from_wire(self.kind, news)
        difference = diff(self.kind, found, asked, unknown)
        # What has no value yet may stay as it is: nothing is told of it.
        wanted = {**asked, **{name: found.get(name) for name in unknown}}
        changed, replaced = (
            [one for one in attributes if one.name not in unknown]
            for attributes in (difference.changed, difference.replaced)
        )
        for one in self.kind.consequences(found, wanted, changed, replaced):
            if one.forbidden:
                raise RefusedError(f"{self.kind.title} {wanted['name']!r}: {one.text}")
            engine_log.warn(urn_of(self.kind, wanted["owner"]), one.text)
        return DiffResult(
            changes=bool(difference.changed),
            replaces=[one.wire for one in difference.replaced],
            delete_before_replace=True,  # names on the host are fixed: the old one has to go first
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make it on the host."""
        desired, _ = from_wire(self.kind, props)
        found = self._handler(desired).create(desired)
        return CreateResult(str(found.id), self._outputs(desired, found.values))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at it; a blank id tells the engine that it is gone."""
        known, _ = from_wire(self.kind, props)
        found = self._handler(known).read(UUID(id_), known)
        if found is None:
            for text in self.kind.left_behind(known):
                engine_log.warn(urn_of(self.kind, known["owner"]), text)
            return ReadResult("", {})
        now = settled(self.kind, known, found.values)
        inputs = {one.name for one in self.kind.inputs()}
        return ReadResult(id_, to_wire(self.kind, now), to_wire(self.kind, now, inputs))

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Bring it to what is asked for."""
        known, _ = from_wire(self.kind, olds)
        desired, _ = from_wire(self.kind, news)
        found = self._handler(desired).update(UUID(id_), desired, known)
        return UpdateResult(self._outputs(desired, found.values))

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Remove it from the host."""
        known, _ = from_wire(self.kind, props)
        self._handler(known).delete(UUID(id_), known)

    def _outputs(self, desired: Properties, found: Properties) -> dict[str, Any]:
        return to_wire(self.kind, settled(self.kind, desired, found))

    def _handler(self, inputs: Properties) -> Handler:
        to = _connection(inputs)
        kind = self.kind.__name__
        return Handler(_LIFECYCLES[kind](to), sessions_with(to), _ahead(kind, to))

    def _foresee(self, inputs: Properties, unknown: Collection[str], before: Properties) -> None:
        """Tell what the resource will meet on its host, before anything is made."""


class NestedHyperVHostProvider(_Provider):
    """The dynamic provider of NestedHyperVHost."""

    kind = NestedHyperVHost

    def _foresee(self, inputs: Properties, unknown: Collection[str], before: Properties) -> None:
        for text in _foresight(_connection(inputs)).machine(inputs, unknown, before):
            engine_log.warn(urn_of(self.kind, inputs["owner"]), text)


class NatSwitchProvider(_Provider):
    """The dynamic provider of NatSwitch."""

    kind = NatSwitch

    def _foresee(self, inputs: Properties, unknown: Collection[str], before: Properties) -> None:  # noqa: ARG002
        _foresight(_connection(inputs)).switch(inputs)
