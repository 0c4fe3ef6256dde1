"""What a host's objects are to the provider: what they are to a pypsrp client that knows nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from pypsrp.complex_objects import GenericComplexObject
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from hyperv_sim.records import (
    ErrorRecord,
    Failure,
    Invocation,
    NetException,
    NetObject,
    Output,
    Record,
    Scalar,
    Statement,
    Warned,
)
from nestedlab.pipeline import Pipeline, PSObject, Step, cmdlet, statement
from nestedlab.psrp.sessions import Sessions

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent

OF_A_MACHINE = (
    "Get-VMProcessor",
    "Get-VMMemory",
    "Get-VMFirmware",
    "Get-VMNetworkAdapter",
    "Get-VMHardDiskDrive",
    "Get-VMDvdDrive",
    "Get-VMSecurity",
    "Get-VMIntegrationService",
    "Get-VMSnapshot",
)
OF_THE_HOST = (
    "Get-VM",
    "Get-VMHost",
    "Get-VMSwitch",
    "Get-NetAdapter",
    "Get-NetIPAddress",
    "Get-NetNat",
    "Get-NetNatStaticMapping",
    "Get-NetRoute",
)
READS = (
    *map(statement, OF_THE_HOST),
    *(statement("Get-VM") | cmdlet(name) for name in OF_A_MACHINE),
    statement("Get-VM") | cmdlet("Get-VMNetworkAdapter") | cmdlet("Get-VMNetworkAdapterVlan"),
    statement("Get-VM") | cmdlet("Select-Object", Property="State"),
    statement("Get-VMHost") | cmdlet("Select-Object", Property="Name"),
)


def by_pypsrp(parent: Parent, reads: tuple[Pipeline, ...]) -> list[tuple[str, dict[str, Any]]]:
    """What pypsrp reads: the type of each object, and its properties, with objects among them as their text."""
    address = urlsplit(parent.server.url)
    wsman = WSMan(
        str(address.hostname),
        port=address.port,
        username=parent.server.username,
        password=parent.server.password,
        ssl=False,
        auth="ntlm",
    )
    with wsman, RunspacePool(wsman) as pool:
        powershell = PowerShell(pool)
        for read in reads:
            for command in read.cmdlets:
                powershell.add_cmdlet(command.name).add_parameters(dict(command.parameters))
            powershell.add_statement()
        powershell.invoke()
    return [
        (
            sent.types[0],
            {name: plain(value) for name, value in {**sent.adapted_properties, **sent.extended_properties}.items()},
        )
        for sent in powershell.output
    ]


def plain(value: Any) -> Any:
    """A value as the provider has it."""
    if isinstance(value, list):
        return tuple(map(plain, value))
    if not isinstance(value, GenericComplexObject):
        return value
    is_collection = any(isinstance(part, str) for part in value.property_sets)
    return listed(value) if is_collection else value.to_string or ""


def listed(value: GenericComplexObject) -> tuple[str, ...]:
    """The texts of a collection of a type that pypsrp does not know, of which it gives the XML."""
    (collection,) = (ElementTree.fromstring(part) for part in value.property_sets)  # noqa: S314 - a test's own host
    return tuple(item.text or "" for item in collection)


@pytest.fixture
def host(new_parent: NewParent, request: pytest.FixtureRequest) -> Parent:
    """A host with an object of each kind; its machine is off, since the uptime of a running machine changes."""
    parent = new_parent(windows=request.param)
    with parent.at_prompt() as run:
        run("New-VMSwitch", Name="net", SwitchType="Internal", Notes="a\r\n_x000A_ é \U0001f600 <&>")
        run("New-VM", Name="hv1", Generation=2, MemoryStartupBytes=4 << 30, SwitchName="net")
        run("Add-VMDvdDrive", VMName="hv1")
        run("Checkpoint-VM", Name="hv1", SnapshotName="base")
        run("New-NetNat", Name="net", InternalIPInterfaceAddressPrefix="192.168.50.0/24")
    return parent


@pytest.mark.parametrize("host", ["2016", "2022"], indirect=True)
def test_every_property_is_read_as_pypsrp_reads_it(host: Parent) -> None:
    sessions = Sessions(host.connection())
    try:
        with sessions.borrow() as session:
            facts = session.run(Step("read all", READS))
    finally:
        sessions.close()
    assert not facts.errors
    theirs = by_pypsrp(host, READS)
    assert len(facts.objects) == len(theirs) > len(READS)
    for ours, (kind, properties) in zip(facts.objects, theirs, strict=True):
        assert kind.endswith(ours.kind)
        assert ours == PSObject(ours.kind, properties)
        assert list(ours.properties) == list(properties)


class OddShell:
    """Says everything with a text that XML does not allow."""

    def invoke(self, statements: Sequence[Statement], stop: Event) -> Iterator[Record]:  # noqa: ARG002 - as a Shell
        yield Warned(ODD, Invocation("Get-VM", bound={"Name": Scalar("String", ODD)}))
        target = Scalar("String", ODD)
        yield Failure(
            ErrorRecord("Id", "ObjectNotFound", NetException(ODD), target=target, target_name=ODD, target_type="String")
        )
        yield Output(NetObject(("A.Machine", "System.Object"), {"Name": target}, text=ODD))


def test_text_that_xml_does_not_allow_is_read_in_each_stream(new_parent: NewParent) -> None:
    parent = new_parent()
    parent.host.register("odd", OddShell)
    sessions = Sessions(parent.connection(configurationName="odd"))
    try:
        with sessions.borrow() as session:
            facts = session.run(Step("read all", (statement("Get-VM"),)))
    finally:
        sessions.close()
    (machine,), (error,) = facts.objects, facts.errors
    assert (machine["Name"], error.message, facts.warnings) == (READ, READ, (READ,))


ODD = "a\ufffeb\ud800c\udc00\ud800\udc00_xD800_\r\n"
READ = "a\ufffdb\ufffdc\ufffd\U00010000_xD800_\r\n"
