"""A simulated host to talk to in PowerShell's own spelling, without a wire."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from uuid import UUID

import pytest

from hyperv_sim.host import ENDPOINT, SimulatedHost
from hyperv_sim.records import (
    Command,
    Ended,
    EnumMember,
    ErrorRecord,
    Failure,
    InvocationFailedError,
    NetObject,
    Output,
    Parameter,
    Record,
    Scalar,
    Value,
    Warned,
)

UNITS = {"KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
TOKEN = re.compile(r"'[^']*'(?:,'[^']*')*|\S+")


def spoken(value: Value) -> Any:
    """A value as a test writes it: plain, enumerations as [name, number], objects as dicts."""
    if isinstance(value, Scalar):
        return str(value.value) if isinstance(value.value, UUID) else value.value
    if isinstance(value, EnumMember):
        return [value.name, value.number]
    if isinstance(value, NetObject):
        return {name: spoken(item) for name, item in {**value.adapted, **value.extended}.items()}
    return [spoken(item) for item in value] if isinstance(value, tuple) else value


@dataclass(slots=True)
class Answer:
    """What an invocation gave, sorted by stream; `failed` is set where the invocation as a whole failed.

    `unheard` statements have run after the client was told of an end.
    """

    output: list[Any] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    errors: list[ErrorRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failed: ErrorRecord | None = None
    unheard: int = 0

    @property
    def ids(self) -> list[str]:
        """The ids of all errors, the fatal one last."""
        return [error.fully_qualified_error_id for error in [*self.errors, *self.fatal]]

    @property
    def fatal(self) -> list[ErrorRecord]:
        """The error that the invocation as a whole failed with, if it did."""
        return [self.failed] if self.failed else []

    def take(self, record: Record) -> None:
        """Add a record."""
        if isinstance(record, Output):
            self.values.append(record.value)
            self.output.append(spoken(record.value))
        elif isinstance(record, Failure):
            self.errors.append(record.error)
        elif isinstance(record, Warned):
            self.warnings.append(record.message)
        elif isinstance(record, Ended):
            self.failed = record.error
        else:
            self.unheard += 1


class Talk:
    """One host and one shell on it. Statements are parted by `;`, commands by `|`, and `@name` is a machine's id.

    `role` is the text of a role capability: the shell is then that of an endpoint with it.
    """

    def __init__(self, role: str = "", **parts: Any) -> None:
        self.host = SimulatedHost(**parts)
        if role:
            self.host.restrict("restricted", role)
        shell = self.host.shells("restricted" if role else ENDPOINT)
        assert shell is not None
        self.shell = shell

    def __call__(self, text: str, stop: Event | None = None) -> Answer:
        """Invoke all statements of the text at once."""
        answer = Answer()
        try:
            for record in self.shell.invoke(self.statements(text), stop or Event()):
                answer.take(record)
        except InvocationFailedError as failure:
            answer.failed = failure.error
        return answer

    def statements(self, text: str) -> list[Sequence[Command]]:
        """Statements as a client sends them."""
        return [[self._command(command) for command in statement.split(" | ")] for statement in text.split("; ")]

    def _command(self, text: str) -> Command:
        name, *tokens = TOKEN.findall(text)
        return Command(name, tuple(self._parameters(tokens)))

    def _parameters(self, tokens: list[str]) -> Iterator[Parameter]:
        while tokens:
            token = tokens.pop(0)
            if not token.startswith("-"):
                yield Parameter(None, self._value(token))
            elif ":" in token:
                name, value = token[1:].split(":")
                yield Parameter(f"-{name}:", self._value(value))
            else:
                bare = not tokens or tokens[0].startswith("-")
                yield Parameter(token, None) if bare else Parameter(token[1:], self._value(tokens.pop(0)))

    def _value(self, token: str) -> Value:
        if "," in token and not re.fullmatch(r"'[^']*'", token):
            return tuple(self._value(part) for part in token.split(","))
        if token in ("$true", "$false"):
            return Scalar("Boolean", token == "$true")
        if token == "$null":
            return None
        if token.startswith("@"):
            return Scalar("Guid", self.machine(token[1:]).id)
        number = re.fullmatch(r"(\d+)([KMGT]B)?", token)
        if number:
            amount = int(number[1]) * UNITS.get(number[2] or "", 1)
            return Scalar("Int32" if amount < 2**31 else "Int64", amount)
        return Scalar("String", token.strip("'"))

    def machine(self, name: str) -> Any:
        """The state of the machine of this name."""
        (found,) = [machine for machine in self.host.state.machines.values() if machine.name == name]
        return found


@pytest.fixture
def talk() -> type[Talk]:
    """How a test makes a host to talk to."""
    return Talk
