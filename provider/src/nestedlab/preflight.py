"""What can be told before anything is made: what the parent host rules out, and what a lab lacks.

One foresight belongs to one operation (a preview, an update): it asks the host once, whatever the number of resources,
and adds up what they take.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator

from nestedlab.declare import Properties
from nestedlab.errors import AccessError, Interrupted, NestedlabError, RefusedError, UnreachableError, kind_of
from nestedlab.handler import Runners
from nestedlab.pipeline import ErrorKind, Facts
from nestedlab.requirements import SURVEY, Demand, Finding, capacity, findings, version_findings
from nestedlab.machine.disks.table import growth


class Foresight:
    """Tells what a stack's resources will meet on a host. Safe across threads."""

    def __init__(self, runners: Runners) -> None:
        self._runners = runners
        self._lock = threading.Lock()
        self._facts: Facts | None = None
        self._asked = False
        self._said: set[tuple[str, str]] = set()
        self._demands: dict[str, Demand] = {}
        self._nat_switches: set[str] = set()

    def switch(self, inputs: Properties) -> None:
        """Take note of a NAT switch of the program."""
        if inputs.get("name"):
            with self._lock:
                self._nat_switches.add(inputs["name"].casefold())

    def machine(self, inputs: Properties, unknown: Collection[str], before: Properties) -> list[str]:
        """Warnings about a machine of the program, each said once an operation. `before` are its inputs so far, if any.

        Raises RefusedError where the host rules out nested hosts and the machine is not there yet.
        """
        with self._lock:
            return list(self._warnings(inputs, unknown, before))

    def _warnings(self, inputs: Properties, unknown: Collection[str], before: Properties) -> Iterator[str]:
        # Where a program has several hosts, its own name of one says which it is about.
        on = f"{inputs['on']}: " if inputs.get("on") else ""
        version = inputs.get("configuration_version") or ""
        yield from (f"{on}{one}" for one in self._of_host(version, exists=bool(before)))
        if self._facts is not None:
            self._demands[inputs["owner"]] = _demand(inputs, before)
            yield from (f"{on}{one}" for one in self._once(capacity(self._facts, self._demands)))
        yield from self._once(_network(inputs, unknown, self._nat_switches))

    def _of_host(self, version: str, *, exists: bool) -> Iterator[str]:
        if not self._asked:
            self._asked = True
            try:
                with self._runners.borrow() as runner:
                    self._facts = runner.run(SURVEY)
            except (UnreachableError, AccessError, Interrupted) as error:
                yield _unchecked(error)
            else:
                yield from _not_all_checked(self._facts)
        found = [] if self._facts is None else [*findings(self._facts), *version_findings(self._facts, version)]
        for one in found:
            if one.refuses and not exists:
                raise RefusedError(f"the parent host cannot run nested hosts. {one}")
        yield from self._once(found)

    def _once(self, found: Iterable[Finding]) -> Iterator[str]:
        for one in found:
            if (one.requirement, one.of) not in self._said:
                self._said.add((one.requirement, one.of))
                yield str(one)


def _unchecked(error: NestedlabError) -> str:
    return (
        "the parent host could not be asked, so that its Windows, processor, memory and disk space are not checked "
        f"here: {error}"
    )


def _not_all_checked(facts: Facts) -> Iterator[str]:
    """Where the host has answered, but its account or endpoint may not ask all of it."""
    refused = {one.cmdlet: one.message for one in facts.errors if kind_of(one) is not ErrorKind.NO_COMMAND}
    if refused:
        said = "; ".join(f"{cmdlet}: {message}" for cmdlet, message in refused.items())
        yield (
            "the parent host did not tell all that is checked here of its Windows, processor, memory and disk space "
            f"({said}). See the rights in docs/production.md; what is not told is not judged."
        )


def _demand(inputs: Properties, before: Properties) -> Demand:
    memory = inputs.get("memory_mib", 0) if inputs.get("running", True) else 0
    return Demand(memory, growth(inputs, before), inputs.get("path") or "")


def _network(inputs: Properties, unknown: Collection[str], nat_switches: Collection[str]) -> Iterator[Finding]:
    """S7, S8: machines inside the nested host reach the network by MAC spoofing or through a NAT."""
    if {"switch", "adapters", "mac_spoofing"} & set(unknown):
        return
    adapters = inputs.get("adapters") or [{"switch": inputs.get("switch"), "mac_spoofing": inputs.get("mac_spoofing")}]
    spoofs = any(one.get("mac_spoofing") for one in adapters)
    behind_nat = any(str(one.get("switch") or "").casefold() in nat_switches for one in adapters)
    if not spoofs and not behind_nat:
        yield Finding(
            "S7, S8",
            "machines inside this nested host will have no network: none of its adapters may send with their MAC "
            "addresses, and none is on a NatSwitch of this program. Set mac_spoofing where the network allows it, "
            "connect it to a NatSwitch, or make a NAT inside it.",
            of=inputs["owner"],
        )
