"""A small language for a host that misbehaves: declared beforehand, decided per request, printable.

A rule is an effect and a moment: `drop-answer Command#2` does the second Command's work and loses the answer.
Moments count the WSMan requests that match, from when the plan was armed; `#*` is every one, `any` is any action.

    drop-request Create#1       the connection breaks before the request is handled
    drop-answer any#7           the work is done, then the connection breaks
    delay=0.5 Receive#*         seconds of waiting before the request is handled
    stall=60 any#3              nothing is done and nothing answered until the client goes, or so many seconds are over
    fault=2150859173 Create#2   a WSManFault of that number; nothing is done
    restart Command#3           all shells are gone and all connections broken; the host keeps its state
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Literal, cast, get_args

Effect = Literal["drop-request", "drop-answer", "delay", "stall", "fault", "restart"]
ANY = "any"
ACTIONS = (
    *("Create", "Command", "Receive", "Send", "Signal", "Delete"),
    *("Connect", "Disconnect", "Reconnect", "Enumerate", "Pull", "Get"),
)
"""The WSMan actions that a client of PowerShell sends."""
_RULE = re.compile(r"(?P<effect>[a-z-]+)(?:=(?P<value>[\d.]+))?\s+(?P<action>\w+)#(?P<number>\d+|\*)")
_WITH_VALUE = {"delay", "stall", "fault"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One misfortune: what happens, and at which request. `number` is None for every matching one."""

    effect: Effect
    action: str = ANY
    number: int | None = None
    value: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read a rule as it is printed. Raises ValueError."""
        found = _RULE.fullmatch(text.strip())
        if not found or found["effect"] not in get_args(Effect):
            raise ValueError(f"no rule of a fault plan: {text!r}; a rule reads like 'drop-answer Command#2'")
        if (found["value"] is not None) != (found["effect"] in _WITH_VALUE):
            raise ValueError(f"{text!r}: delay, stall and fault take a value, as in delay=0.5, and nothing else does")
        if found["action"] not in {ANY, *ACTIONS}:
            raise ValueError(f"{text!r}: {found['action']!r} is not one of {', '.join((ANY, *ACTIONS))}")
        number = None if found["number"] == "*" else int(found["number"])
        return cls(cast("Effect", found["effect"]), found["action"], number, float(found["value"] or 0))

    def __str__(self) -> str:
        value = f"={self.value:.0f}" if self.effect == "fault" else f"={self.value:g}"
        number = "*" if self.number is None else self.number
        return f"{self.effect}{value if self.effect in _WITH_VALUE else ''} {self.action}#{number}"


class FaultPlan:
    """Rules, and how many matching requests each has seen."""

    def __init__(self, rules: Iterable[Rule | str] = ()) -> None:
        self.rules = tuple(rule if isinstance(rule, Rule) else Rule.parse(rule) for rule in rules)
        self._seen = [0] * len(self.rules)
        self._fired: list[Rule] = []
        self._lock = Lock()

    def take(self, action: str) -> tuple[Rule, ...]:
        """Count a request and give the rules that it meets."""
        with self._lock:
            met = tuple(rule for index, rule in enumerate(self.rules) if self._meets(index, rule, action))
            self._fired.extend(met)
        return met

    @property
    def fired(self) -> tuple[Rule, ...]:
        """The rules that took effect, in order."""
        return tuple(self._fired)

    def __str__(self) -> str:
        return "; ".join(map(str, self.rules))

    def _meets(self, index: int, rule: Rule, action: str) -> bool:
        if rule.action not in {ANY, action}:
            return False
        self._seen[index] += 1
        return rule.number is None or rule.number == self._seen[index]
