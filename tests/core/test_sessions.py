"""Sessions with a host: few, kept, each for one worker, and turns for what must not happen at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from nestedlab.connection import Connection
from nestedlab.pipeline import Facts, Step
from nestedlab.psrp.sessions import LIMIT, Sessions, sessions_with

TO = Connection(address="hv01")


@dataclass(eq=False)
class FakeSession:
    """A session that counts who is in it, and lets nobody go before it is told to."""

    inside: list[str] = field(default_factory=list)
    closed: int = 0
    entered: threading.Event = field(default_factory=threading.Event)
    leave: threading.Event = field(default_factory=threading.Event)
    host = "hv01"

    def run(self, step: Step) -> Facts:
        self.inside.append(step.purpose)
        self.entered.set()
        if step.purpose == "wait":
            assert self.leave.wait(10)
        self.inside.remove(step.purpose)
        return Facts(warnings=(step.purpose,))

    def close(self) -> None:
        self.closed += 1


@dataclass
class Host:
    """Where the sessions are fakes."""

    made: list[FakeSession] = field(default_factory=list)

    def sessions(self) -> Sessions:
        def make(_: Connection) -> FakeSession:
            self.made.append(FakeSession())
            return self.made[-1]

        return Sessions(TO, make)


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    for session in host.made:
        session.leave.set()


def test_one_worker_after_the_other_uses_one_session(host: Host) -> None:
    sessions = host.sessions()
    for _ in range(3):
        with sessions.borrow() as runner:
            assert runner.host == "hv01"
            assert runner.run(Step("look", ())).warnings == ("look",)
    assert len(host.made) == 1


def test_a_session_is_kept_where_its_worker_fails(host: Host) -> None:
    sessions = host.sessions()
    with pytest.raises(ZeroDivisionError), sessions.borrow():
        raise ZeroDivisionError
    with sessions.borrow():
        assert len(host.made) == 1


def test_a_ninth_worker_waits_for_one_of_the_eight(host: Host) -> None:
    sessions = host.sessions()
    with ThreadPoolExecutor(1) as ninth, ExitStack() as workers:
        for _ in range(LIMIT):
            workers.enter_context(sessions.borrow())

        def borrow() -> int:
            with sessions.borrow():
                return len(host.made)

        waiting = ninth.submit(borrow)
        assert len(host.made) == LIMIT
        assert not waiting.done()
        workers.close()
        assert waiting.result(10) == LIMIT


def test_steps_of_a_turn_wait_for_each_other_and_others_do_not(host: Host) -> None:
    sessions = host.sessions()
    with ThreadPoolExecutor(2) as pool, sessions.borrow() as one, sessions.borrow() as other:
        first = pool.submit(one.run, Step("wait", (), lock="NetNat"))
        assert host.made[0].entered.wait(10)
        second = pool.submit(other.run, Step("write", (), lock="NetNat"))
        assert sessions.lock("NetNat").locked()
        assert host.made[1].inside == []
        assert not host.made[1].entered.wait(0.05)
        assert one.run(Step("read", ())).warnings == ("read",)
        assert one.run(Step("write", (), lock="another")).warnings == ("write",)
        host.made[0].leave.set()
        assert first.result(10).warnings == ("wait",)
        assert second.result(10).warnings == ("write",)
    assert not sessions.lock("NetNat").locked()


def test_closing_gives_back_each_shell_once(host: Host) -> None:
    sessions = host.sessions()
    with sessions.borrow(), sessions.borrow():
        pass
    sessions.close()
    sessions.close()
    assert [session.closed for session in host.made] == [1, 1]


def test_equal_connections_share_their_sessions() -> None:
    one, again = Connection(address="hv77"), Connection(address="hv77")
    assert sessions_with(one) is sessions_with(again)
    assert sessions_with(one) is not sessions_with(Connection(address="hv78"))


def test_who_opens_no_session_loads_no_client() -> None:
    """It takes a third of a second, which a preview without a host and each of Pulumi's look-ups would pay."""
    slow = ("cryptography", "pypsrp", "requests", "spnego")
    look = "import sys, nestedlab.psrp.faults, nestedlab.psrp.sessions as s; s.Sessions(None); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)
    assert [name for name in slow if name in said.stdout.split()] == []
