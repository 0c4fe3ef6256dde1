"""What is checked before a change: what the parent host rules out, and what a lab lacks.

One preflight belongs to one operation (a preview, an update): it asks the host once, whatever the number of resources,
and adds up what they take.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator

from nestedlab.declare import Resource
from nestedlab.errors import AccessError, Interrupted, NestedlabError, RefusedError, UnreachableError, kind_of
from nestedlab.machine.adapters.table import Adapter
from nestedlab.machine.disks.slots import growth
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.perform import Runners, answer_to
from nestedlab.pipeline import ErrorKind, Facts
from nestedlab.requirements import SURVEY, Demand, Finding, capacity, findings, version_findings


class Preflight:
    """Checks what a stack's resources will meet on a host. Safe across threads."""

    def __init__(self, runners: Runners) -> None:
        self._runners = runners
        self._lock = threading.Lock()
        self._facts: Facts | None = None
        self._asked = False
        self._reported: set[tuple[str, str]] = set()
        self._demands: dict[str, Demand] = {}
        self._nat_switches: set[str] = set()
        self._names: dict[tuple[str, str], str] = {}

    @property
    def machines(self) -> Facts | None:
        """All machines of the host, as far as it was asked and has shown them."""
        facts = self._facts
        unlisted = facts is None or any(error.cmdlet in ("Get-VM", "") for error in facts.errors)
        return None if unlisted else facts

    def check(self, inputs: Resource, before: Resource | None) -> list[str]:
        """Warnings about a resource of the program, each once an operation. `before` are its inputs so far, if any.

        Raises RefusedError if the host rules out nested hosts and the machine is not there yet, and if another resource
        of the program has its name.
        """
        with self._lock:
            self._refuse_a_name_twice(inputs)
            if isinstance(inputs, NatSwitch) and inputs.name:
                self._nat_switches.add(inputs.name.casefold())
            if isinstance(inputs, NestedHyperVHost):
                return list(self._warnings(inputs, before if isinstance(before, NestedHyperVHost) else None))
        return []

    def _refuse_a_name_twice(self, inputs: Resource) -> None:
        """Raise RefusedError if another resource of the program has the name, in any case of letters."""
        if not inputs.name:
            return  # not known yet, in a preview
        other = self._names.setdefault((inputs.title, inputs.name.casefold()), inputs.owner)
        if other != inputs.owner:
            raise RefusedError(
                f"name: {other} is a {inputs.title} of the name {inputs.name!r} too, and the host has both. Names are "
                "the same in any case of letters: give one of them another name."
            )

    def _warnings(self, inputs: NestedHyperVHost, before: NestedHyperVHost | None) -> Iterator[str]:
        # If a program has several hosts, its own name of one says which it is about.
        on = f"{inputs.on}: " if inputs.on else ""
        version = inputs.configuration_version or ""
        yield from (f"{on}{text}" for text in self._of_host(version, exists=before is not None))
        if self._facts is not None:
            self._demands[inputs.owner] = _demand(inputs, before)
            yield from (f"{on}{text}" for text in self._once(capacity(self._facts, self._demands)))
        yield from self._once(_network(inputs, self._nat_switches))

    def _of_host(self, version: str, *, exists: bool) -> Iterator[str]:
        if not self._asked:
            self._asked = True
            try:
                with self._runners.borrow() as runner:
                    self._facts = answer_to(SURVEY, runner)
            except (UnreachableError, AccessError, Interrupted) as error:
                yield _unchecked(error)
            else:
                yield from _not_all_checked(self._facts)
        found = [] if self._facts is None else [*findings(self._facts), *version_findings(self._facts, version)]
        for finding in found:
            if finding.refuses and not exists:
                raise RefusedError(f"the parent host cannot run nested hosts: {finding}")
        yield from self._once(found)

    def _once(self, found: Iterable[Finding]) -> Iterator[str]:
        for finding in found:
            if (finding.requirement, finding.of) not in self._reported:
                self._reported.add((finding.requirement, finding.of))
                yield str(finding)


def _unchecked(error: NestedlabError) -> str:
    return f"the parent host did not answer, so its Windows, processor, memory and disk space are not checked: {error}"


def _not_all_checked(facts: Facts) -> Iterator[str]:
    """Where the host has answered, but its account or endpoint may not ask all of it."""
    refused = {error.cmdlet: error.message for error in facts.errors if kind_of(error) is not ErrorKind.NO_COMMAND}
    if refused:
        records = "; ".join(f"{cmdlet}: {message}" for cmdlet, message in refused.items())
        yield (
            "the parent host did not show all that is checked here of its Windows, processor, memory and disk space "
            f"({records}). What it does not show is not checked: see the rights in docs/production.md."
        )


def _demand(inputs: NestedHyperVHost, before: NestedHyperVHost | None) -> Demand:
    # What is not known yet, in a preview, takes nothing.
    memory = (inputs.memory_mib or 0) if inputs.running is not False else 0
    return Demand(memory, growth(inputs, before), inputs.path or "")


def _network(inputs: NestedHyperVHost, nat_switches: Collection[str]) -> Iterator[Finding]:
    """S7, S8: machines inside the nested host reach the network by MAC spoofing or through a NAT."""
    if {"switch", "adapters", "mac_spoofing"} & inputs.unknown:
        return
    one_adapter = Adapter.model_construct(switch=inputs.switch or "", mac_spoofing=bool(inputs.mac_spoofing))
    adapters = inputs.adapters or [one_adapter]
    spoofs = any(adapter.mac_spoofing for adapter in adapters)
    behind_nat = any(adapter.switch.casefold() in nat_switches for adapter in adapters)
    if not spoofs and not behind_nat:
        yield Finding(
            "S7, S8",
            "machines inside this nested host will have no network: none of its adapters may send with their MAC "
            "addresses, and none is connected to a NatSwitch of this program. Set mac_spoofing if the network allows "
            "it, connect it to a NatSwitch, or make a NAT inside it.",
            of=inputs.owner,
        )
