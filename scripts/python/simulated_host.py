"""The simulated Hyper-V host as a process that may outlive the script that started it."""

import json
import os
import secrets
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

USERNAME = "Administrator"
SECONDS_TO_END = 10


@dataclass(frozen=True)
class SimulatedHost:
    """A running `hyperv-sim serve`; only the script that started it knows its password, which is in no file."""

    url: str
    pid: int
    create_time: float
    """When the process started, in seconds since 1970: together with the pid, it identifies the process."""

    def process(self) -> psutil.Process | None:
        """Return the process, if it still runs: a later process may have the same pid."""
        try:
            process = psutil.Process(self.pid)
            return process if process.create_time() == self.create_time else None
        except psutil.NoSuchProcess:
            return None

    def stop(self) -> None:
        """End the process, kindly if it listens; nothing happens if it has ended."""
        process = self.process()
        if process is None:
            return
        process.terminate()
        try:
            process.wait(SECONDS_TO_END)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(SECONDS_TO_END)


def start(folder: Path, password: str) -> SimulatedHost:
    """Start a new, empty host on loopback and note it in `folder`; raises RuntimeError with its output if it fails.

    It gets a session of its own, so that Ctrl+C at the terminal ends the script, which then ends it.
    """
    command = [str(Path(sys.executable).with_name("hyperv-sim")), "serve", "--username", USERNAME]
    log = folder / "hyperv-sim.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--password-env", "NESTEDLAB_PASSWORD"],
            env={**os.environ, "NESTEDLAB_PASSWORD": password},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    # Noted before it is ready: a script that is killed while it waits leaves a process that the next script knows.
    create_time = psutil.Process(process.pid).create_time()
    note(folder, SimulatedHost("", process.pid, create_time))
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        process.terminate()
        process.wait(SECONDS_TO_END)
        raise RuntimeError(f"hyperv-sim did not start:\n{log.read_text()}")
    host = SimulatedHost(json.loads(line)["url"], process.pid, create_time)
    note(folder, host)
    return host


def note(folder: Path, host: SimulatedHost) -> None:
    """Record which process it is, atomically."""
    new = folder / "host.json.new"
    new.write_text(json.dumps(asdict(host)))
    new.replace(folder / "host.json")


def noted(folder: Path) -> SimulatedHost | None:
    """Return the host that an earlier script noted in `folder` and that still runs."""
    file = folder / "host.json"
    host = SimulatedHost(**json.loads(file.read_text())) if file.exists() else None
    return host if host and host.process() else None


def new_password() -> str:
    """Return a password for the life of a host."""
    return secrets.token_urlsafe(18)
