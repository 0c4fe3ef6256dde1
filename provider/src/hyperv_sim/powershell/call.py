"""What the function of a cmdlet is given: one run of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from hyperv_sim import errors
from hyperv_sim.contract import Cmdlet
from hyperv_sim.state.world import Host


@dataclass(slots=True)
class Call:
    """One run of a cmdlet: the host, the bound parameters, and where its errors and warnings go.

    `parameters` holds bound parameters by their own names; an array parameter's value is a tuple. `seen` counts the
    objects piped to this command before. Setting `enough` ends the pipeline, as Select-Object -First does. `stops` says
    that the first error ends all (-ErrorAction Stop).
    """

    host: Host
    cmdlet: Cmdlet
    stop: Event
    set_name: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seen: int = 0
    stops: bool = False
    failures: list[errors.CmdletError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    enough: bool = False

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter's value, or the default if it was not given."""
        return self.parameters.get(name, default)

    def fail(self, error: errors.CmdletError) -> None:
        """Write a non-terminating error and go on, unless -ErrorAction Stop was given."""
        if self.stops:
            raise error
        self.failures.append(error)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Write an error that is raised inside, and go on; a terminating one goes through."""
        try:
            yield
        except errors.TerminatingError:
            raise
        except errors.CmdletError as error:
            self.fail(error)

    def warn(self, message: str) -> None:
        """Write a warning."""
        self.warnings.append(message)

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let go of the host's lock, for a wait. State may have changed afterwards: look again."""
        self.host.lock.release()
        try:
            yield
        finally:
            self.host.lock.acquire()
