"""Does works on the workers of a cluster. What a lost worker had is another's, once nothing of it can run any more."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import metadata
from uuid import uuid4

from nestedlab.classroom import cluster_worker, parcel
from nestedlab.classroom.cluster import Cluster, SilentError
from nestedlab.classroom.cluster_worker import Equipment, Look
from nestedlab.classroom.lease import SECONDS_OF_A_LEASE, SECONDS_UNTIL_DEAD
from nestedlab.classroom.parcel import Holder, Parcel, Sealed
from nestedlab.classroom.processes import Processes
from nestedlab.classroom.work import Outcome, Report, Work
from nestedlab.errors import ConfigurationError, NestedlabError

_VERSION = metadata.version("nestedlab")

_SECONDS_BETWEEN_TRIES = 0.5
_SECONDS_WITHOUT_WORKERS = 60
"""How long to wait for a worker if the cluster has none: a nanny restarts one that has died within seconds."""

_WORKERS_LOST_AT_MOST = 3
"""A work that has lost so many workers is not given to another: it may be what kills them."""


@dataclass(frozen=True)
class _Lost:
    """A work whose worker was lost."""

    mark: str
    by: Equipment
    holder: Holder
    heard: float
    """When it was last heard of, on our clock."""


class ClusterCrew:
    """Workers of a cluster, each with as many works at once as it has room for."""

    def __init__(self, cluster: Cluster, processes: Processes) -> None:
        self._cluster, self._processes = cluster, processes
        self._equipment: dict[str, Equipment | ConfigurationError] = {}
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()

    def workers(self, asked: int | None) -> int:
        """How many works are done at once. Raises ConfigurationError if a worker lacks something, or there is none."""
        members = self._cluster.members()
        if not members:
            raise ConfigurationError(
                "the cluster has no worker. Start some with `dask worker`, for the same scheduler."
            )
        most = sum(self._room(worker, threads) for worker, threads in members.items())
        return max(1, most if asked is None else min(asked, most))

    def carry_out(self, work: Work, report: Report) -> Outcome:
        """Do a work. Whatever fails is in the outcome."""
        begin = time.monotonic()
        outcome = Outcome(work.student, work.operation, log=str(work.place.log))
        try:
            outcome = self._done(work, parcel.packed(work), outcome, report)
        except NestedlabError as error:
            outcome = replace(outcome, error=str(error))
        except OSError as error:
            outcome = replace(outcome, error=f"{error.strerror or error}: {error.filename or work.place.folder}")
        return replace(outcome, seconds=time.monotonic() - begin, interrupted=self._is_interrupted(outcome))

    def _is_interrupted(self, outcome: Outcome) -> bool:
        return outcome.interrupted or (bool(outcome.error) and self._processes.interrupted)

    def _done(self, work: Work, sent: Parcel, outcome: Outcome, report: Report) -> Outcome:
        while len(sent.lost) < _WORKERS_LOST_AT_MOST:
            with self._place(work.student, report) as worker:
                found = self._done_by(worker, work, sent, report)
            if isinstance(found, Outcome):
                return found
            with self._lock:
                self._equipment.pop(worker, None)
            if found is not None:
                report(work.student, f"lost its worker on {found.by.host}; waits until its processes have ended")
                if not self._has_ended(found):
                    return replace(outcome, error="interrupted", interrupted=True)
                sent = replace(sent, lost=(*sent.lost, found.holder))
        error = f"{_WORKERS_LOST_AT_MOST} workers died while working on it. Find out why."
        return replace(outcome, error=error)

    @contextmanager
    def _place(self, student: str, report: Report) -> Iterator[str]:
        """A worker with room for one more."""
        begin = time.monotonic()
        while (worker := self._taken()) is None:
            if self._processes.interrupted:
                raise NestedlabError("interrupted before it began")
            if not self._cluster.members() and time.monotonic() > begin + _SECONDS_WITHOUT_WORKERS:
                raise NestedlabError("the cluster has no workers left. Start some, and run this again.")
            report(student, "waits for a worker of the cluster")
            time.sleep(_SECONDS_BETWEEN_TRIES)
        try:
            yield worker
        finally:
            with self._lock:
                self._busy[worker] -= 1

    def _taken(self) -> str | None:
        free = {}
        for worker, threads in self._cluster.members().items():
            with suppress(SilentError, ConfigurationError):  # one that has just come, or gone
                free[worker] = self._room(worker, threads)
        with self._lock:
            found = max(free, key=lambda worker: free[worker] - self._busy[worker], default=None)
            if found is None or free[found] <= self._busy[found]:
                return None
            self._busy[found] += 1
            return found

    def _room(self, worker: str, threads: int) -> int:
        """How many works a worker does at once."""
        return min(threads, self._known(worker).at_once)

    def _known(self, worker: str) -> Equipment:
        """A worker's equipment, requested once. Raises ConfigurationError if something is missing."""
        with self._lock:
            known = self._equipment.get(worker)
        try:
            found: Equipment | ConfigurationError = known or self._equipped(worker)
        except ConfigurationError as error:
            found = error
        with self._lock:
            self._equipment[worker] = found
        if isinstance(found, ConfigurationError):
            raise found
        return found

    def _equipped(self, worker: str) -> Equipment:
        """A worker's equipment, checked. Raises ConfigurationError if something is missing."""
        remedy = f"Install on each worker what this machine has, including nestedlab {_VERSION}."
        try:
            found = self._cluster.call(worker, cluster_worker.equipment)
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(f"the worker {worker} of the cluster lacks {error.name}. {remedy}") from error
        if found.missing:
            raise ConfigurationError(f"the worker {worker} ({found.host}) of the cluster: {found.missing}")
        if found.version != _VERSION:
            raise ConfigurationError(f"the worker {worker} of the cluster has nestedlab {found.version}. {remedy}")
        return found

    def _done_by(self, worker: str, work: Work, sent: Parcel, report: Report) -> Outcome | _Lost | None:
        """What came of a work on a worker; None if it has not begun there."""
        mark = uuid4().hex
        try:
            by = self._equipped(worker)
        except (SilentError, ConfigurationError):  # gone, or another by now
            return None
        lost = _Lost(mark, by, Holder(by.host, by.at), time.monotonic())
        try:
            if not self._cluster.call(worker, cluster_worker.start, Sealed(sent), mark, by.worker, by.now):
                return None
        except SilentError:  # it may have begun
            return lost
        return self._watched(worker, work, lost, report)

    def _watched(self, worker: str, work: Work, lost: _Lost, report: Report) -> Outcome | _Lost:
        """What came of a work that has begun. As long as it goes on, it is confirmed."""
        now, doing, told = lost.by.now, "", 0
        while worker in self._cluster.members() and time.monotonic() < lost.heard + SECONDS_OF_A_LEASE:
            try:
                look: Look | None = self._cluster.call(worker, cluster_worker.look, lost.mark, now, doing)
                if told < self._processes.interruptions:
                    told += self._cluster.call(worker, cluster_worker.interrupt, lost.mark)
            except SilentError:
                time.sleep(_SECONDS_BETWEEN_TRIES)
                continue
            if look is None:  # the worker has been started anew
                return lost
            now, lost = look.now, replace(lost, heard=time.monotonic())
            if look.has_ended:
                with suppress(SilentError):
                    self._cluster.call(worker, cluster_worker.forget, lost.mark)
                if look.returned is None:
                    return Outcome(work.student, work.operation, error=look.broken, log=str(work.place.log))
                return parcel.received(work, look.returned.open())
            if look.doing != doing:
                doing = look.doing
                report(work.student, doing)
        return lost

    def _has_ended(self, lost: _Lost) -> bool:
        """Wait until nothing of a lost work runs any more; whether that is so, or the user did not want to wait."""
        while time.monotonic() < lost.heard + SECONDS_UNTIL_DEAD and not self._is_over(lost):
            if self._processes.interrupted:
                return False
            time.sleep(_SECONDS_BETWEEN_TRIES)
        return True

    def _is_over(self, lost: _Lost) -> bool:
        """Whether another worker of the same machine sees nothing of it any more."""
        if lost.by.machine is None:
            return False
        for worker in self._cluster.members():
            with suppress(SilentError, ConfigurationError):
                other = self._known(worker)
                if (
                    other.machine == lost.by.machine
                    and other.worker != lost.by.worker
                    and self._cluster.call(worker, cluster_worker.is_over, lost.mark, lost.by.pid)
                ):
                    return True
        return False
