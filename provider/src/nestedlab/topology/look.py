"""What a picture looks like: sizes of its texts, and its style sheet.

Colors are written out for light and dark, without variables, which drawing programs do not know. What is printed is
light. Texts have at least 4.5:1 to what is behind them, and lines 3:1 (WCAG 2.2, 1.4.3 and 1.4.11).
"""

from __future__ import annotations

from collections.abc import Mapping

TITLE = 13.0
BODY = 11.5

_PALETTES: Mapping[str, tuple[str, ...]] = {
    "light": ("#0b63b8", "#b3470b", "#1c7a3e", "#7a3fb0", "#8a6100", "#a8235f"),
    "dark": ("#6cb2f5", "#f2a06b", "#6fce8f", "#c3a0f0", "#dcb64f", "#f08fb8"),
}
RAILS = len(_PALETTES["light"])
"""How many colors of rails there are."""

_COLORS: Mapping[str, Mapping[str, str]] = {
    "light": {
        "paper": "#ffffff",
        "host": "#f5f7fa",
        "edge": "#8a94a3",
        "switch": "#e8f0fa",
        "switch-edge": "#7d9cc0",
        "machine": "#ffffff",
        "ink": "#16202c",
        "words": "#48535f",
        "running": "#1c7a3e",
        "off": "#6b7683",
    },
    "dark": {
        "paper": "#12171e",
        "host": "#1a2129",
        "edge": "#738092",
        "switch": "#1d2f45",
        "switch-edge": "#5d84b3",
        "machine": "#242d38",
        "ink": "#eef2f6",
        "words": "#b6c0cc",
        "running": "#6fce8f",
        "off": "#97a2b0",
    },
}


def _scheme(name: str) -> str:
    color = _COLORS[name]
    rails = "".join(
        f".topology .rail{number}{{stroke:{value}}}.topology .joint.rail{number}{{fill:{value}}}"
        for number, value in enumerate(_PALETTES[name])
    )
    return (
        f".topology .paper{{fill:{color['paper']}}}"
        f".topology .host{{fill:{color['host']};stroke:{color['edge']}}}"
        f".topology .switch{{fill:{color['switch']};stroke:{color['switch-edge']}}}"
        f".topology .machine{{fill:{color['machine']};stroke:{color['edge']}}}"
        f".topology .name,.topology .line{{fill:{color['ink']}}}"
        f".topology .words{{fill:{color['words']}}}"
        f".topology .running{{fill:{color['running']}}}"
        f".topology .off{{fill:none;stroke:{color['off']}}}"
        f".topology .forward{{stroke:{color['ink']}}}"
        f".topology .port{{fill:{color['paper']};stroke:{color['ink']}}}"
        f".topology .crossing{{stroke:{color['host']}}}"
        f"{rails}"
    )


_SHAPES = (
    f".topology text{{font-size:{BODY}px;unicode-bidi:plaintext;"
    'font-family:ui-monospace,"Cascadia Mono",Consolas,Menlo,"DejaVu Sans Mono",monospace}'
    f".topology .name{{font-size:{TITLE}px;font-weight:600}}"
    ".topology .end{text-anchor:end}"
    ".topology .rail,.topology .forward,.topology .crossing{fill:none;stroke-width:2}"
    ".topology .forward{stroke-width:1.25}"
    ".topology .crossing{stroke-width:6}"
    ".topology .port,.topology .off{stroke-width:1.5}"
)

LOOK = f"{_SHAPES}{_scheme('light')}@media screen and (prefers-color-scheme:dark){{{_scheme('dark')}}}"
"""The style sheet."""
