"""Port forwards of a NAT network: each a static mapping, keyed as WinNAT keys them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from nestedlab.declare import Part, Properties, Row, key_of
from nestedlab.parts import reconcile
from nestedlab.pipeline import ErrorKind, Facts, Pipeline, PSObject, statement
from nestedlab.names import same_name

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


Port = Annotated[int, Field(ge=1, le=65535)]


class PortForward(Part):
    """A port of the host that leads to a port of a machine behind the NAT.

    It works from other machines; from the host itself use the machine's own address. A firewall rule that lets the
    port in is not made.
    """

    key: ClassVar[tuple[str, ...]] = ("protocol", "external_address", "external_port")

    protocol: Annotated[Literal["TCP", "UDP"], _mapped("Protocol")] = "TCP"
    """Protocol of the port."""
    external_port: Annotated[Port, _mapped("ExternalPort")]
    """Port of the host."""
    external_address: Annotated[str, AfterValidator(_address), _mapped("ExternalIPAddress")] = ANY_ADDRESS
    """Address of the host; 0.0.0.0 is any of them."""
    internal_address: Annotated[str, AfterValidator(_address), _mapped("InternalIPAddress")]
    """Address of the machine behind the NAT."""
    internal_port: Annotated[Port | None, Field(validate_default=True), _mapped("InternalPort")] = None
    """Port of the machine. By default the same as the host's."""

    @field_validator("internal_port")
    @classmethod
    def _same_port(cls, port: int | None, info: ValidationInfo) -> int | None:
        return port if port is not None else info.data.get("external_port")


READS: tuple[Pipeline, ...] = (statement("Get-NetNatStaticMapping"),)
"""What shows the forwards of all NAT networks."""


def of(nat: str, facts: Facts) -> list[PSObject]:
    """The mappings of a NAT network."""
    latest = {one.number("StaticMappingID"): one for one in facts.all("MSFT_NetNatStaticMapping")}
    return [one for one in latest.values() if same_name(one.text("NatName"), nat)]


def mappings(nat: str, within: Sequence[IPv4Network], others: Sequence[IPv4Network], facts: Facts) -> list[PSObject]:
    """The mappings of a NAT network that lead into a prefix; another switch's part of a shared NAT is not ours.

    `others` are the networks of the host's other adapters. Where one lies in a prefix, because that has come to be too
    wide by hand, it is not part of it.
    """

    def ours(address: IPv4Address) -> bool:
        around = [one for one in within if address in one]
        return any(
            not any(address in other and other != one and other.subnet_of(one) for other in others) for one in around
        )

    return [one for one in of(nat, facts) if ours(IPv4Address(one.text("InternalIPAddress")))]


def shown(mapping: PSObject) -> dict[str, Any]:
    """A mapping as a program would ask for it."""
    return {
        "protocol": mapping.text("Protocol").upper(),
        "external_port": mapping.number("ExternalPort"),
        # Given with a prefix, as in 0.0.0.0/24, it is kept as an address.
        "external_address": mapping.text("ExternalIPAddress").partition("/")[0],
        "internal_address": mapping.text("InternalIPAddress"),
        "internal_port": mapping.number("InternalPort"),
    }


def changes(nat: str, asked: Sequence[Properties], there: Sequence[PSObject]) -> Iterator[Pipeline]:
    """What makes a NAT network's forwards what is asked for, one by one. There is no Set: a change is a new mapping."""
    ids = {key_of(PortForward, shown(one)): one.number("StaticMappingID") for one in there}
    compared = reconcile(PortForward, asked, [shown(one) for one in there])
    for old in (*compared.extra, *(found for _, found, _ in compared.different)):
        removing = statement(
            "Remove-NetNatStaticMapping", NatName=nat, StaticMappingID=ids[key_of(PortForward, old)], Confirm=False
        )
        yield removing.tolerating(ErrorKind.ABSENT).setting(called(old))
    for new in (*compared.missing, *(wanted for wanted, _, _ in compared.different)):
        yield statement(
            "Add-NetNatStaticMapping",
            NatName=nat,
            Protocol=new["protocol"],
            ExternalIPAddress=new["external_address"],
            ExternalPort=new["external_port"],
            InternalIPAddress=new["internal_address"],
            InternalPort=new["internal_port"],
        ).setting(called(new))


def called(forward: Properties) -> str:
    """What a message calls a forward."""
    return f"forwards[{forward['protocol']} {forward['external_port']}]"
