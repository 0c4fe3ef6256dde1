"""The dynamic front: translates between Pulumi's dynamic providers and the provider, and holds no rules."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from nestedlab.adapters import engine_log, log_file, plain_errors, urns
from nestedlab.adapters.secret_inputs import keep_secret
from nestedlab.adapters.wire import from_wire, path_on_wire, to_wire
from nestedlab.connection import SETTINGS, Connection
from nestedlab.declare import Resource
from nestedlab.errors import AccessError, UnreachableError
from nestedlab.lifecycle import HalfMade
from nestedlab.provider import KINDS, Provider
from nestedlab.psrp.sessions import Sessions, sessions_with

LOG_VARIABLE = "NESTEDLAB_LOG"
"""Environment variable with the path of a file to log every step and every answer's errors to."""

_KINDS: Mapping[str, type[Resource]] = {kind.__name__: kind for kind in KINDS}


@dataclass(frozen=True)
class DynamicFront:
    """A kind of resource, in terms of Pulumi's dynamic provider protocol."""

    kind: type[Resource]
    provider: Provider

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs; those that have no value yet stay as they are."""
        keep_secret(olds)
        secret = keep_secret(news)
        values, unknown = from_wire(self.kind, news)
        old_inputs, _ = from_wire(self.kind, olds)
        checked = self.provider.check(self.kind, values, unknown, old_inputs)
        if checked.failures:
            return CheckResult(
                news, [CheckFailure(path_on_wire(failure.path), failure.reason) for failure in checked.failures]
            )
        pending = {row.wire: news[row.wire] for row in self.kind.attributes() if row.name in unknown}
        return CheckResult({**to_wire(checked.inputs), **pending, **secret}, [])

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare the state with the inputs."""
        keep_secret(olds, news)
        state, _ = from_wire(self.kind, olds)
        values, unknown = from_wire(self.kind, news)
        diff = self.provider.diff(self.kind, id_, state, values, unknown)
        return DiffResult(
            changes=diff.has_changes,
            replaces=[row.wire for row in diff.replaces],
            delete_before_replace=True,  # names on the host are fixed: the old object has to go first
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create it, and roll back what could not be completed: the protocol cannot record a half-made resource."""
        secret = keep_secret(props)
        values, _ = from_wire(self.kind, props)
        try:
            created = self.provider.create(self.kind, values)
        except HalfMade as half_made:
            self.provider.undo(self.kind, half_made)
        return CreateResult(created.id, {**to_wire(created.state), **secret})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Read it; a blank id reports to the engine that it is gone."""
        secret = keep_secret(props)
        state, _ = from_wire(self.kind, props)
        with _settings_of_the_state():
            recorded = self.provider.read(self.kind, id_, state)
        if recorded is None:
            return ReadResult("", {})
        return ReadResult(id_, {**to_wire(recorded.state), **secret}, {**to_wire(recorded.inputs), **secret})

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Update it to the inputs."""
        keep_secret(olds)
        secret = keep_secret(news)
        state, _ = from_wire(self.kind, olds)
        values, _ = from_wire(self.kind, news)
        return UpdateResult({**to_wire(self.provider.update(self.kind, id_, state, values).state), **secret})

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Remove it from the host."""
        keep_secret(props)
        state, _ = from_wire(self.kind, props)
        with _settings_of_the_state():
            self.provider.delete(self.kind, id_, state)


@contextmanager
def _settings_of_the_state() -> Iterator[None]:
    """Say which settings were used if a host cannot be reached or does not let the user in.

    For a refresh and a destroy the engine hands over the configuration that it keeps in the state with its provider.
    """
    try:
        yield
    except (AccessError, UnreachableError) as error:
        raise type(error)(
            f"{str(error).rstrip('.')}. (`pulumi refresh` and `pulumi destroy` use the settings of the last "
            "`pulumi up`. If you have changed them since, run `pulumi up` first, or add --run-program.)"
        ) from error


def configured(kind: str, request: ConfigureRequest) -> DynamicFront:
    """The front of a kind, for the stack's configuration and this process's environment."""
    plain_errors.install()
    if path := os.environ.get(LOG_VARIABLE):
        log_file.start(path)
    return DynamicFront(_KINDS[kind], _provider(json.dumps(settings_of(request), sort_keys=True)))


def settings_of(request: ConfigureRequest) -> dict[str, Any]:
    """The settings that the stack's configuration has."""
    return {key: value for key in SETTINGS if (value := request.config.get(key)) is not None}


@cache
def _provider(settings: str) -> Provider:
    """The provider that all kinds of a configuration share: each kind is configured by itself, in the same process."""
    return Provider(json.loads(settings), os.environ, _sessions, _report)


def _sessions(to: Connection) -> Sessions:
    """The sessions with a host; what they need is loaded first.

    What is loaded by then stays for as long as the process, and is no garbage: searching it took a seventh of an `up`.
    """
    import nestedlab.psrp.session  # noqa: F401, PLC0415 - see psrp.sessions.new_session

    gc.freeze()
    return sessions_with(to)


def _report(kind: type[Resource], owner: str, text: str) -> None:
    engine_log.warn(urns.urn(kind.__name__, owner), text)
