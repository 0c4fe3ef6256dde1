"""Whatever answers in a host's place: an error with a remedy, in bounded time and memory; nothing is sent elsewhere."""

from __future__ import annotations

import datetime
import gzip
import itertools
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from tests.provider.peers import SOAP, Script, answer, peer

from hyperv_sim.records import NetObject, Output, Record, Scalar, Statement, Value
from hyperv_sim.server import SimulatedServer
from nestedlab.connection import connection
from nestedlab.errors import NestedlabError, UnreachableError
from nestedlab.pipeline import Step, statement
from nestedlab.psrp.sessions import new_session
from nestedlab.psrp.transport import large_answers

if TYPE_CHECKING:
    from threading import Event

LIST = Step("list the machines", (statement("Get-VM"),))
HTML = b"<html><body>Please log in</body></html>"
BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "' + b"x" * 300_000 + b'">]><a>' + b"&a;" * 300 + b"</a>"


def _endless(begin: bytes, piece: bytes) -> Iterator[bytes]:
    yield begin
    while True:
        yield piece


def _slowly(text: bytes, seconds: float) -> Iterator[bytes]:
    for place in range(len(text)):
        time.sleep(seconds)
        yield text[place : place + 1]


OK = f"HTTP/1.1 200 OK\r\n{SOAP}\r\n".encode()
SCRIPTS: dict[str, tuple[Script, str]] = {
    "an endless answer": (lambda _: _endless(OK + b"\r\n", b"x" * 65536), "sent a larger answer than is accepted"),
    "an endless header": (lambda _: _endless(b"HTTP/1.1 200 OK\r\n", b"x" * 65536), "is not HTTP"),
    "endless headers": (lambda _: _endless(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n" * 1000), "is not HTTP"),
    "an endless chunk's length": (
        lambda _: _endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65536),
        "is not HTTP",
    ),
    "endless promises": (
        lambda _: _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        "sent a larger answer than is accepted",
    ),
    "a compressed answer": (
        lambda _: [answer(gzip.compress(b"x" * 2**24, 1), SOAP, "Content-Encoding: gzip")],
        "compressed",
    ),
    "entities in entities": (lambda _: [answer(BOMB, SOAP)], "document types are not allowed"),
    "entities in another encoding": (
        lambda _: [answer(BOMB.decode().encode("utf-16"), SOAP)],
        "sent a message that is not valid text",
    ),
    "elements without end": (lambda _: [answer(b"<a>" * 100_000, SOAP)], "sent a message that is not valid XML"),
    "an empty answer": (lambda _: [answer(b"", SOAP)], "answered with an empty message"),
    "an empty envelope": (
        lambda _: [answer(b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>', SOAP)],
        "sent an answer that is not from WinRM",
    ),
    "a login page": (lambda _: [answer(HTML, "Content-Type: text/html")], "answered with a web page, not WinRM"),
    "an error page": (
        lambda _: [answer(HTML, "Content-Type: text/html", status="503 Service Unavailable")],
        "answered HTTP 503, not WinRM",
    ),
    "another way to log on": (
        lambda _: [answer(b"", "WWW-Authenticate: Bearer", status="401 Unauthorized")],
        "does not accept nestedlab:auth basic (it accepts: bearer)",
    ),
    "nothing at all": (lambda _: [], "closed the connection"),
    "half an answer": (lambda _: [OK + b"Content-Length: 1000\r\n\r\n<s:Env"], "closed the connection"),
    "garbage": (lambda _: [b"\x00\xff" * 100], "is not HTTP"),
}

LARGE = [name for name in SCRIPTS if "endless" in name or "entities" in name or "compressed" in name]
"""What would fill the memory of who reads it."""


@dataclass
class Tls:
    """An authority, its file, and certificates of it for this machine."""

    authority: trustme.CA
    file: str

    def context(self, **settings: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1", **settings).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return Tls(authority, str(file))


def settings_for(url: str, tls: Tls, **settings: str) -> dict[str, str]:
    usual = {"address": url, "username": "me", "password": "Never-Told-1", "auth": "basic", "caBundle": tls.file}
    return {f"nestedlab:{name}": value for name, value in (usual | settings).items() if value}


def told_by(url: str, tls: Tls, **settings: str) -> str:
    """What the user is told."""
    session = new_session(connection(settings_for(url, tls, **settings), {}))
    with pytest.raises(UnreachableError) as raised:
        session.run(LIST)
    assert "Never-Told" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_no_host_is_told_apart(name: str, tls: Tls) -> None:
    script, says = SCRIPTS[name]
    with peer(script, tls.context()) as there:
        assert says in told_by(there.url, tls)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(lambda _: _slowly(OK * 100, 0.02), id="a byte now and then"),
        pytest.param(lambda _: _slowly(b" " * 100, 0.2), id="silence"),
        pytest.param(lambda _: itertools.chain([OK + b"\r\n"], _slowly(b"x" * 1000, 0.02)), id="a slow body"),
    ],
)
def test_a_deadline_is_for_all_that_is_read(script: Script, tls: Tls) -> None:
    begun = time.monotonic()
    with peer(script, tls.context()) as there:
        says = told_by(there.url, tls, stepTimeout="0.1", connectTimeout="1")
    assert "did not answer in time: check the host's load, or raise the timeouts" in says
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int, tls: Tls) -> None:
    with peer(lambda _: [answer(HTML)]) as elsewhere:
        to = f"Location: {elsewhere.url}/wsman"
        with peer(lambda _: [answer(b"", to, status=f"{status} Elsewhere")], tls.context()) as there:
            assert f"redirects to {elsewhere.url}/wsman. Redirects are not followed" in told_by(there.url, tls)
        with peer(lambda _: [answer(b"", to, status=f"{status} Elsewhere")]) as there:
            assert "redirects to" in told_by(there.url, tls, auth="ntlm")
    assert elsewhere.requests == []


def test_what_is_wrong_with_tls_is_told_apart(tls: Tls) -> None:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    expired = tls.context(not_after=past)
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.authority.issue_cert("hv02.example.org").configure_cert(other)
    old = tls.context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.deprecated_call():
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    for context, says in (
        (expired, "has expired: renew it on the host"),
        (other, "is for another name: use the name it is for"),
        (old, "supports only an old version of TLS, which is not safe: enable TLS 1.2 on the host"),
    ):
        with peer(lambda _: [answer(HTML)], context) as there:
            assert says in told_by(there.url, tls)
    with peer(lambda _: [answer(HTML)], tls.context()) as there:
        assert "is not trusted: set nestedlab:caBundle" in told_by(there.url, tls, caBundle="")


def test_the_system_s_trust_counts_and_not_a_list_of_the_client_library(
    tls: Tls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = [answer(HTML, "Content-Type: text/html")]
    monkeypatch.setenv("SSL_CERT_FILE", tls.file)
    with peer(lambda _: page, tls.context()) as there:
        assert "web page" in told_by(there.url, tls, caBundle="")
        stranger = tmp_path / "stranger.pem"
        trustme.CA().cert_pem.write_to_path(str(stranger))
        assert "is not trusted" in told_by(there.url, tls, caBundle=str(stranger))
        monkeypatch.delenv("SSL_CERT_FILE")
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", tls.file)
        assert "is not trusted" in told_by(there.url, tls, caBundle="")


class Flood:
    """A host that speaks PSRP well, and does not come to an end."""

    def __init__(self, piece: Value) -> None:
        self._piece = piece

    def shells(self, _endpoint: str) -> Flood:
        return self

    def invoke(self, statements: Sequence[Statement], stop: Event) -> Iterator[Record]:
        assert statements
        yield from itertools.takewhile(lambda _: not stop.is_set(), itertools.repeat(Output(self._piece), 200))


MANY = NetObject(("Many",), {f"P{number}": Scalar("String", "x") for number in range(2000)})
FLOODS: list[tuple[Value, dict[str, str]]] = [
    (Scalar("String", "x" * 100_000), {"answerLimitMib": "4"}),
    (Scalar("String", "=" * 100_000), {"answerLimitMib": "1"}),
    (MANY, {}),
    (MANY, {}),  # one of these is 150 MB in memory
]

MEASURED = """
import os, sys

if begun := os.fork():  # exec keeps the peak of the process before it, the tests' own; a fork begins anew
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(begun, 0)[1]))

import json, resource
from concurrent.futures import ThreadPoolExecutor
from nestedlab.adapters import dynamic_front
from nestedlab.connection import connection
from nestedlab.errors import NestedlabError
from nestedlab.pipeline import Step, statement
from nestedlab.psrp.sessions import new_session

def told_by(settings):
    session = new_session(connection(settings, {}))
    try:
        session.run(Step("list the machines", (statement("Get-VM"),)))
    except NestedlabError as error:
        return str(error)[:60]
    finally:
        session.close()

peers = json.load(sys.stdin)
with ThreadPoolExecutor(len(peers)) as workers:
    for told in workers.map(told_by, peers):
        print(told)
unit = 2**20 if sys.platform == "darwin" else 2**10
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit)
"""


def test_under_any_answers_at_once_a_provider_s_process_stays_small(tls: Tls) -> None:
    with ExitStack() as there:
        urls = [there.enter_context(peer(SCRIPTS[name][0], tls.context())).url for name in LARGE]
        settings = [settings_for(url, tls) for url in urls]
        for piece, more in FLOODS:
            server = there.enter_context(SimulatedServer(Flood(piece).shells, password="Never-Told-1"))
            settings.append(settings_for(server.url, tls, username=server.username, auth="ntlm", **more))
        ran = subprocess.run(
            [sys.executable, "-c", MEASURED],
            input=json.dumps(settings),
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    *told, megabytes = ran.stdout.splitlines()
    assert len(told) == len(settings)
    assert all("sent a larger answer than is accepted" in text for text in told[-len(FLOODS) :])
    assert int(megabytes) < 300


def test_a_large_answer_waits_for_others_as_long_as_its_step_may_take(tls: Tls) -> None:
    script, _ = SCRIPTS["an endless answer"]
    with peer(script, tls.context()) as there, large_answers:
        says = told_by(there.url, tls, stepTimeout="0.5", connectTimeout="0.5")
    assert "waited too long for other large answers" in says
    with peer(script, tls.context()) as there:
        assert "sent a larger answer than is accepted" in told_by(there.url, tls)


def test_an_error_of_any_kind_is_ours(monkeypatch: pytest.MonkeyPatch, tls: Tls) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("what nobody has thought of")

    monkeypatch.setattr("nestedlab.psrp.pool._Transport._build_session", fail)
    session = new_session(connection(settings_for("https://127.0.0.1:1", tls), {}))
    with pytest.raises(NestedlabError, match="LookupError: what nobody has thought of"):
        session.run(LIST)
