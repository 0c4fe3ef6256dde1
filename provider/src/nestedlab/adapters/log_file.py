"""The file that a user has a run logged to: for the user alone, and without what the program calls secret."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from threading import Lock
from typing import Any

_HIDDEN = "[secret]"

_hidden: tuple[str, ...] = ()
"""Texts that are not written, the longest first."""
_lock = Lock()


def start(path: str) -> None:
    """Write to the file every step, and every error record that answers one."""
    file = _PrivateFile(path, delay=True)
    file.setFormatter(_Formatter("%(asctime)s %(threadName)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[file])
    logging.getLogger("nestedlab").setLevel(logging.DEBUG)


def hide(value: Any) -> None:
    """Write none of the texts in a value from now on, however a cmdlet or a message spells them."""
    global _hidden  # noqa: PLW0603 - one log for a process
    texts = {spelling for text in _texts(value) for spelling in _spellings(text)}
    with _lock:
        if not texts <= set(_hidden):
            _hidden = tuple(sorted({*_hidden, *texts}, key=len, reverse=True))


class _PrivateFile(logging.FileHandler):
    def _open(self) -> TextIOWrapper:
        # The handler closes it; Path.open has no opener.
        return open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for hidden in _hidden:
            text = text.replace(hidden, _HIDDEN)
        return text


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []


def _spellings(text: str) -> set[str]:
    """The text's lines as they are, in PowerShell's quotes, and in Python's."""
    lines = [line for line in text.splitlines() if line.strip()]
    return {spelling for line in lines for spelling in (line, line.replace("'", "''"), repr(line)[1:-1])}
