"""What a picture is drawn with: SVG elements, and how wide a text will be."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import category, east_asian_width
from xml.etree import ElementTree as ET

# No font is at hand to measure with. Those of fixed width have 0.55 to 0.61 em, which is why all texts are in one.
_NARROW, _WIDE = 0.61, 1.0


def width_of(text: str, size: float) -> float:
    """About how wide a text is, in a font of this size."""
    return sum(map(_ems, text)) * size


def _ems(sign: str) -> float:
    if category(sign) in ("Mn", "Me"):  # it stands on the one before
        return 0
    return _WIDE if east_asian_width(sign) in "WF" else _NARROW


def shortened(text: str, size: float, width: float) -> str:
    """The text, without its middle if it is too wide: names of one lab differ in their ends."""
    if width_of(text, size) <= width:
        return text
    kept = len(text)
    while kept > 2 and width_of(_without_middle(text, kept), size) > width:
        kept -= 1
    return _without_middle(text, kept)


def _without_middle(text: str, kept: int) -> str:
    end = kept // 2
    return f"{text[: kept - end]}…{text[len(text) - end :]}"


class Canvas:
    """Elements, in the order in which they cover each other."""

    def __init__(self) -> None:
        self.elements: list[ET.Element] = []

    def text(self, at: tuple[float, float], text: str, look: str, *, size: float, width: float) -> None:
        """A line of text, its baseline at a point, no wider than `width`; whole where the mouse rests on it."""
        fitting = shortened(text, size, width)
        element = self._add("text", look, x=at[0], y=at[1])
        if fitting != text:
            ET.SubElement(element, "title").text = text
            element[0].tail = fitting
        else:
            element.text = fitting

    def box(self, at: tuple[float, float], width: float, height: float, look: str, *, radius: float = 6) -> None:
        """A rectangle."""
        self._add("rect", look, x=at[0], y=at[1], width=width, height=height, rx=radius)

    def line(self, points: Sequence[tuple[float, float]], look: str) -> None:
        """A line through points."""
        self._add("polyline", look, points=" ".join(f"{_figure(x)},{_figure(y)}" for x, y in points))

    def dot(self, at: tuple[float, float], radius: float, look: str) -> None:
        """A full circle."""
        self._add("circle", look, cx=at[0], cy=at[1], r=radius)

    def _add(self, tag: str, look: str, **attributes: float | str) -> ET.Element:
        values = {name: _figure(value) for name, value in attributes.items()}
        element = ET.Element(tag, {"class": look, **values})
        self.elements.append(element)
        return element


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
