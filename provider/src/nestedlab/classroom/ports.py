"""A range of ports, as the course file spells it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

_SPELLED = re.compile(r"(\d{1,5})-(\d{1,5})")


class Ports(NamedTuple):
    """Ports from the first to the last, both included: 40000-44999."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    @property
    def size(self) -> int:
        """How many they are."""
        return self.last - self.first + 1

    def overlaps(self, other: Ports) -> bool:
        """Whether a port is in both."""
        return self.first <= other.last and other.first <= self.last

    @classmethod
    def parse(cls, value: Any) -> Ports:
        """The ports that a text names. Raises ValueError."""
        if isinstance(value, Ports):
            return value
        spelled = _SPELLED.fullmatch(str(value).replace(" ", ""))
        ports = cls(*map(int, spelled.groups())) if spelled else None
        if ports is None or not 1 <= ports.first <= ports.last <= 65535:
            raise ValueError("must be ports from the first to the last, such as 40000-44999")
        return ports

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=core_schema.to_string_ser_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{1,5}-[0-9]{1,5}$"}
