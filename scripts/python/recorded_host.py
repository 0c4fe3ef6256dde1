"""A simulated host as text, and the same host of that text again: every id, name, file and checkpoint.

The text is YAML. Each object of `hyperv_sim.state` is a mapping tagged with its class's name, and an object that others
refer to has an anchor. A field that a later version of a class adds gets that class's default.
"""

import importlib
import ipaddress
import pkgutil
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any
from uuid import UUID

import yaml

from hyperv_sim import state
from hyperv_sim.host import SimulatedHost

AS_TEXT = (
    *(UUID, ipaddress.IPv4Address, ipaddress.IPv4Network),
    *(ipaddress.IPv4Interface, ipaddress.IPv6Address, ipaddress.IPv6Interface),
)
LEFT_OUT = {"hooks", "lock", "reads_to_merge", "reads_until_listed", "reads_until_preferred"}
"""Fields that are no part of a host at rest: its lock, what a test has set up, and what counts time."""


def written(host: SimulatedHost) -> str:
    """Return the host as text."""
    with host.state.lock:
        return yaml.dump(host.state, Dumper=_Dumper, default_flow_style=None, sort_keys=False, width=1000)


def rebuilt(text: str) -> SimulatedHost:
    """Return the host that `written` wrote. Raises ConstructorError for what the state's classes do not know."""
    state = _Loader(text).get_single_data()
    host = SimulatedHost(state.windows, state.cpu)
    host.state = state
    return host


def _kept(data: Any) -> Iterator[tuple[str, Any]]:
    for field in fields(data):
        value = getattr(data, field.name)
        is_knob = bool(field.metadata.get("volatile")) and value == field.default
        if field.name not in LEFT_OUT and not is_knob:
            yield field.name, value


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return isinstance(data, (*AS_TEXT, Enum)) or bool(super().ignore_aliases(data))

    def represent_thing(self, data: Any) -> yaml.Node:
        tag = f"!{type(data).__name__}"
        if is_dataclass(data):
            return self.represent_mapping(tag, list(_kept(data)))
        if isinstance(data, (tuple, frozenset)):
            parts = sorted(data) if isinstance(data, frozenset) else data
            return self.represent_sequence(tag, parts, flow_style=True)
        return self.represent_scalar(tag, data.name if isinstance(data, Enum) else str(data))


# The module represents these as plain lists: without a tag they would come back as lists.
_Dumper.add_representer(tuple, _Dumper.represent_thing)
_Dumper.add_multi_representer(object, _Dumper.represent_thing)


class _Loader(yaml.SafeLoader):
    def construct_thing(self, name: str, node: yaml.Node) -> Iterator[object]:
        kind = _KINDS.get(name)
        if kind is None:
            raise yaml.constructor.ConstructorError(None, None, f"there is no class {name!r} any more", node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            text = self.construct_scalar(node)
            yield kind[text] if issubclass(kind, Enum) else kind(text)
        elif isinstance(node, yaml.SequenceNode):
            yield kind(self.construct_object(part, deep=True) for part in node.value)
        elif isinstance(node, yaml.MappingNode):
            # Created in two steps, since its own fields may refer to it.
            created = object.__new__(kind)
            yield created
            self._fill(created, node)

    def _fill(self, created: Any, node: yaml.MappingNode) -> None:
        values = {str(name): value for name, value in self.construct_mapping(node).items()}
        known = {field.name: field for field in fields(created)}
        removed = values.keys() - known.keys()
        if removed:
            message = f"{type(created).__name__} has no {', '.join(sorted(removed))} any more"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        for name, field in known.items():
            setattr(created, name, values[name] if name in values else _default(field))


_Loader.add_multi_constructor("!", _Loader.construct_thing)


def _default(field: "Field[Any]") -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _kinds() -> Iterator[type]:
    yield from AS_TEXT
    yield from (tuple, frozenset)
    for module in pkgutil.iter_modules(state.__path__, f"{state.__name__}."):
        yield from (
            member for member in vars(importlib.import_module(module.name)).values() if isinstance(member, type)
        )


_KINDS: dict[str, Any] = {kind.__name__: kind for kind in _kinds()}
