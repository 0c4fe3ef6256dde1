"""A seat: what one student of a class has for their own. It is recorded, and handed to the student's stack."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Seat(BaseModel):
    """A student's seat.

    The SDK reads it without this model: to import pydantic would cost each student's program a tenth of a second.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True
    )

    number: int
    """Counts from 1. Nobody else of the class has it."""
    id: str
    """The student's id in the roster, and the name of the stack."""
    name: str
    """The student's name, for people."""
    parent: str
    """The parent host, by its name in the course file."""
    prefix: str
    """An IPv4 network of the student's own, such as 10.9.1.0/24."""
    first_port: int
    """The first of the ports of the parent that are the student's."""
    last_port: int
    """The last of them."""
    nat: str | None = None
    """The NAT network that all switches on this parent share, if its Windows takes only one."""
    columns: Mapping[str, str] = {}
    """The roster's further columns, such as e-mail."""
