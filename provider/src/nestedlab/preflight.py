"""What is checked before a change: what the parent host rules out, and what a lab lacks.

One preflight belongs to one operation (a preview, an update): it asks the host once, whatever the number of resources,
and adds up what they take.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from nestedlab.declare import Resource
from nestedlab.errors import (
    AccessError,
    ConflictError,
    Interrupted,
    NestedlabError,
    NotFoundError,
    RefusedError,
    UnreachableError,
    kind_of,
)
from nestedlab.lifecycle import Plan
from nestedlab.machine.adapters.table import Adapter
from nestedlab.machine.disks.slots import fixed_size, growth
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.network import switches_behind_nats
from nestedlab.nat_switch.read import READS
from nestedlab.perform import Runners, answer_to, perform
from nestedlab.pipeline import ErrorKind, Facts, PSObject, Runner, Step
from nestedlab.program import Program
from nestedlab.requirements import (
    SURVEY,
    Demand,
    Finding,
    asks_too_much,
    capacity,
    findings,
    too_little,
    version_findings,
)

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Preflight:
    """Checks what a stack's resources will meet on a host. Safe across threads."""

    def __init__(self, runners: Runners) -> None:
        self._runners = runners
        self._lock = threading.Lock()
        self._facts: Facts | None = None
        self._asked = False
        self._reported: set[tuple[str, str]] = set()
        self._demands: dict[str, Demand] = {}
        self._program = Program()
        self._answers: dict[str, Facts] = {}
        self._is_changed = False

    @property
    def machines(self) -> Facts | None:
        """All machines of the host, as far as it was asked and has shown them."""
        facts = self._facts
        unlisted = facts is None or any(error.cmdlet in ("Get-VM", "") for error in facts.errors)
        return None if unlisted else facts

    def check(self, inputs: Resource, before: Resource | None) -> list[str]:
        """Warnings about a resource of the program, each once an operation. `before` are its inputs so far, if any.

        Raises RefusedError if the host rules out nested hosts and the machine is not there yet, and if it cannot have
        both this and another resource of the program.
        """
        with self._lock:
            warnings = self._program.see(inputs)
            if isinstance(inputs, NestedHyperVHost):
                warnings += self._warnings(inputs, before if isinstance(before, NestedHyperVHost) else None)
            elif before is None:
                warnings += self._survey()
        return warnings

    def obstacle(self, needs: Callable[[], Plan[None]], *, anew: bool = False) -> NestedlabError | None:
        """The error that a create would meet; None if there is none, or if the host does not answer.

        `needs` makes the plan that finds it. The host is asked `anew` before something is deleted for it.
        """
        with self._lock:
            for text in self._survey():
                _LOG.debug("%s", text)
            if self._facts is None:
                return None
            if anew:
                self._answers = {}
            return self._found(lambda: _obstacle(needs()), lambda error: error is None)

    def too_little(self, inputs: NestedHyperVHost, replaced: NestedHyperVHost) -> RefusedError | None:
        """The error if the host lacks the memory or the disk space for a machine once the `replaced` one is gone."""
        with self._lock:
            if self._facts is None:
                return None
            given_back = Demand(fixed_gib=fixed_size(replaced, kept=False), folder=replaced.path or "")
            found = list(too_little(self._facts, inputs.owner, _demand(inputs, inputs), given_back))
        return RefusedError(str(found[0])) if found else None

    def note_change(self) -> None:
        """Take note that the host was changed, so that what it answered before may no longer be true."""
        self._is_changed = True

    def _found(self, plan: Callable[[], Plan[T]], is_fine: Callable[[T], bool]) -> T:
        """What a plan finds that only reads, from the answers of this operation if the host has given them before.

        If that is not fine and the host has changed since, the host is asked again: what was missing may be there now.
        """
        found = self._perform(plan())
        if not is_fine(found) and self._is_changed:
            self._is_changed, self._answers = False, {}
            found = self._perform(plan())
        return found

    def _perform(self, plan: Plan[T]) -> T:
        with self._runners.borrow() as runner:
            return perform(plan, _Remembered(runner, self._answers), lambda _: None)

    @property
    def nat_switches(self) -> frozenset[str]:
        """The casefolded names of the NAT switches that the program makes here. Waits for no host."""
        return self._program.nat_switches

    def coming(self) -> Facts:
        """The switches that the program makes, as the host will show them."""
        names = sorted(self.nat_switches)
        return Facts(tuple(PSObject("VMSwitch", {"Name": name, "Id": name}) for name in names))

    def _warnings(self, inputs: NestedHyperVHost, before: NestedHyperVHost | None) -> Iterator[str]:
        # If a program has several hosts, its own name of one says which it is about.
        on = f"{inputs.on}: " if inputs.on else ""
        version = inputs.configuration_version or ""
        yield from (f"{on}{text}" for text in self._of_host(version, exists=before is not None))
        if self._facts is not None:
            self._demands[inputs.owner] = _demand(inputs, before)
            yield from (f"{on}{text}" for text in self._once(capacity(self._facts, self._demands)))
            asked = asks_too_much(self._facts, inputs.owner, inputs.processors or 0, inputs.path or "")
            yield from (f"{on}{text}" for text in self._once(asked))
        yield from self._once(_network(inputs, self._is_behind_a_nat))

    def _is_behind_a_nat(self, switch: str) -> bool:
        """Whether a switch is a NatSwitch of the program, or one that the host shows behind a NAT."""
        if switch.casefold() in self._program.nat_switches:
            return True
        if not switch or self._facts is None:
            return False
        try:
            return self._found(lambda: _shown_behind_a_nat(switch), bool)
        except NestedlabError:
            return False

    def _survey(self) -> Iterator[str]:
        """Ask the host, if it was not asked yet; warnings about what it does not show."""
        if self._asked:
            return
        self._asked = True
        try:
            with self._runners.borrow() as runner:
                self._facts = answer_to(SURVEY, runner)
        except (UnreachableError, AccessError, Interrupted) as error:
            yield _unchecked(error)
        else:
            yield from _not_all_checked(self._facts)

    def _of_host(self, version: str, *, exists: bool) -> Iterator[str]:
        yield from self._survey()
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


@dataclass(frozen=True)
class _Remembered:
    """A runner that runs a step once, and then answers it from memory."""

    runner: Runner
    answers: dict[str, Facts]

    @property
    def host(self) -> str:
        return self.runner.host

    def run(self, step: Step) -> Facts:
        if str(step) not in self.answers:
            self.answers[str(step)] = self.runner.run(step)
        return self.answers[str(step)]


def _obstacle(needs: Plan[None]) -> Plan[NestedlabError | None]:
    """The error that a create would meet. Errors that keep the host from answering are left to the create to report."""
    try:
        yield from needs
    except (ConflictError, NotFoundError, RefusedError) as error:
        return error
    except NestedlabError as error:
        _LOG.debug("what a create needs is not checked: %s", error)
    return None


def _shown_behind_a_nat(switch: str) -> Plan[bool]:
    shown = yield NAT_SWITCHES
    return switch.casefold() in switches_behind_nats(shown)


NAT_SWITCHES = Step("read the NAT switches", READS)
"""What shows which switches are behind a NAT."""


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
    return Demand(memory, growth(inputs, before), fixed_size(inputs), inputs.path or "")


def _network(inputs: NestedHyperVHost, is_behind_a_nat: Callable[[str], bool]) -> Iterator[Finding]:
    """S7, S8: machines inside the nested host reach the network by MAC spoofing or through a NAT."""
    if {"switch", "adapters", "mac_spoofing"} & inputs.unknown:
        return
    one_adapter = Adapter.model_construct(switch=inputs.switch or "", mac_spoofing=bool(inputs.mac_spoofing))
    adapters = inputs.adapters or [one_adapter]
    spoofs = any(adapter.mac_spoofing for adapter in adapters)
    if not spoofs and not any(is_behind_a_nat(adapter.switch) for adapter in adapters):
        yield Finding(
            "S7, S8",
            "machines inside this nested host will have no network: none of its adapters may send with their MAC "
            "addresses, and none is connected to a NatSwitch. Set mac_spoofing if the network allows it, connect it to "
            "a NatSwitch, or make a NAT inside it.",
            of=inputs.owner,
        )
