"""Sessions with a host: what they leave there, and how a missing cmdlet is reported."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nestedlab.errors import UnreachableError
from nestedlab.pipeline import Step, statement
from nestedlab.psrp.sessions import Sessions

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent

READ_ONCE = """
import os
from nestedlab.connection import connection
from nestedlab.pipeline import Step, statement
from nestedlab.psrp.sessions import sessions_with

with sessions_with(connection({}, os.environ)).borrow() as session:
    session.run(Step("read", (statement("Get-VM"),)))
"""


def test_a_process_that_ends_gives_its_shells_back(parent: Parent) -> None:
    subprocess.run([sys.executable, "-c", READ_ONCE], env={**os.environ, **parent.environment}, check=True)
    assert parent.server.requests.snapshot().actions["Delete"] == 1
    assert parent.server.open_shells == 0


def test_a_cmdlet_that_is_not_there_is_named(new_parent: NewParent) -> None:
    parent = new_parent()
    parent.host.state.has_hyper_v = False
    sessions = Sessions(parent.connection())
    try:
        with sessions.borrow() as session:
            records = session.run(Step("read", (statement("Get-VMHost"), statement("Get-VM")))).errors
    finally:
        sessions.close()
    assert [(record.error_id, record.cmdlet) for record in records] == [
        ("CommandNotFoundException", "Get-VMHost"),
        ("CommandNotFoundException", "Get-VM"),
    ]


def test_a_session_that_was_idle_too_long_is_replaced_without_an_error(parent: Parent) -> None:
    """Windows closes a connection after two minutes, disconnects its shell, and refuses what is sealed for it."""
    sessions = Sessions(parent.connection())
    listing = Step("list", (statement("Get-VM"),))
    making = Step("make", (statement("New-VM", Name="hv1"),))
    try:
        with sessions.borrow() as session:
            session.run(listing)
            before = parent.server.requests.snapshot()
            session.run(listing)
            assert (parent.server.requests.snapshot() - before).http == 2
            for _ in range(2):
                parent.server.close_idle_connections()
                assert not session.run(making).errors
            assert parent.server.open_shells == 1
    finally:
        sessions.close()
    assert parent.machines == ["hv1", "hv1"]


def test_a_step_that_takes_too_long_is_stopped_and_told(parent: Parent) -> None:
    with parent.at_prompt() as run:
        run("New-VM", Name="hv1")
        run("Start-VM", Name="hv1")
    parent.host.guest("hv1", "absent")
    asking = statement("Stop-VM", Name="hv1", Force=True)
    sessions = Sessions(parent.connection(stepTimeout="0.2"))
    try:
        with sessions.borrow() as session:
            with pytest.raises(UnreachableError, match=r"took longer than 0.2 seconds to ask, .*nestedlab:stepTimeout"):
                session.run(Step("ask", (asking,)))
            assert parent.server.requests.snapshot().actions["Signal"] == 1
            with pytest.raises(UnreachableError, match=r"took longer than 0.8 seconds"):
                session.run(Step("ask", (asking,), slow=True))
            with pytest.raises(TimeoutError, match=r"ask: not done within 0.1 seconds"):
                session.run(Step("ask", (asking,), timeout=0.1))
            assert session.run(Step("list", (statement("Get-VM"),))).first("VirtualMachine")
            assert parent.server.open_shells == 1
    finally:
        sessions.close()


def test_a_silent_host_is_not_waited_for_without_end(parent: Parent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nestedlab.psrp.session._GRACE", 0.3)
    sessions = Sessions(parent.connection(stepTimeout="1"))
    try:
        with sessions.borrow() as session:
            for action in ("Command", "Receive"):
                session.run(Step("list", (statement("Get-VM"),)))
                parent.server.arm(f"stall=60 {action}#1")
                with pytest.raises(UnreachableError, match=r"took longer than 1 seconds"):
                    session.run(Step("list", (statement("Get-VM"),)))
                parent.server.arm()
            assert not session.run(Step("list", (statement("Get-VM"),))).errors
    finally:
        sessions.close()
