"""A host whose answers break in the middle of a session: the operation begins again, or says what it was."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partialmethod
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from hyperv_sim.wire import connection as wire
from hyperv_sim.wire import message_encryption
from nestedlab.errors import Interrupted, NestedlabError, UnreachableError
from nestedlab.pipeline import Step, statement

if TYPE_CHECKING:
    from tests.provider.conftest import Provider

LIST = Step("list the machines", (statement("Get-VM"),))
Broken = Callable[[bytes], bytes]


def _stream(data: bytes) -> Broken:
    text = base64.b64encode(data)
    return lambda answer: re.sub(rb"(<rsp:Stream [^>]*>)[^<]*", rb"\g<1>" + text, answer)


BROKEN: dict[str, tuple[Broken, str]] = {
    "nothing": (lambda _: b"", "answered with an empty message"),
    "half of it": (lambda answer: answer[: len(answer) // 2], "sent a message that is not valid XML"),
    "an entity": (lambda answer: b"<!DOCTYPE a>" + answer, "document types are not allowed"),
    "no text": (lambda _: b"\xff\xfe\xfd", "sent a message that is not valid text"),
    "no body": (lambda answer: re.sub(rb"<s:Body>.*</s:Body>", b"", answer, flags=re.DOTALL), "not from WinRM"),
    "an answer to another request": (
        lambda answer: answer.replace(b"<a:RelatesTo>", b"<a:RelatesTo>1"),
        "not from WinRM",
    ),
    "no base64": (lambda answer: re.sub(rb"(<rsp:Stream [^>]*>)[^<]*", rb"\1A", answer), "not from WinRM"),
    "half a fragment": (_stream(b"\0" * 5), "not from WinRM"),
    "a message of no kind": (_stream(b"\0" * 15 + b"\1\3\0\0\0\x28" + b"\1" * 40), "not from WinRM"),
}

IN_STREAMS = {"no base64", "half a fragment", "a message of no kind"}
"""What only an answer with output can have."""


@dataclass
class Way:
    """What becomes of one answer to an action on its way, after some that come through whole."""

    action: str = ""
    breaks: Broken = bytes
    is_due: bool = False
    whole: int = 0
    original: Any = field(default=wire.Connection._wsman)

    def passes(self, connection: wire.Connection, envelope: bytes, user: str) -> tuple[HTTPStatus, bytes] | None:
        answered: tuple[HTTPStatus, bytes] | None = self.original(connection, envelope, user)
        if answered is None or f"/{self.action}<".encode() not in envelope or not self.is_due:
            return answered
        if self.whole:
            self.whole -= 1
            return answered
        self.is_due = False
        return answered[0], self.breaks(answered[1])

    @contextmanager
    def of(self, action: str, breaks: Broken, whole: int = 0) -> Iterator[None]:
        self.action, self.breaks, self.is_due, self.whole = action, breaks, True, whole
        yield
        self.is_due = False


def _passed(connection: wire.Connection, way: Way, *of_it: Any) -> Any:
    return way.passes(connection, *of_it)


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> Way:
    way = Way()
    monkeypatch.setattr(wire.Connection, "_wsman", partialmethod(_passed, way))
    return way


def test_a_broken_answer_is_asked_for_again_or_told(way: Way, provider: Provider) -> None:
    machine = provider.create("machine")
    for name, (breaks, says) in BROKEN.items():
        for action in ("Receive",) if name in IN_STREAMS else ("Command", "Receive"):
            with provider.sessions.borrow() as session:
                with way.of(action, breaks), pytest.raises(Interrupted) as raised:
                    session.run(LIST)
                assert says in str(raised.value), (name, action)
                assert session.run(LIST).first("VirtualMachine"), (name, action)
                assert provider.parent.server.open_shells == 1, (name, action)
    with way.of("Receive", lambda answer: answer[:-9]):
        assert provider.seen("machine", machine).id == machine.id
        assert not way.is_due


def test_a_session_whose_opening_breaks_is_told_and_leaves_nothing(way: Way, provider: Provider) -> None:
    for name, (breaks, says) in BROKEN.items():
        with way.of("Receive", breaks), provider.sessions.borrow() as session:
            with pytest.raises(UnreachableError) as raised:
                session.run(LIST)
            assert says in str(raised.value), name
            assert provider.parent.server.open_shells == 0, name


def test_a_create_completes_whichever_answer_breaks(way: Way, provider: Provider) -> None:
    provider.create("switch")
    for whole in range(10):
        with way.of("Receive", lambda answer: answer[:-9], whole=whole):
            machine = provider.create("machine")
            was_met = not way.is_due
        assert provider.parent.machines == ["hv1"]
        provider.delete("machine", machine)
        assert provider.parent.machines == []
        if not was_met:
            return
    raise AssertionError("a create has no ten answers")


def test_a_broken_seal_is_told_and_the_next_session_is_well(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = provider.create("machine")
    seal = message_encryption.seal

    def broken(*arguments: Any) -> bytes:
        sealed = seal(*arguments)
        return sealed[:-60] + bytes([sealed[-60] ^ 1]) + sealed[-59:]

    with monkeypatch.context() as patched:
        patched.setattr(message_encryption, "seal", broken)
        with pytest.raises(
            NestedlabError, match="was changed on its way, because its signature does not match"
        ) as raised:
            provider.read("machine", machine)
    assert "password" not in str(raised.value)
    assert provider.seen("machine", machine).id == machine.id


def test_what_is_not_sealed_is_not_believed_over_plain_http(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = provider.create("machine")
    for status in (HTTPStatus.OK, HTTPStatus.INTERNAL_SERVER_ERROR):
        with monkeypatch.context() as patched:
            patched.setattr(message_encryption, "seal", lambda _, plain: plain)
            patched.setattr(message_encryption, "CONTENT_TYPE", "application/soap+xml;charset=UTF-8")
            answer = wire.Connection._answer
            patched.setattr(
                wire.Connection,
                "_answer",
                lambda self, own, *rest, answer=answer, status=status, **more: answer(
                    self, status if own == HTTPStatus.OK and rest else own, *rest, **more
                ),
            )
            with pytest.raises(NestedlabError, match="an unencrypted message, which anybody on the network could"):
                provider.read("machine", machine)
    assert provider.seen("machine", machine).id == machine.id
