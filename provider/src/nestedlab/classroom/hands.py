"""What carries out the works of a command: this machine, or the workers of a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import psutil

from nestedlab.classroom import bounds
from nestedlab.classroom.automation import Cli
from nestedlab.classroom.carry_out import carry_out
from nestedlab.classroom.cluster_address import ClusterAddress
from nestedlab.classroom.processes import Processes
from nestedlab.classroom.work import Outcome, Report, Work
from nestedlab.errors import ConfigurationError


class Hands(Protocol):
    """Carries out works, from several threads."""

    def workers(self, asked: int | None) -> int:
        """How many works are done at once."""

    def carry_out(self, work: Work, report: Report) -> Outcome:
        """Do a work. Whatever fails is in the outcome."""


@dataclass(frozen=True)
class Here:
    """This machine."""

    cli: Cli
    processes: Processes

    def workers(self, asked: int | None) -> int:
        """As many as cores and memory allow."""
        return bounds.workers(asked, os.cpu_count() or 1, psutil.virtual_memory().available // 2**20)

    def carry_out(self, work: Work, report: Report) -> Outcome:
        """Do it in this process."""
        return carry_out(work, report, self.processes, self.cli)


@contextmanager
def of_cluster(address: ClusterAddress, processes: Processes) -> Iterator[Hands]:
    """The workers of a cluster, as long as the connection lasts."""
    try:
        from nestedlab.classroom.cluster import Cluster  # noqa: PLC0415 - an extra, and slow to import
        from nestedlab.classroom.cluster_crew import ClusterCrew  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            f"--cluster needs {error.name}, which is not installed. Run `pip install 'nestedlab[cluster]'`."
        ) from error
    with Cluster(address) as cluster:
        yield ClusterCrew(cluster, processes)
