"""Sealed HTTP bodies: multipart/encrypted of [MS-WSMV] 2.2.9.1, which WinRM asks for over plain HTTP."""

from __future__ import annotations

import re
import struct

from spnego import ContextProxy

CONTENT_TYPE = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
_BOUNDARY = b"--Encrypted Boundary"
_HEAD = re.compile(
    rb"--\s*Encrypted Boundary\r\n"
    rb"\s*Content-Type:\s*application/HTTP-SPNEGO-session-encrypted\r\n"
    rb"\s*OriginalContent:\s*type=application/soap\+xml;\s*charset=UTF-8;\s*Length=(\d{1,9})\r\n"
    rb"--\s*Encrypted Boundary\r\n\s*Content-Type:\s*application/octet-stream\r\n",
    re.IGNORECASE,
)


class NotSealedError(ValueError):
    """A body that should be sealed is not, or is sealed for another context."""


def is_sealed(content_type: str) -> bool:
    """Whether a Content-Type says that the body is sealed."""
    return content_type.lower().startswith("multipart/encrypted")


def unseal(context: ContextProxy, body: bytes) -> bytes:
    """Give the plain text of a sealed body. Raises NotSealedError."""
    head = _HEAD.match(body)
    tail = re.search(rb"--\s*Encrypted Boundary--(\r\n)?\Z", body)
    if not head or not tail:
        raise NotSealedError("the body is not multipart/encrypted")
    sealed = body[head.end() : tail.start()]
    try:
        (size,) = struct.unpack_from("<i", sealed)
        plain = context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
    except Exception as error:  # pyspnego raises its own kinds, and struct.error for what is cut off
        raise NotSealedError(str(error)) from error
    if len(plain) != int(head[1]):
        raise NotSealedError("the length of the plain text is not as announced")
    return plain


def seal(context: ContextProxy, plain: bytes) -> bytes:
    """Seal a body for the client of this context."""
    header, data, padding = context.wrap_winrm(plain)
    length = str(len(plain) + padding).encode()
    return b"".join(
        (
            _BOUNDARY,
            b"\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted",
            b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=" + length + b"\r\n",
            _BOUNDARY,
            b"\r\n\tContent-Type: application/octet-stream\r\n",
            struct.pack("<i", len(header)),
            header,
            data,
            _BOUNDARY,
            b"--\r\n",
        )
    )
