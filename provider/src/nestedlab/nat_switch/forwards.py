"""Port forwards of a NAT network: each a static mapping, keyed as WinNAT keys them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from nestedlab.declare import Part, Row
from nestedlab.limits import REFERENCE, Source, ours, sourced
from nestedlab.parts import reconcile
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, PSObject, statement
from nestedlab.plain import observed

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - WinNAT's word for any address of the host; nothing is bound here


def _address(text: str) -> str:
    try:
        IPv4Address(text)
    except ValueError:
        raise ValueError("must be an IPv4 address") from None
    return text


def _mapped(name: str) -> Row:
    """A property of a mapping. There is no Set-NetNatStaticMapping: a change is a new mapping."""
    return Row(by=f"Add-NetNatStaticMapping -{name}, Get-NetNatStaticMapping.{name}")


Port = Annotated[int, Field(ge=1, le=65535), Source(f"{REFERENCE}: 16 bits; RFC 6335: 0 is reserved")]

_Address = Annotated[str, AfterValidator(_address), ours("the network of a switch is one of IPv4", "an IPv4 address")]


class PortForward(Part):
    """A port of the host that leads to a port of a machine behind the NAT.

    It works from other machines; from the host itself use the machine's own address. A firewall rule that lets the
    port in is not made.
    """

    key: ClassVar[tuple[str, ...]] = ("protocol", "external_address", "external_port")

    protocol: Annotated[Literal["TCP", "UDP"], Source(REFERENCE), _mapped("Protocol")] = "TCP"
    """Protocol of the port."""
    external_port: Annotated[Port, _mapped("ExternalPort")]
    """Port of the host."""
    external_address: Annotated[_Address, _mapped("ExternalIPAddress")] = ANY_ADDRESS
    """Address of the host; 0.0.0.0 is any of them."""
    internal_address: Annotated[_Address, _mapped("InternalIPAddress")]
    """Address of the machine behind the NAT."""
    internal_port: Annotated[Port | None, Field(validate_default=True), _mapped("InternalPort")] = None
    """Port of the machine. By default the same as the host's."""

    @field_validator("internal_port")
    @classmethod
    @sourced(Source(REFERENCE, "any; if left out, that of `external_port`"))
    def _same_port(cls, port: int | None, info: ValidationInfo) -> int | None:
        return port if port is not None else info.data.get("external_port")


@dataclass(frozen=True)
class StaticMapping:
    """A forward as a NAT network of the host has it, with the id by which it is removed."""

    id: int
    nat: str
    forward: PortForward

    @property
    def leads_to(self) -> IPv4Address:
        """The address behind the NAT."""
        return IPv4Address(self.forward.internal_address)


READS: tuple[Pipeline, ...] = (statement("Get-NetNatStaticMapping"),)
"""What shows the forwards of all NAT networks."""


def mappings_in(facts: Facts) -> tuple[StaticMapping, ...]:
    """The forwards of all NAT networks."""
    # Add-NetNatStaticMapping answers with the mapping as well: what was listed last counts.
    mappings = [_mapping(shown) for shown in facts.all("MSFT_NetNatStaticMapping")]
    return tuple({(mapping.nat.casefold(), mapping.id): mapping for mapping in mappings}.values())


def _mapping(shown: PSObject) -> StaticMapping:
    forward = observed(
        PortForward,
        {
            "protocol": shown.text("Protocol").upper(),
            "external_port": shown.number("ExternalPort"),
            # Given with a prefix, as in 0.0.0.0/24, it is kept as an address.
            "external_address": shown.text("ExternalIPAddress").partition("/")[0],
            "internal_address": shown.text("InternalIPAddress"),
            "internal_port": shown.number("InternalPort"),
        },
    )
    return StaticMapping(shown.number("StaticMappingID"), shown.text("NatName"), forward)


def changes(nat: str, wanted: Sequence[PortForward], there: Sequence[StaticMapping]) -> Iterator[Pipeline]:
    """What makes a NAT network's forwards what is asked for, one by one. There is no Set: a change is a new mapping."""
    ids = {mapping.forward.identity: mapping.id for mapping in there}
    compared = reconcile(wanted, [mapping.forward for mapping in there])
    for old in (*compared.extra, *(pair.there for pair in compared.different)):
        removing = statement(
            "Remove-NetNatStaticMapping", NatName=nat, StaticMappingID=ids[old.identity], Confirm=False
        )
        yield removing.tolerating(ErrorKind.ABSENT).setting(called(old))
    for new in (*compared.missing, *(pair.wanted for pair in compared.different)):
        yield statement(
            "Add-NetNatStaticMapping",
            NatName=nat,
            Protocol=new.protocol,
            ExternalIPAddress=new.external_address,
            ExternalPort=new.external_port,
            InternalIPAddress=new.internal_address,
            InternalPort=new.internal_port,
        ).setting(called(new))


def clash(left: PortForward, right: PortForward) -> bool:
    """Whether two forwards are for the same port of the host, on the same address or on any."""
    same_port = (left.protocol, left.external_port) == (right.protocol, right.external_port)
    addresses = {left.external_address, right.external_address}
    return same_port and (len(addresses) == 1 or ANY_ADDRESS in addresses)


def called(forward: PortForward) -> str:
    """What a message calls a forward."""
    return f"forwards[{forward.protocol} {forward.external_port}]"
