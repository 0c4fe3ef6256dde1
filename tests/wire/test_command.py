"""`hyperv-sim serve` as a user runs it: a process that says when it is ready and ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from click import UsageError
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import RunspacePool
from pypsrp.wsman import WSMan

from hyperv_sim.command import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-c", "from hyperv_sim.command import main; main()", "serve"]


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def open_and_close_a_pool(ready: dict[str, str], password: str) -> None:
    url = urlsplit(ready["url"])
    with (
        WSMan(
            url.hostname or "",
            port=url.port,
            ssl=url.scheme == "https",
            auth="ntlm",
            username=ready["username"],
            password=password,
            cert_validation=ready.get("caBundle", True),  # type: ignore[arg-type] # requests takes a path as well
            no_proxy=True,
        ) as client,
        RunspacePool(client) as pool,
    ):
        assert pool.state == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_when_it_is_ready_serves_and_ends_quietly(number: signal.Signals) -> None:
    with serving() as (process, ready):
        assert ready.keys() == {"url", "username", "password"}
        open_and_close_a_pool(ready, ready["password"])
        process.send_signal(number)
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0


def test_a_password_from_the_environment_is_not_printed() -> None:
    arguments = ["--tls", "--windows", "2025", "--cpu", "amd", "--username", "lab", "--password-env", "LAB_PASSWORD"]
    with serving(*arguments, LAB_PASSWORD="open sesame") as (_, ready):
        assert ready.keys() == {"url", "username", "caBundle"}
        assert (ready["username"], ready["url"].partition(":")[0]) == ("lab", "https")
        open_and_close_a_pool(ready, "open sesame")


def test_a_user_may_do_what_the_groups_of_the_host_let_that_user_do() -> None:
    with serving("--group", "Hyper-V Administrators") as (_, ready), pytest.raises(WSManFaultError) as refused:
        open_and_close_a_pool(ready, ready["password"])
    assert refused.value.code == 5


def test_a_wrong_option_ends_it_with_2() -> None:
    ended = subprocess.run([*COMMAND, "--windows", "2012"], capture_output=True, text=True, check=False, timeout=30)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "'2012' is not one of" in " ".join(ended.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--listen", "0.0.0.0:0"], "'0.0.0.0' is not a loopback address"),
        (["--listen", "5985"], "is not HOST:PORT"),
        (["--group", "Backup Operators"], "'Backup Operators' is not one of"),
        (["--password-env", "HYPERV_SIM_UNSET"], "HYPERV_SIM_UNSET is not set"),
        (["--latency-ms", "-1"], "-1"),
    ],
)
def test_a_wrong_option_is_told_with_its_reason(arguments: list[str], reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        serve.make_context("serve", arguments)
    assert reason in refused.value.format_message()


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = subprocess.run(
            [*COMMAND, "--listen", f"127.0.0.1:{taken.getsockname()[1]}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert ended.returncode == 1
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr
