"""A host in a picture: a frame with a card for each switch and machine.

Each switch has a rail at the left, which leads from its card down to the adapters that are on it, so the picture grows
downwards with the lab and stays narrow enough for a page. A forward comes in through the right side of the frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nestedlab.names import same_name
from nestedlab.topology.canvas import Canvas, width_of
from nestedlab.topology.look import BODY, RAILS, TITLE
from nestedlab.topology.model import Adapter, Host, Machine, Switch
from nestedlab.topology.words import (
    adapter_text,
    forward_text,
    host_title,
    machine_facts,
    switch_facts,
    switch_kind,
)

_PAD = 12.0
_GAP = 12.0
_RAIL = 16.0
_LINE = 18.0
_PORTS = 26.0
"""How far the cards stay from the right side if forwards come in through it."""
_HOST = "Hyper-V host"
_NARROWEST, _WIDEST = 250.0, 440.0


@dataclass(frozen=True)
class _Card:
    """What is in the card of a switch or a machine: a title, a word at its right, lines below."""

    title: str
    word: str
    facts: tuple[str, ...]
    lines: tuple[str, ...]
    """Those that something leads to: a switch's forwards, a machine's adapters."""
    inside: Host | None = None

    @property
    def height(self) -> float:
        """How high it is."""
        below = 0 if self.inside is None else _height(self.inside) + _GAP
        return _LINE * (1 + len(self.facts) + len(self.lines)) + _PAD + below

    @property
    def width(self) -> float:
        """How wide it has to be for its texts, within bounds."""
        title = width_of(self.title, TITLE) + _LINE + width_of(self.word, BODY) + _GAP
        texts = [title, *(width_of(text, BODY) for text in (*self.facts, *self.lines))]
        least = min(max(*texts, _NARROWEST), _WIDEST)
        return max(least, needed_width(self.inside) if self.inside is not None else 0) + 2 * _PAD


def needed_width(host: Host) -> float:
    """How wide the host's frame has to be."""
    cards = [_card(row).width for row in _rows(host)]
    return _left(host) + max(cards, default=_NARROWEST) + _right(host)


def draw_host(canvas: Canvas, host: Host, at: tuple[float, float], width: float) -> float:
    """Draw a host's frame, and return where it ends."""
    x, top = at
    canvas.box(at, width, _height(host), "host", radius=8)
    name, address = host_title(host)
    word = width_of(_HOST, BODY)
    canvas.text((x + _PAD, top + 21), name, "name", size=TITLE, width=width - 2 * _PAD - word - _GAP)
    canvas.text((x + width - _PAD, top + 21), _HOST, "words end", size=BODY, width=word)
    if address:
        canvas.text((x + _PAD, top + 21 + _LINE), address, "words", size=BODY, width=width - 2 * _PAD)
    _Frame(canvas, host, x, width).draw(top + _header(host))
    return top + _height(host)


def _header(host: Host) -> float:
    return 33 + (_LINE if host_title(host)[1] else 0)


def _height(host: Host) -> float:
    return _header(host) + sum(_card(row).height + _GAP for row in _rows(host))


def _left(host: Host) -> float:
    return _PAD + (_RAIL * len(host.switches) + 6 if host.switches else 0)


def _right(host: Host) -> float:
    return _PORTS if any(switch.forwards for switch in host.switches) else _PAD


def _rows(host: Host) -> Iterator[Switch | Machine]:
    """The cards from top to bottom: a machine as soon as all its switches are there, so that rails stay short."""
    left = list(host.machines)
    seen: set[str] = set()
    for switch in host.switches:
        yield switch
        seen.add(switch.name.casefold())
        ready = [machine for machine in left if (on := _switches_of(machine)) and on <= seen]
        yield from ready
        left = [machine for machine in left if machine not in ready]
    yield from left


def _switches_of(machine: Machine) -> set[str]:
    return {adapter.switch.casefold() for adapter in machine.adapters if adapter.switch}


def _card(row: Switch | Machine) -> _Card:
    if isinstance(row, Switch):
        forwards = tuple(forward_text(forward) for forward in row.forwards)
        return _Card(row.name, switch_kind(row), tuple(switch_facts(row)), forwards)
    adapters = tuple(map(adapter_text, row.adapters))
    return _Card(row.name, row.power_state, tuple(machine_facts(row)), adapters, row.inside)


class _Frame:
    """The inside of a host's frame while it is drawn."""

    def __init__(self, canvas: Canvas, host: Host, x: float, width: float) -> None:
        self._canvas = canvas
        self._host = host
        self._x = x
        self._side = x + width
        self._card_x = x + _left(host)
        self._card_width = width - _left(host) - _right(host)
        self._rails: list[list[float]] = [[] for _ in host.switches]
        """Where something leads to each rail, from top to bottom; the switch's card comes first."""

    def draw(self, y: float) -> None:
        """Draw the cards, beginning at y, and what connects them."""
        for row in _rows(self._host):
            card = _card(row)
            lines = self._draw_card(card, y, row)
            if isinstance(row, Switch):
                self._rails[self._rail_of(row.name)].insert(0, y + _LINE - 4)
                self._draw_forwards(lines)
            else:
                self._connect(row.adapters, lines)
            y += card.height + _GAP
        self._draw_rails()

    def _rail_of(self, switch: str) -> int:
        return next(number for number, known in enumerate(self._host.switches) if same_name(known.name, switch))

    def _draw_card(self, card: _Card, y: float, row: Switch | Machine) -> list[float]:
        """Draw a card, and return how high each of its lines is that something leads to."""
        canvas, x, width = self._canvas, self._card_x + _PAD, self._card_width - 2 * _PAD
        canvas.box((self._card_x, y), self._card_width, card.height, "switch" if isinstance(row, Switch) else "machine")
        baseline = y + _LINE
        word_width = width_of(card.word, BODY)
        if isinstance(row, Machine):
            canvas.dot((x + 4, baseline - 4), 4, "running" if row.runs else "off")
        title_x = x + (14 if isinstance(row, Machine) else 0)
        title_width = x + width - title_x - word_width - _GAP
        canvas.text((title_x, baseline), card.title, "name", size=TITLE, width=title_width)
        canvas.text((x + width, baseline), card.word, "words end", size=BODY, width=word_width)
        for fact in card.facts:
            baseline += _LINE
            canvas.text((x, baseline), fact, "words", size=BODY, width=width)
        heights = []
        for line in card.lines:
            baseline += _LINE
            canvas.text((x, baseline), line, "line", size=BODY, width=width)
            heights.append(baseline - 4)
        if card.inside is not None:
            draw_host(canvas, card.inside, (x, baseline + _GAP), width)
        return heights

    def _draw_forwards(self, heights: Sequence[float]) -> None:
        for y in heights:
            end = self._card_x + self._card_width
            self._canvas.line([(self._side, y), (end + 1, y)], "forward")
            self._canvas.line([(end + 6, y - 4), (end + 1, y), (end + 6, y + 4)], "forward")
            self._canvas.dot((self._side, y), 4, "port")

    def _connect(self, adapters: Sequence[Adapter], heights: Sequence[float]) -> None:
        for adapter, y in zip(adapters, heights, strict=True):
            if adapter.switch:
                self._rails[self._rail_of(adapter.switch)].append(y)

    def _draw_rails(self) -> None:
        rails = list(enumerate(self._rails))
        for number, heights in rails:
            x = self._rail_x(number)
            self._canvas.line([(x, heights[0]), (x, heights[-1])], f"rail {_color(number)}")
        for number, heights in rails:
            x = self._rail_x(number)
            for y in heights:
                # The rails that it crosses are interrupted there: it is not connected to them.
                self._canvas.line([(x + 4, y), (self._card_x - 1, y)], "crossing")
                self._canvas.line([(x, y), (self._card_x, y)], f"rail {_color(number)}")
                self._canvas.dot((x, y), 3.5, f"joint {_color(number)}")

    def _rail_x(self, number: int) -> float:
        return self._x + _PAD + _RAIL * (number + 0.5)


def _color(number: int) -> str:
    return f"rail{number % RAILS}"
