"""A topology as a picture: SVG that looks right alone and inside a page, on screens light and dark, and on paper."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from nestedlab.topology.canvas import Canvas
from nestedlab.topology.frame import draw_host, needed_width
from nestedlab.topology.look import BODY, LOOK
from nestedlab.topology.model import Topology
from nestedlab.topology.words import described

_MARGIN = 1.0
_PORT = 5.0
"""By how much a port sticks out of a frame's right side."""
_GAP = 14.0
_EMPTY = "This lab has no machines and no switches yet."


def svg(topology: Topology, key: str = "lab") -> str:
    """The picture. `key` begins the ids in it, so that a page can have several."""
    canvas = Canvas()
    width = max(map(needed_width, topology.hosts), default=360)
    y = _MARGIN
    for host in topology.hosts:
        y = draw_host(canvas, host, (_MARGIN, y), width) + _GAP
    if not topology.hosts:
        canvas.text((_MARGIN + _GAP, y + 2 * _GAP), _EMPTY, "words", size=BODY, width=width)
        y += 4 * _GAP
    return _document(topology, key, canvas, (width + 2 * _MARGIN + _PORT, y - _GAP + _MARGIN))


def _document(topology: Topology, key: str, canvas: Canvas, size: tuple[float, float]) -> str:
    width, height = (f"{extent:.0f}" for extent in size)
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "topology",
            "viewBox": f"0 0 {width} {height}",
            "width": width,
            "height": height,
            "role": "img",
            "aria-labelledby": f"{key}-title {key}-desc",
        },
    )
    ET.SubElement(root, "title", {"id": f"{key}-title"}).text = f"Topology of {topology.project}/{topology.stack}"
    ET.SubElement(root, "desc", {"id": f"{key}-desc"}).text = described(topology)
    ET.SubElement(root, "style").text = LOOK
    ET.SubElement(root, "rect", {"class": "paper", "width": "100%", "height": "100%"})
    root.extend(canvas.elements)
    return ET.tostring(root, encoding="unicode") + "\n"
