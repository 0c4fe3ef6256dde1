"""The engine's events of an operation, and what follows from them: steps, the cause of a failure, drift. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from nestedlab.adapters.urns import type_of
from nestedlab.classroom.work import Drift

_UNDECLARED = ("pulumi:pulumi:", "pulumi:providers:", type_of("StackIdentity"))
"""How the types of resources begin that no program declares."""

_KINDS = {type_of("NestedHyperVHost"): "machine", type_of("NatSwitch"): "switch"}

_DOING = {
    "create": "creates",
    "update": "updates",
    "delete": "removes",
    "replace": "replaces",
    "create-replacement": "creates anew",
    "delete-replaced": "removes the old",
    "refresh": "reads",
    "read": "reads",
    "same": "checks",
}


class Stage(Enum):
    """Where a step is."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """A step on a resource, with its inputs before and after."""

    stage: Stage
    op: str
    urn: str
    type: str
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None

    @property
    def declared(self) -> bool:
        """Whether the program has declared the resource."""
        return not self.type.startswith(_UNDECLARED)


@dataclass(frozen=True)
class Message:
    """A message of the engine, a program or a provider."""

    severity: str
    text: str
    urn: str = ""


Event = Step | Message


@dataclass
class Operated:
    """All events of one operation."""

    steps: list[Step] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Add an event."""
        if isinstance(event, Message):
            self.messages.append(event)
        elif event.declared:
            self.steps.append(event)

    @property
    def changes(self) -> Mapping[str, int]:
        """The number of resources by what was done with them."""
        return Counter(step.op for step in self.steps if step.stage is Stage.DONE and step.op != "refresh")

    def has_changed(self, urn: str) -> bool:
        """Whether something was done with a resource."""
        return any(step.urn == urn and step.op not in ("same", "refresh") for step in self.steps)

    @property
    def cause(self) -> str:
        """Why it failed, as the first message says that is about a resource, or else about the program."""
        errors = [message for message in self.messages if message.severity == "error" and message.text.strip()]
        about = [message for message in errors if message.urn and "pulumi:pulumi:Stack" not in message.urn]
        causes = [_cause(message) for message in about or errors]
        return next((cause for cause in causes if cause), "")

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings, each once."""
        texts = [message.text.strip() for message in self.messages if message.severity == "warning"]
        return tuple(dict.fromkeys(text for text in texts if text))

    @property
    def drift(self) -> tuple[Drift, ...]:
        """What a refresh has found that is not as the program has set it."""
        # A refresh tells its result in the step's last event: "update" and "delete" are what it would do to the state.
        ended = {step.urn: step for step in self.steps if step.stage is Stage.DONE}
        return tuple(drift for step in ended.values() for drift in _drift(step))


def named(urn: str) -> str:
    """The logical name in a resource's URN."""
    return urn.rsplit("::", 1)[-1]


def kind_of(type_: str) -> str:
    """What a resource of a type is, in a word."""
    return _KINDS.get(type_, type_.rsplit(":", 1)[-1])


def doing(event: Event) -> str:
    """An event in words, for progress; "" if it says nothing."""
    if isinstance(event, Message) or event.stage is not Stage.BEGUN or not event.declared:
        return ""
    return f"{_DOING.get(event.op, event.op)} {kind_of(event.type)} {named(event.urn)}"


def _cause(message: Message) -> str:
    """A message's own line: Python puts it last, after `Type: `, the engine and our provider have it alone."""
    lines = [line.strip() for line in message.text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _drift(step: Step) -> Iterator[Drift]:
    about = (step.urn, named(step.urn), kind_of(step.type))
    if step.op == "delete":
        yield Drift(*about, property="", expected="there", found="gone")
    elif step.old is not None and step.new is not None:
        for key in sorted({*step.old, *step.new} - {"__provider"}):
            if step.old.get(key) != step.new.get(key):
                yield Drift(*about, property=key, expected=step.old.get(key), found=step.new.get(key))
