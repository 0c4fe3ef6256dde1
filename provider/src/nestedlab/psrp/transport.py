"""HTTP for WinRM, within bounds: an answer is read up to a size and a time, and is taken from nowhere else.

requests follows redirects and logs on wherever they lead, begins its time-out anew with each read, reads whatever
comes, and trusts a list of authorities of its own instead of the system's.
"""

from __future__ import annotations

import io
import os
import ssl
import threading
import time
from functools import partial
from http.client import HTTPResponse
from typing import Any

import truststore
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

_LARGEST_ANSWER = 2**20
"""Bytes of one HTTP answer. Windows keeps to the MaxEnvelopeSize of the request, which is 500 KiB, and sealing adds a
little."""

_PIECE = 64 * 1024
"""Bytes that are read at once: fewer steps for the long answers that most of the time goes into."""

_BYTES_A_MARK = 16
"""Bytes of an answer to an element or attribute of it, at least. In memory one is twenty times what it is as text, so
a host that sends nothing else could fill it with a small answer; objects of PowerShell have 30 bytes and more."""

_SMALL = 128 * 1024
"""Bytes of an answer to a step that a session may take at any time: a machine takes 30,000. A process reads one
larger answer at a time, whichever session and host it is for, because several could fill its memory."""

_SOAP = "application/soap+xml"
_SEALED = ("multipart/encrypted", "multipart/x-multi-encrypted")


class AnswerRefusedError(Exception):
    """What came is not read any further; `faults` has the words for it."""


class TooLateError(AnswerRefusedError):
    """The time for the step is over."""


class TooLargeError(AnswerRefusedError):
    """More came than an answer may have."""


class CrowdedOutError(AnswerRefusedError):
    """The time for the step was over before other large answers had been read."""


class RedirectedError(AnswerRefusedError):
    """The answer leads elsewhere."""


class NotSealedError(AnswerRefusedError):
    """A message of WinRM that is not sealed came over plain HTTP: anybody on the way may have written it."""


class SealOutdatedError(AnswerRefusedError):
    """The host does not know the log-on any more that the request was sealed for, and has done nothing."""


class NotWinRMError(AnswerRefusedError):
    """The answer is no message of WinRM. `status` and `content` are what HTTP says of it."""

    def __init__(self, status: int, content: str) -> None:
        super().__init__(f"HTTP {status}, {content or 'no content'}")
        self.status = status
        self.content = content


large_answers = threading.Lock()
"""Held by the one session of the process that is reading a large answer."""


class Bounds:
    """The time and the size that are left for the answers to a step. A session has one, and one thread at a time."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._left = largest
        self._marks_left = largest // _BYTES_A_MARK
        self._end = float("inf")
        self._is_large = False

    def renew(self, seconds: float) -> None:
        """Begin with a step, which has so many seconds."""
        self.end()
        self._end = time.monotonic() + seconds
        self._left = self._largest
        self._marks_left = self._largest // _BYTES_A_MARK

    def end(self) -> None:
        """Nothing of the answers is held any longer: let another session read a large one."""
        if self._is_large:
            self._is_large = False
            large_answers.release()

    @property
    def seconds(self) -> float:
        """The seconds that are left. Raises TooLateError if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TooLateError
        return left

    def take(self, size: int) -> None:
        """Count what came, in bytes, and wait before more of a large answer is read.

        Raises TooLargeError, TooLateError and CrowdedOutError.
        """
        self._left -= size
        if self._left < 0:
            raise TooLargeError
        if not self._is_large and self._largest - self._left > _SMALL:
            self._is_large = large_answers.acquire(timeout=min(self.seconds, threading.TIMEOUT_MAX))
            if not self._is_large:
                raise CrowdedOutError

    def take_marks(self, number: int) -> None:
        """Count the elements and attributes of what is about to be read as XML. Raises TooLargeError."""
        self._marks_left -= number
        if self._marks_left < 0:
            raise TooLargeError


class _BoundedReader(io.RawIOBase):
    """What reads an answer from its socket, a piece at a time: within the bounds, and no larger than an answer is."""

    def __init__(self, reader: Any, bounds: Bounds) -> None:
        self._reader = reader
        self._sock = reader._sock  # pypsrp looks here for the certificate that the log-on is bound to
        self._bounds = bounds
        self._patience = self._sock.gettimeout() or float("inf")
        self._left = _LARGEST_ANSWER

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(min(self._patience, self._bounds.seconds))
        try:
            size: int | None = self._reader.readinto(buffer)
        except TimeoutError:
            _ = self._bounds.seconds
            raise
        self._left -= size or 0
        if self._left < 0:
            raise TooLargeError
        self._bounds.take(size or 0)
        return size

    def close(self) -> None:
        self._reader.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, bounds: Bounds, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), bounds), _PIECE)


class Adapter(HTTPAdapter):
    """How a session's requests are sent, and what is taken for an answer. `offers` are the ways to log on that do."""

    def __init__(self, bounds: Bounds, context: ssl.SSLContext | None, offers: tuple[str, ...]) -> None:
        self._bounds = bounds
        self._context = context
        self._offers = offers
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Trust what the context trusts."""
        super().init_poolmanager(*args, ssl_context=self._context, **options)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Trust the same behind a proxy."""
        return super().proxy_manager_for(*args, ssl_context=self._context, **options)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Have the certificate checked, without the list of authorities that requests brings along."""
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
        if verify is True:
            conn.ca_certs = None

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Give the pool of connections, each of which reads within the bounds."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if not isinstance(pool.ConnectionCls, partial):
            pool.ConnectionCls = partial(self._connection, pool.ConnectionCls)
        return pool

    def _connection(self, make: Any, **options: Any) -> Any:
        connection = make(**options)
        connection.response_class = partial(_BoundedResponse, bounds=self._bounds)
        return connection

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Send a request. Raises AnswerRefusedError, and what requests raises."""
        left = self._bounds.seconds
        timeout = options.get("timeout")
        patience = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        options["timeout"] = tuple(left if seconds is None else min(seconds, left) for seconds in patience)
        response = super().send(request, *args, **options)
        try:
            self._examine(request, response)
        except AnswerRefusedError:
            response.close()
            raise
        return response

    def _examine(self, request: PreparedRequest, response: Response) -> None:
        """Refuse what no host sends. Nothing of the answer's body has been read by then."""
        status, content = response.status_code, response.headers.get("Content-Type", "").lower()
        if 300 <= status < 400:
            raise RedirectedError(response.headers.get("Location", "nowhere"))
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":  # the request allows no other
            raise NotWinRMError(status, f"{content}, compressed")
        if status == 401:
            offered = response.headers.get("WWW-Authenticate", "").lower()
            if self._offers and not any(offer in offered for offer in self._offers):
                raise NotWinRMError(status, offered)
        elif not request.body:
            if status == 200 and "Authorization" not in request.headers:
                raise NotWinRMError(status, content)  # it let somebody in who has not logged on
        elif not str(request.headers.get("Content-Type", "")).startswith(_SEALED):
            if not content.startswith(_SOAP):
                raise NotWinRMError(status, content)
        elif not content.startswith(_SEALED):
            if status == 400:
                raise SealOutdatedError
            raise NotSealedError if content.startswith(_SOAP) else NotWinRMError(status, content)


def trusted(ca_bundle: object) -> ssl.SSLContext:
    """What the host's certificate is trusted by: the bundle, if there is one, else what the system trusts.

    The variable SSL_CERT_FILE names a bundle as well; OpenSSL knows it, but not what Windows and macOS have instead.
    """
    bundle = ca_bundle or os.environ.get("SSL_CERT_FILE")
    if not bundle:
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = create_urllib3_context()
    context.load_verify_locations(str(bundle))
    return context
