"""A client's messages out of their fragments, and a server's into theirs ([MS-PSRP] 2.2.1 and 2.2.4)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

CREATE_PIPELINE = 0x00021006
"""The type of the message that asks for a pipeline."""

_FRAGMENT = struct.Struct(">QQBI")  # object, number within it, first and last, length
_MESSAGE = struct.Struct("<II16s16s")  # destination, type, pool, pipeline
_CLIENT = 1
_FIRST, _LAST = 1, 2
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class MalformedMessageError(ValueError):
    """The client sent fragments that are not PSRP or do not fit the state of the pool."""


def fragmented(message: bytes, object_number: int, size: int) -> Iterator[bytes]:
    """Give a message in fragments of a size, headers included."""
    room = size - _FRAGMENT.size
    starts = range(0, len(message), room)
    for number, start in enumerate(starts):
        part = message[start : start + room]
        flags = (_FIRST if number == 0 else 0) | (_LAST if number == len(starts) - 1 else 0)
        yield _FRAGMENT.pack(object_number, number, flags, len(part)) + part


def to_client(type_: int, pool_id: UUID, pipeline_id: UUID, clixml: str) -> bytes:
    """Give a message to the client."""
    return _MESSAGE.pack(_CLIENT, type_, pool_id.bytes_le, pipeline_id.bytes_le) + clixml.encode()


@dataclass(frozen=True, slots=True)
class Message:
    """A message. `clixml` is what it says, `fragments` are all of its bytes as they came."""

    type: int
    pipeline_id: UUID
    clixml: bytes
    fragments: bytes


@dataclass(slots=True)
class Defragmenter:
    """Fragments of messages that are not complete yet, by the number of the object that they are of."""

    _incomplete: dict[int, list[bytes]] = field(default_factory=dict)

    def take(self, data: bytes) -> Iterator[Message]:
        """Take whole fragments and give the messages that they complete. Raises ValueError."""
        while data:
            size = _FRAGMENT.size + (_FRAGMENT.unpack_from(data)[3] if len(data) >= _FRAGMENT.size else 0)
            if len(data) < size:
                raise ValueError("a fragment is cut off")
            fragment, data = data[:size], data[size:]
            number_of_object, number, flags, _ = _FRAGMENT.unpack_from(fragment)
            fragments = self._incomplete.setdefault(number_of_object, [])
            if number != len(fragments):
                raise ValueError(f"there is a fragment {number} where fragment {len(fragments)} should be")
            fragments.append(fragment)
            if flags & _LAST:
                yield _message(self._incomplete.pop(number_of_object))


def _message(fragments: list[bytes]) -> Message:
    data = b"".join(fragment[_FRAGMENT.size :] for fragment in fragments)
    if len(data) < _MESSAGE.size:
        raise ValueError("a message is cut off")
    _, type_, _, pipeline_id = _MESSAGE.unpack_from(data)
    clixml = data[_MESSAGE.size :].removeprefix(_BYTE_ORDER_MARK)
    return Message(type_, UUID(bytes_le=pipeline_id), clixml, b"".join(fragments))
