"""A Dask scheduler and its workers on loopback, each a process of its own, with TLS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import trustme

SECONDS_TO_START = 30


@dataclass
class DaskCluster:
    """What was started."""

    address: str
    workers: list[subprocess.Popen[bytes]]
    folder: Path

    @property
    def options(self) -> list[str]:
        """How a command reaches it."""
        names = {"ca": "ca", "cert": "certificate", "key": "certificate"}
        files = [f"--cluster-{option}={self.folder}/{name}.pem" for option, name in names.items()]
        return [f"--cluster={self.address}", *files]

    @property
    def printed(self) -> str:
        """All that scheduler and workers have printed."""
        return "".join(path.read_text() for path in self.folder.glob("*.log"))

    def busy(self) -> list[subprocess.Popen[bytes]]:
        """The workers that run a `pulumi up` now."""
        return [worker for worker in self.workers if any(_is_up(one) for one in _below(worker))]


def lose(worker: subprocess.Popen[bytes]) -> None:
    """End a worker with all that it has started, as if its machine had died."""
    below = _below(worker)
    worker.kill()
    for process in below:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    worker.wait()


def _below(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(worker.pid).children(recursive=True)
    return []


def _is_up(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        command = process.cmdline()
        return bool(command) and Path(command[0]).name == "pulumi" and "up" in command
    return False


@contextmanager
def dask_cluster(folder: Path, environment: Mapping[str, str], workers: int) -> Iterator[DaskCluster]:
    """Start a scheduler and workers that do one work at once each; end them with all that they have started."""
    folder.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "certificate.pem")
    tls = [f"--tls-{option}={folder}/{name}.pem" for option, name in (("ca-file", "ca"), ("cert", "certificate"))]
    common = [*tls, f"--tls-key={folder}/certificate.pem", "--protocol=tls", "--host=127.0.0.1", "--no-dashboard"]
    about = folder / "scheduler.json"
    started = []

    def start(name: str, module: str, *options: str) -> subprocess.Popen[bytes]:
        with (folder / f"{name}.log").open("w") as log:
            command = [
                sys.executable,
                "-m",
                f"distributed.cli.{module}",
                *common,
                f"--scheduler-file={about}",
                *options,
            ]
            process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=log)
        started.append(process)
        return process

    try:
        start("scheduler", "dask_scheduler", "--port=0")
        own = ["--no-nanny", "--nthreads=1", f"--local-directory={folder}"]
        found = [start(f"worker{number}", "dask_worker", f"--name=w{number}", *own) for number in range(workers)]
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end and not (about.exists() and about.stat().st_size):
            time.sleep(0.1)
        cluster = DaskCluster(json.loads(about.read_text())["address"], found, folder)
        while time.monotonic() < end and cluster.printed.count("Registered to") < workers:
            time.sleep(0.1)
        assert cluster.printed.count("Registered to") == workers, cluster.printed
        yield cluster
    finally:
        for process in reversed(started):
            lose(process)
