"""Forwards, shared NAT networks and addresses of NAT switches, with an administrator who changes them too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nestedlab.errors import ConflictError, NestedlabError, NotFoundError, RefusedError

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent
    from tests.provider.conftest import NewProvider, Provider, Thing


RDP = {"external_port": 3389, "internal_address": "192.168.50.5"}
WEB = {"external_port": 80, "internal_address": "192.168.50.6", "internal_port": 8080}


def _forwards(parent: Parent) -> list[tuple[str, int, str, int]]:
    """The forwards of all NAT networks: the NAT, the host's port, and where it leads."""
    return sorted(
        (nat.name, mapping.external_port, str(mapping.internal_address), mapping.internal_port)
        for nat in parent.host.state.network.nats.networks
        for mapping in nat.mappings
    )


def _addresses(parent: Parent) -> list[str]:
    """The IPv4 addresses of the host's adapters to switches."""
    own = {adapter.id for adapter in parent.host.state.host_adapters}
    addresses = parent.host.state.network.addresses
    return sorted(str(entry.ip) for entry in addresses if entry.interface.guid in own and entry.ip.version == 4)


def test_forwards_that_are_changed_by_hand_are_seen_and_brought_back(provider: Provider) -> None:
    parent = provider.parent
    before = parent.snapshot()
    made = provider.create("switch", forwards=[RDP, WEB])
    assert provider.seen("switch", made).values == made.values
    right = parent.snapshot()
    nat = made.values["nat_name"]
    with parent.at_prompt() as run:
        for mapping in run("Get-NetNatStaticMapping"):
            number = mapping.adapted_properties["StaticMappingID"]
            run("Remove-NetNatStaticMapping", NatName=nat, StaticMappingID=number, Confirm=False)
        for port, address in ((3389, "192.168.50.9"), (81, "192.168.50.6")):
            run(
                "Add-NetNatStaticMapping",
                NatName=nat,
                Protocol="TCP",
                ExternalIPAddress="0.0.0.0",  # noqa: S104 - any address of the host; nothing is bound here
                ExternalPort=port,
                InternalIPAddress=address,
                InternalPort=port,
            )
    forwards = provider.seen("switch", made).values["forwards"]
    assert {forward["external_port"]: forward["internal_address"] for forward in forwards} == {
        3389: "192.168.50.9",
        81: "192.168.50.6",
    }
    provider.update("switch", made, forwards=[WEB, RDP])
    assert _forwards(parent) == [(nat, 80, "192.168.50.6", 8080), (nat, 3389, "192.168.50.5", 3389)]
    parent.by_hand("Remove-NetNat", Name=nat, Confirm=False)
    provider.update("switch", made, forwards=[RDP, WEB])
    assert parent.snapshot() == right
    provider.delete("switch", made)
    assert parent.snapshot() == before


def test_a_port_that_windows_has_is_named_and_nothing_is_left(provider: Provider) -> None:
    before = provider.parent.snapshot()
    taken = {"external_port": 445, "internal_address": "192.168.50.5"}
    with pytest.raises(RefusedError, match=r"forwards\[TCP 445\]: could not .* in use or excluded on the host"):
        provider.create("switch", forwards=[RDP, taken])
    assert provider.parent.snapshot() == before


def test_a_port_that_another_switch_forwards_is_told_with_where_it_leads(provider: Provider) -> None:
    provider.create("switch", forwards=[RDP])
    before = provider.parent.snapshot()
    other = {"name": "net51", "owner": "lab/dev/net51", "prefix": "192.168.51.0/24"}
    forward = {"external_port": 3389, "internal_address": "192.168.51.5"}
    with pytest.raises(ConflictError, match=r"forwards\[TCP 3389\]: this port of the host leads to 192\.168\.50\.5"):
        provider.create("switch", **other, forwards=[forward])
    assert provider.parent.snapshot() == before
    made = provider.create("switch", **other, forwards=[{**forward, "protocol": "UDP"}])
    with pytest.raises(ConflictError, match=r"leads to 192\.168\.50\.5 already"):
        provider.update("switch", made, **other, forwards=[forward])


def _three_on_one_nat(provider: Provider) -> tuple[Thing, list[Thing]]:
    """A switch with a NAT network, and two that have joined it by its name in other case, each with a forward."""
    owner = provider.create("switch", nat_prefix="192.168.48.0/20", forwards=[RDP])
    others = []
    for number in (51, 52):
        forward = {"external_port": 3300 + number, "internal_address": f"192.168.{number}.5", "internal_port": 3389}
        inputs = {"name": f"net{number}", "owner": f"lab/dev/net{number}", "prefix": f"192.168.{number}.0/24"}
        nat = owner.values["nat_name"].upper()
        others.append(provider.create("switch", **inputs, nat=nat, forwards=[forward]))
    return owner, others


def test_many_share_the_one_nat_of_windows_server_2016(new_parent: NewParent, new_provider: NewProvider) -> None:
    provider = new_provider(new_parent("2016"))
    parent = provider.parent
    before = parent.snapshot()
    owner, others = _three_on_one_nat(provider)
    shared = _forwards(parent)
    assert len(shared) == 3
    for switch in (owner, *others):
        assert provider.seen("switch", switch).values == switch.values
    with pytest.raises(ConflictError, match=r"the network 192\.168\.5[12]\.0/24 of the switch 'net5[12]' is behind"):
        provider.update("switch", owner, forwards=[RDP])
    wider = provider.update("switch", owner, nat_prefix="192.168.32.0/19", forwards=[RDP])
    assert _forwards(parent) == shared
    provider.delete("switch", others[0])
    assert _forwards(parent) == [forward for forward in shared if forward[1] != 3351]
    assert provider.seen("switch", others[1]).values == others[1].values
    provider.delete("switch", others[1])
    provider.delete("switch", wider)
    assert parent.snapshot() == before


def test_a_nat_is_not_taken_from_those_that_have_joined_it(provider: Provider) -> None:
    parent = provider.parent
    before = parent.snapshot()
    owner = provider.create("switch", nat_prefix="192.168.48.0/20")
    inputs = {"name": "net51", "owner": "lab/dev/net51", "prefix": "192.168.51.0/24"}
    other = provider.create("switch", **inputs, nat=owner.values["nat_name"])
    shared = parent.snapshot()
    for changes in ({}, {"prefix": "172.20.0.0/24", "nat_prefix": "172.20.0.0/16"}):
        with pytest.raises(ConflictError, match=r"the network 192\.168\.51\.0/24 of the switch 'net51' is behind"):
            provider.update("switch", owner, **changes)
        assert parent.snapshot() == shared
    narrow = provider.update("switch", owner, nat_prefix="192.168.50.0/23")
    assert provider.seen("switch", other).values == other.values
    elsewhere = provider.create("switch", name="net9", owner="lab/dev/net9", prefix="10.9.0.0/24")
    provider.delete("switch", other)
    alone = provider.update("switch", narrow)
    provider.delete("switch", elsewhere)
    provider.delete("switch", alone)
    assert parent.snapshot() == before


def test_a_nat_goes_with_its_last_user_whichever_switch_made_it(
    new_parent: NewParent, new_provider: NewProvider
) -> None:
    provider = new_provider(new_parent("2016"))
    parent = provider.parent
    before = parent.snapshot()
    owner, others = _three_on_one_nat(provider)
    nat = owner.values["nat_name"]
    provider.warnings.clear()
    provider.delete("switch", owner)
    (warning,) = provider.warnings
    assert f"the NAT network {nat!r} stays on the host" in warning
    assert "192.168.51.0/24 of the switch 'net51'" in warning
    assert _forwards(parent) == [(nat, 3351, "192.168.51.5", 3389), (nat, 3352, "192.168.52.5", 3389)]
    for other in others:
        assert provider.seen("switch", other).values == other.values
    provider.delete("switch", others[0])
    assert provider.seen("switch", others[1]).values == others[1].values
    provider.delete("switch", others[1])
    assert len(provider.warnings) == 1
    assert parent.snapshot() == before


def test_the_last_that_leaves_a_nat_gets_its_own_in_one_update(
    new_parent: NewParent, new_provider: NewProvider
) -> None:
    provider = new_provider(new_parent("2016"))
    before = provider.parent.snapshot()
    owner, (other, last) = _three_on_one_nat(provider)
    provider.delete("switch", owner)
    inputs = {"name": "net52", "owner": "lab/dev/net52", "prefix": "192.168.52.0/24"}
    forward = {"external_port": 3352, "internal_address": "192.168.52.5", "internal_port": 3389}
    with pytest.raises(ConflictError, match=r"takes only one|overlaps"):
        provider.update("switch", last, **inputs, forwards=[forward])
    provider.delete("switch", other)
    alone = provider.update("switch", last, **inputs, forwards=[forward])
    assert provider.seen("switch", alone).values == alone.values
    assert _forwards(provider.parent) == [(alone.values["nat_name"], 3352, "192.168.52.5", 3389)]
    provider.delete("switch", alone)
    assert provider.parent.snapshot() == before


def test_a_refresh_tells_of_the_nat_of_a_switch_that_is_gone(provider: Provider) -> None:
    made = provider.create("switch")
    provider.parent.host.hide("Remove-NetNat")
    with pytest.raises(NestedlabError, match="Remove-NetNat"):
        provider.delete("switch", made)
    # The rest of the batch runs after that, and takes turns with other pipelines.
    assert any(provider.read("switch", made) is None for _ in range(20))
    assert f"Remove-NetNat -Name '{made.values['nat_name']}'" in provider.warnings[-1]


def test_those_that_leave_a_nat_at_the_same_time_do_not_leave_it_to_each_other(provider: Provider) -> None:
    before = provider.parent.snapshot()
    owner = provider.create("switch", nat_prefix="192.168.48.0/20")
    others = []
    for number in range(51, 55):
        inputs = {"name": f"net{number}", "owner": f"lab/dev/net{number}", "prefix": f"192.168.{number}.0/24"}
        others.append(provider.create("switch", **inputs, nat=owner.values["nat_name"]))
    with ThreadPoolExecutor() as pool:
        for deleted in [pool.submit(provider.delete, "switch", switch) for switch in (owner, *others)]:
            deleted.result()
    assert provider.parent.snapshot() == before


def test_a_switch_joins_a_nat_of_an_administrators_and_leaves_it(provider: Provider) -> None:
    parent = provider.parent
    parent.by_hand("New-NetNat", Name="campus", InternalIPInterfaceAddressPrefix="10.1.0.0/16")
    before = parent.snapshot()
    made = provider.create("switch", forwards=[RDP])
    alone = parent.snapshot()
    with pytest.raises(ConflictError, match=r"does not lie in 10\.1\.0\.0/16 of the NAT network 'campus'"):
        provider.update("switch", made, nat="campus", forwards=[RDP])
    with pytest.raises(NotFoundError, match="no NAT network named 'nowhere'"):
        provider.update("switch", made, nat="nowhere", forwards=[RDP])
    with pytest.raises(ConflictError, match="the switch's own NAT network"):
        provider.update("switch", made, nat=made.values["nat_name"], forwards=[RDP])
    assert parent.snapshot() == alone
    inside = {"prefix": "10.1.7.0/24", "nat": "campus", "forwards": [{**RDP, "internal_address": "10.1.7.5"}]}
    joined = provider.update("switch", made, **inside)
    assert [nat.name for nat in parent.host.state.network.nats.networks] == ["campus"]
    assert _forwards(parent) == [("campus", 3389, "10.1.7.5", 3389)]
    assert provider.seen("switch", joined).values == joined.values
    back = provider.update("switch", joined, forwards=[RDP])
    assert parent.snapshot() == alone
    again = provider.update("switch", back, **inside)
    provider.delete("switch", again)
    assert parent.snapshot() == before


def test_a_gateway_is_set_beside_addresses_of_others_and_of_its_length(provider: Provider) -> None:
    parent = provider.parent
    before = parent.snapshot()
    made = provider.create("switch")
    adapter = {"InterfaceAlias": "vEthernet (lab-net)"}
    parent.by_hand("New-NetIPAddress", IPAddress="172.16.9.9", PrefixLength=16, **adapter)
    moved = provider.update("switch", made, gateway="192.168.50.254")
    assert _addresses(parent) == ["172.16.9.9/16", "192.168.50.254/24"]
    with parent.at_prompt() as run:
        run("Remove-NetIPAddress", IPAddress="192.168.50.254", Confirm=False, **adapter)
        run("New-NetIPAddress", IPAddress="192.168.50.254", PrefixLength=25, **adapter)
    seen = provider.seen("switch", moved)
    assert seen.values == {**moved.values, "gateway": "192.168.50.254/25"}
    provider.update("switch", seen, gateway="192.168.50.254")
    assert _addresses(parent) == ["172.16.9.9/16", "192.168.50.254/24"]
    provider.delete("switch", seen)
    assert parent.snapshot() == before


def test_a_gateway_is_usable_when_the_switch_is_made(provider: Provider) -> None:
    provider.parent.host.state.network.tentative_reads = 3
    provider.create("switch")
    (address,) = provider.parent.by_hand("Get-NetIPAddress", IPAddress="192.168.50.1")
    assert str(address.extended_properties["AddressState"]) == "Preferred"


def test_a_switch_that_goes_disconnects_the_machines_of_its_own_stack(provider: Provider) -> None:
    switch = provider.create("switch")
    adapters = [{"name": "lan", "switch": "LAB-net"}, {"name": "wan"}]
    machine = provider.create("machine", adapters=adapters)
    provider.delete("switch", switch)
    assert "ran on the switch and were disconnected from it: 'hv1'" in provider.warnings[-1]
    assert not provider.parent.host.state.switches
    assert [shown["switch"] for shown in provider.seen("machine", machine).values["adapters"]] == ["", ""]
    assert provider.parent.machine("hv1").state.name == "Running"


def test_a_switch_under_machines_that_run_is_not_touched(provider: Provider) -> None:
    made = provider.create("switch")
    with provider.parent.at_prompt() as run:
        for name in ("hv1", "hv2", "resting"):
            run("New-VM", Name=name, Generation=2, MemoryStartupBytes=1 << 30, SwitchName="lab-net")
        run("Start-VM", Name="hv2")
        run("Start-VM", Name="hv1")
        run("Save-VM", Name="hv1")
    before = provider.parent.snapshot()
    with pytest.raises(RefusedError, match=r"lab-net' is used by machines that are not off: 'hv1', 'hv2'\. .*nothing"):
        provider.delete("switch", made)
    assert provider.parent.snapshot() == before
    assert provider.seen("switch", made).values == made.values
    with provider.parent.at_prompt() as run:
        run("Remove-VM", Name="hv1", Force=True)
        run("Stop-VM", Name="hv2", TurnOff=True)
    provider.delete("switch", made)
    assert provider.read("switch", made) is None
