"""The course file as a model: what a trainer writes about a class. How it is read is in course_file.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FilePath,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from nestedlab.classroom.ports import Ports
from nestedlab.connection import Connection
from nestedlab.nat_switch.table import network, usable_prefix

FOLDER = "folder"
"""The key of the course file's folder in the context of a validation: relative paths are seen from there."""

PASSWORD_VARIABLE = "NESTEDLAB_PASSWORD"  # noqa: S105 - the name of a variable
"""The variable that has a parent's password, if the course file names none."""

_STRICT = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, validate_by_name=True)
MIB_IN_GIB = 1024

# Pulumi takes a stack's name of these characters and up to 100 of them (tokens.ParseStackName). One that begins with a
# dot would be a hidden folder, or the folder above.
_STACK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def stack_name(text: str) -> str:
    """The text, if a stack can be named so. Raises ValueError."""
    if not _STACK_NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a valid stack name: use up to 100 letters (a to z), digits, '_', '-' and '.', "
            "beginning with a letter or digit"
        )
    return text


def _network(text: str) -> str:
    usable_prefix(text)
    named = network(text)
    if str(named) != text:
        raise ValueError(f"must be the address of a network, not of a host in it; did you mean {named}?")
    return text


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError("must be the name of an environment variable")
    return text


def _in_folder(path: Any, info: ValidationInfo) -> Any:
    """A path as it is seen from the course file's folder."""
    folder = (info.context or {}).get(FOLDER)
    return Path(folder) / path if folder is not None and isinstance(path, str) and path else path


StackName = Annotated[
    str, AfterValidator(stack_name), WithJsonSchema({"type": "string", "pattern": f"^{_STACK_NAME.pattern}$"})
]
"""A name that a stack can have."""
Prefix = Annotated[
    str, AfterValidator(_network), WithJsonSchema({"type": "string", "pattern": r"^[0-9.]+/[0-9]{1,2}$"})
]
"""An IPv4 network such as 10.9.0.0/16."""
Variable = Annotated[
    str, AfterValidator(_variable), WithJsonSchema({"type": "string", "pattern": f"^{_VARIABLE.pattern}$"})
]
"""The name of an environment variable."""
RelativePath = Annotated[Path, BeforeValidator(_in_folder)]
"""A path, seen from the course file's folder."""
RelativeFile = Annotated[FilePath | None, BeforeValidator(_in_folder)]
"""A file that exists, seen from the course file's folder."""


def mib(gib: float) -> int:
    """GiB in whole MiB: sums and comparisons are exact then."""
    return round(gib * MIB_IN_GIB)


class Need(BaseModel):
    """What one student's lab takes of its parent while it runs."""

    model_config = _STRICT

    memory_gib: Annotated[float, Field(gt=0)]
    """Memory of all machines together, in GiB."""
    disk_gib: Annotated[float, Field(ge=0)] = 0
    """What the machines' disks may grow to, in GiB."""
    processors: Annotated[int, Field(ge=0)] = 0
    """Virtual processors of all machines together."""


class Parent(Connection):
    """A parent host: how to reach it, by the settings of a stack's configuration, and how much of it to use."""

    model_config = ConfigDict(extra="forbid")

    password: SkipJsonSchema[None] = None
    ca_bundle: RelativeFile = None
    certificate: RelativeFile = None
    certificate_key: RelativeFile = None

    password_env: Variable | None = None
    """The environment variable that has the user's password. By default NESTEDLAB_PASSWORD, if there is a user. The
    password itself is in no file."""
    memory_gib: Annotated[float, Field(gt=0)]
    """The host's memory, in GiB."""
    host_memory_gib: Annotated[float, Field(ge=0)] = 8
    """How much of the host's memory stays with Windows and whatever else runs there, in GiB."""
    disk_gib: Annotated[float | None, Field(gt=0)] = None
    """Space for the students' disks, in GiB. By default it is not judged."""
    cores: Annotated[int | None, Field(gt=0)] = None
    """The host's logical processors. By default processors are not judged."""
    processors_per_core: Annotated[float, Field(gt=0)] = 4
    """How many virtual processors may share a logical one."""
    windows: Literal[2016, 2019, 2022, 2025] | None = None
    """The host's Windows Server. 2016 takes one NAT network, which all students there then share. By default each
    student has a NAT network."""
    reserved: tuple[Prefix, ...] = ()
    """IPv4 networks that no student there may have, such as those that the host has a route to."""
    shells: Annotated[int, Field(ge=1)] = 24
    """WinRM shells that the class may have open on the host at once. Windows allows a user 30
    (MaxShellsPerUser)."""

    @field_validator("password", mode="before")
    @classmethod
    def _is_elsewhere(cls, _: object) -> None:
        raise ValueError("must not be in a file: put it into an environment variable, and set passwordEnv to its name")

    @model_validator(mode="after")
    def _has_credentials(self) -> Parent:
        if self.auth in ("ntlm", "basic", "credssp") and not self.username:
            raise ValueError(f"auth {self.auth} needs a username: set it")
        return self

    @property
    def password_variable(self) -> str | None:
        """The environment variable that has the password; None if there is no password."""
        if self.password_env is not None:
            return self.password_env
        logs_on_by_it = self.username is not None and self.auth not in ("kerberos", "certificate")
        return PASSWORD_VARIABLE if logs_on_by_it else None

    @property
    def takes_one_nat(self) -> bool:
        """Whether its Windows takes one NAT network only."""
        return self.windows == 2016

    @property
    def networks_reserved(self) -> tuple[IPv4Network, ...]:
        """The networks that no student may have."""
        return tuple(network(prefix) for prefix in self.reserved)


class Student(BaseModel):
    """A student, as the roster has them. Further keys, or columns of a CSV file, such as email, are for hand-outs."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, str] = Field(init=False)

    id: StackName
    """The student's id. The stack has this name, and machines carry it."""
    name: str = ""
    """The student's name, for people. By default the id."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("id") and not values.get("name"):
            return {**values, "name": values["id"]}
        return values

    @property
    def columns(self) -> dict[str, str]:
        """Further columns of the roster, such as email."""
        return dict(self.__pydantic_extra__)


class Override(BaseModel):
    """What differs for one student."""

    model_config = _STRICT

    parent: str | None = None
    """The parent that the student is placed on."""
    prefix: Prefix | None = None
    """The student's network; it may be outside of the pool."""
    seat: Need | None = None
    """What this student's lab takes, if it is not what the others' take."""
    config: Mapping[str, Any] = {}
    """Settings of the program that replace those of the course."""


TEXT, PARTS = "[text]", "[parts]"
"""What distinguishes the two ways to write a value; pydantic has it in the place of a failure."""


def _is_text(value: object) -> str:
    return TEXT if isinstance(value, str | Path) else PARTS


Roster = Annotated[
    Annotated[RelativePath, Tag(TEXT)] | Annotated[tuple[Student, ...], Tag(PARTS)], Discriminator(_is_text)
]
Naming = Annotated[Annotated[str, Tag(TEXT)] | Annotated[Mapping[str, Any], Tag(PARTS)], Discriminator(_is_text)]


class Course(BaseModel):
    """A class: a lab program, hosts, and students."""

    model_config = _STRICT

    name: StackName
    """The name of the class."""
    program: RelativePath
    """The folder of the lab program, a Pulumi project in Python, seen from the course file."""
    parents: Annotated[Mapping[StackName, Parent], Field(min_length=1)]
    """The parent hosts by their names in this class."""
    pool: Prefix
    """The IPv4 network that students' networks are taken from, such as 10.9.0.0/16. The parents know no route into
    it."""
    prefix_length: Annotated[int, Field(ge=9, le=30)] = 24
    """The length of a student's network: 24 is 254 addresses."""
    ports: Ports = Ports(40000, 44999)
    """The ports of a parent that lead into labs, as FIRST-LAST. From 49152 on they are Windows' own."""
    ports_per_student: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many of them each student gets."""
    roster: Roster
    """The students: a list, or the CSV file that has them."""
    overrides: Mapping[str, Override] = {}
    """What differs for some students, by their ids."""
    config: Mapping[str, Any] = {}
    """Settings of the program, as `pulumi config set` would take them."""
    secrets: Mapping[str, Variable] = {}
    """Secret settings of the program: for each, the environment variable that has it."""
    seat: Need | None = None
    """What one student's lab takes of its parent. By default it is found by running the program without a host."""
    naming: Naming = "${name}-${stack}"
    """How machines and switches are named that the program gives no name: a pattern, or what Pulumi takes as
    `pulumi:autonaming`."""
    backend: str | None = None
    """Where Pulumi keeps the stacks' states: file://, s3://, postgres:// or another of its addresses. By default files
    beside the course file."""
    secrets_provider: str = "passphrase"
    """What seals secrets in the states, as `pulumi stack init --secrets-provider` takes it. A passphrase is taken from
    PULUMI_CONFIG_PASSPHRASE."""
