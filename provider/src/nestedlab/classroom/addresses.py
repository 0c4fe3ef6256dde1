"""Networks and ports that are free."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import IPv4Network

from nestedlab.classroom.ports import Ports


def first_free(room: IPv4Network, length: int, taken: Collection[IPv4Network]) -> IPv4Network | None:
    """The first network of this length in the room that overlaps none that is taken."""
    size = 2 ** (32 - length)
    # A network begins at a multiple of its size: what is taken counts up to the next one.
    blocks = ((int(other.network_address), int(other.broadcast_address) // size * size + size - 1) for other in taken)
    start = _first_gap(int(room.network_address), size, blocks)
    return IPv4Network((start, length)) if start + size - 1 <= int(room.broadcast_address) else None


def first_free_ports(room: Ports, count: int, taken: Collection[Ports]) -> Ports | None:
    """The first ports in the room, so many in a row, that overlap none that are taken."""
    start = _first_gap(room.first, count, taken)
    return Ports(start, start + count - 1) if start + count - 1 <= room.last else None


def _first_gap(start: int, size: int, taken: Iterable[tuple[int, int]]) -> int:
    """Where the first gap of this size begins, from a start on; what is taken is given by its first and last."""
    for first, last in sorted(taken):
        if first >= start + size:
            break
        start = max(start, last + 1)
    return start
