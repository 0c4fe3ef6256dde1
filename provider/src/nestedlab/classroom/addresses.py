"""Networks and ports that are free."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Network

from nestedlab.classroom.ports import Ports


def first_free(room: IPv4Network, length: int, taken: Collection[IPv4Network]) -> IPv4Network | None:
    """The first network of this length in the room that overlaps none that is taken."""
    size = 2 ** (32 - length)
    at, end = int(room.network_address), int(room.broadcast_address)
    while at + size - 1 <= end:
        found = IPv4Network((at, length))
        last = max((int(other.broadcast_address) for other in taken if other.overlaps(found)), default=None)
        if last is None:
            return found
        at = max(at, last) // size * size + size
    return None


def first_free_ports(room: Ports, count: int, taken: Collection[Ports]) -> Ports | None:
    """The first ports in the room, so many in a row, that overlap none that are taken."""
    at = room.first
    while at + count - 1 <= room.last:
        found = Ports(at, at + count - 1)
        last = max((other.last for other in taken if other.overlaps(found)), default=None)
        if last is None:
            return found
        at = last + 1
    return None
