"""Who is at the other end of a connection: Negotiate (NTLM within) and, over TLS only, Basic; without sockets.

WinRM offers Negotiate and Kerberos, and Basic if the listener is HTTPS or unencrypted traffic is allowed; a client
that speaks NTLM sends it under Negotiate. NTLM proves a connection, not a request: what follows on it needs no proof.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import BadBindingsError

from hyperv_sim.fidelity import fact

# pyspnego reads an acceptor's accounts from a file that this variable names, and only from there.
_USER_FILE = "NTLM_USER_FILE"
_user_file_lock = Lock()
# Its own NTLM in Python, so that a gss-ntlmssp or SSPI of this machine has no say.
_IN_PYTHON = spnego.NegotiateOptions.use_negotiate | spnego.NegotiateOptions.use_ntlm


@dataclass(frozen=True, slots=True)
class Account:
    """The one user of the host. The password is in memory only. Raises ValueError if pyspnego could not take it."""

    username: str
    password: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(18))

    def __post_init__(self) -> None:
        if any(sign in part for part in (self.username, self.password) for sign in ":\r\n"):
            raise ValueError("neither user name nor password may hold a colon or a line break (pyspnego's user file)")
        if not self.username or not self.password:
            raise ValueError("user name and password may not be empty")

    def is_proven_by(self, credentials: bytes) -> bool:
        """Whether Basic's `user:password` is this account's; a domain that names the host itself may stand before."""
        user, _, password = credentials.partition(b":")
        user = user.rpartition(b"\\")[2]
        is_user = hmac.compare_digest(user.lower(), self.username.lower().encode())
        return hmac.compare_digest(password, self.password.encode()) and is_user

    @contextmanager
    def as_user_file(self, machine: str) -> Iterator[None]:
        """Let pyspnego read the account, now and in this process only: from memory on Linux, else from a 0600 file."""
        lines = "".join(f"{domain}:{self.username}:{self.password}\n" for domain in ("", ".", machine))
        with _user_file_lock, _readable(lines.encode()) as path:
            before = os.environ.get(_USER_FILE, "")
            os.environ[_USER_FILE] = path
            try:
                yield
            finally:
                os.environ[_USER_FILE] = before  # not deleted: another thread may be reading all variables


@contextmanager
def _readable(content: bytes) -> Iterator[str]:
    if sys.platform == "linux":
        with os.fdopen(os.memfd_create("hyperv-sim"), "wb") as memory:
            memory.write(content)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
    else:
        descriptor, name = tempfile.mkstemp()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            yield name
        finally:
            Path(name).unlink()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request's Authorization is worth: None for `user` is a 401; `challenge` goes into WWW-Authenticate."""

    user: str | None
    challenge: str = ""


class Authenticator:
    """The state of one connection; `certificate` is the server's, in DER, if the connection is TLS."""

    def __init__(self, account: Account, machine: str, certificate: bytes | None = None) -> None:
        self.context: spnego.ContextProxy | None = None
        self._account = account
        self._machine = machine
        self._bindings = None if certificate is None else _channel_bindings(certificate)

    @property
    def offers(self) -> tuple[str, ...]:
        """What a 401 offers, as WinRM does."""
        return ("Negotiate", 'Basic realm="WSMAN"') if self._bindings else ("Negotiate",)

    def judge(self, authorization: str) -> Verdict:
        """Judge a request by its Authorization header, "" if it has none."""
        scheme, _, token = authorization.partition(" ")
        try:
            proof = base64.b64decode(token, validate=True)
        except binascii.Error:
            return Verdict(None)
        match scheme.lower():
            case "":
                proven = self.context is not None and self.context.complete
                return Verdict(self._account.username if proven else None)
            case "basic" if self._bindings:
                return Verdict(self._account.username if self._account.is_proven_by(proof) else None)
            case "negotiate":
                return self._negotiate(proof)
        return Verdict(None)

    def _negotiate(self, token: bytes) -> Verdict:
        try:
            with self._account.as_user_file(self._machine):
                if self.context is None or self.context.complete:
                    self.context = spnego.server(protocol="negotiate", options=_IN_PYTHON)
                answer = self._step(self.context, token)
        except Exception:  # pyspnego raises its own errors for a wrong password, and any for a broken token
            self.context = None
            return Verdict(None)
        challenge = f"Negotiate {base64.b64encode(answer).decode()}" if answer else ""
        return Verdict(self._account.username if self.context.complete else None, challenge)

    def _step(self, context: spnego.ContextProxy, token: bytes) -> bytes | None:
        """Go on, with CbtHardeningLevel Relaxed as on Windows: a channel binding may be missing, but not be wrong."""
        try:
            return context.step(token, channel_bindings=self._bindings)
        except BadBindingsError as error:
            if "not present" not in str(error):  # pyspnego has one error for both
                raise
            return context.step(token)


def _channel_bindings(certificate: bytes) -> GssChannelBindings:
    """Give the binding of RFC 5929 to a certificate that is signed with SHA-256, as trustme's are."""
    return GssChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(certificate).digest())


fact(
    "Authentication", "Negotiate with NTLM, Basic over HTTPS only; no Kerberos, CredSSP, certificates", "not simulated"
)
fact("Authentication", "a channel binding may be missing, not wrong (CbtHardeningLevel Relaxed)", "recorded defaults")
