"""YAML with the line of every key, for messages that say where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from nestedlab.errors import ConfigurationError

_NULL = "tag:yaml.org,2002:null"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"  # Pulumi's settings know no dates

Where: TypeAlias = "tuple[str | int, ...]"
"""The keys and places that lead to a value."""


@dataclass
class Marked:
    """A file of YAML as plain values, and where each is."""

    path: Path
    value: Any = None
    lines: dict[Where, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    """Keys that stand twice in one place: YAML would take the last."""

    def failure(self, where: Sequence[str | int], text: str) -> str:
        """A message about a value or a key, which may be missing."""
        return f"{self.path.name}:{self.line(where)}: {shown(where)}{text}"

    def line(self, where: Sequence[str | int]) -> int:
        """The line of a value's key; of what it should be in, if it is missing."""
        return next(line for end in range(len(where), -1, -1) if (line := self.lines.get(tuple(where[:end]))))


def shown(where: Sequence[str | int]) -> str:
    """How a path to a value is written before a message about it: `parents.hv01.memoryGib: `."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where).removeprefix(".")
    return f"{steps}: " if steps else ""


def read_marked(path: Path, is_text: Callable[[Where], bool]) -> Marked:
    """Read a file. Where `is_text` holds, scalars are taken as they are written: an id 007 is no number.

    Raises ConfigurationError if the file does not exist or is not valid YAML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        marked = Marked(path, lines={(): 1})
        marked.value = None if node is None else _Reader(loader, marked, is_text).read(node, ())
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}. Name the file with --course.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path.name} is not in UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path.name}:{mark.line + 1}" if mark is not None else path.name
        raise ConfigurationError(f"{place}: not valid YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path.name}: not valid YAML: {str(error).splitlines()[0]}") from error
    except RecursionError:
        raise ConfigurationError(
            f"{path.name}: a value contains itself (`&` and `*`), or is nested too deep."
        ) from None
    return marked


def _key(node: yaml.Node) -> str:
    """A key as a text, whatever it looks like; a list or mapping is no key of ours."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "?"


@dataclass
class _Reader:
    loader: yaml.SafeLoader
    marked: Marked
    is_text: Callable[[Where], bool]

    def read(self, node: yaml.Node, where: Where) -> Any:
        if isinstance(node, yaml.MappingNode):
            self._refuse_twins(node, where)
            self.loader.flatten_mapping(node)  # what `<<` merges
            pairs = ((_key(key), self._at(key, value, (*where, _key(key)))) for key, value in node.value)
            return {key: value for key, value in pairs if value is not None}  # a key without a value is not set
        if isinstance(node, yaml.SequenceNode):
            return [self._at(item, item, (*where, place)) for place, item in enumerate(node.value)]
        as_written = node.tag == _TIMESTAMP or (node.tag != _NULL and self.is_text(where))
        return node.value if as_written else self.loader.construct_object(node)

    def _at(self, marking: yaml.Node, node: yaml.Node, where: Where) -> Any:
        """The value of a node, at the line of its key."""
        self.marked.lines[where] = marking.start_mark.line + 1
        return self.read(node, where)

    def _refuse_twins(self, node: yaml.MappingNode, where: Where) -> None:
        """YAML would take the last of two keys of one name without a word."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, line = _key(key), key.start_mark.line + 1
            if name in lines:
                self.marked.failures.append(
                    f"{self.marked.path.name}:{line}: {shown((*where, name))}is already set in line {lines[name]}. "
                    "Remove one of the two."
                )
            lines[name] = line
