"""What is asked for, in every spelling, is there afterwards: no difference, no drift, whatever was there before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hyperv_sim.state.disks import place
from hyperv_sim.state.files import File
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.provider.conftest import NewProvider, Provider, Thing

    from nestedlab.perform import Cancellation

FIXED = {"generation", "dynamic_memory", "automatic_checkpoints", "expose_virtualization_extensions", "switch_type"}
IDENTITY = {"name", "owner", "on"}
"""What cannot be generated: one value only, whose it is, and where it is."""

IMAGES = [r"C:\Images\one.vhdx", r"C:\Images\two.vhdx"]
GIVEN = [r"C:\Images\three.vhdx", r"C:\Images\four.vhdx"]
ISO = [r"C:\Images\one.iso", r"C:\Images\two.iso"]
SWITCHES = ["first", "second"]

Inputs = dict[str, Any]


def spelled(path: str) -> st.SearchStrategy[str]:
    """A path with its letters in any case and either slash."""
    return st.sampled_from([path, path.upper(), path.lower(), path.replace("\\", "/"), path.upper().replace("\\", "/")])


def one_of_paths(paths: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(paths).flatmap(spelled)


def any_case(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from([text, text.upper(), text.title()])


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Inputs]:
    """Any of these inputs, the others left out."""
    return st.fixed_dictionaries({}, optional=optional)


SWITCH = st.sampled_from(SWITCHES).flatmap(any_case) | st.just("")
MAC = st.sampled_from(["00155D010203", "00-15-5d-01-02-03", "00:15:5D:01:02:03", "0015.5d01.0203", ""])
VLAN = st.fixed_dictionaries({"vlan": st.sampled_from([0, 1, 4094])})
TRUNK = st.fixed_dictionaries(
    {"trunk": st.sampled_from(["10,20-22", "20-22,10", "10,20,21,22", "1-4094", "7"])},
    optional={"native_vlan": st.sampled_from([0, 5, 4094])},
)
ADAPTER = st.tuples(
    some(switch=SWITCH, mac_spoofing=st.booleans(), dhcp_guard=st.booleans(), router_guard=st.booleans()),
    some(device_naming=st.booleans()),
    VLAN | TRUNK | st.just({}),
).map(lambda parts: {name: value for part in parts for name, value in part.items()})


@st.composite
def adapters(draw: st.DrawFn) -> list[Inputs]:
    names = draw(st.permutations(["lan", "WAN", "Netz 3"]))[: draw(st.integers(1, 3))]
    macs = [draw(MAC), "", "00155D0A0B0C"]
    return [{"name": draw(any_case(name)), "mac": mac, **draw(ADAPTER)} for name, mac in zip(names, macs, strict=False)]


NEW_DISK = (
    st.fixed_dictionaries({"size_gib": st.integers(1, 9)}, optional={"fixed": st.booleans(), "keep": st.booleans()})
    | st.fixed_dictionaries({"parent": one_of_paths(IMAGES)}, optional={"size_gib": st.integers(40, 50)})
    | st.fixed_dictionaries({"path": spelled(GIVEN[0])})
)


@st.composite
def data_disks(draw: st.DrawFn) -> list[Inputs]:
    """Data disks, each given file in one place only."""
    disks: list[Inputs] = draw(st.lists(NEW_DISK, max_size=3, unique_by=lambda one: str(sorted(one))))
    located = draw(st.booleans())
    return [{**one, "location": 60 - place} for place, one in enumerate(disks)] if located else disks


CHANGEABLE: Inputs = {
    "processors": st.sampled_from([1, 2, 4]),
    "processor_weight": st.sampled_from([1, 100, 10000]),
    "processor_limit": st.sampled_from([50, 100]),
    "processor_reserve": st.sampled_from([0, 10]),
    "processors_per_numa_node": st.sampled_from([1, 4]),
    "numa_nodes_per_socket": st.sampled_from([1, 2]),
    "memory_per_numa_node_mib": st.sampled_from([512, 4096]),
    "memory_mib": st.sampled_from([512, 4096, 8192]),
    "iso": one_of_paths(ISO) | st.just(""),
    "secure_boot": st.booleans(),
    "secure_boot_template": st.sampled_from(
        ["MicrosoftWindows", "MicrosoftUEFICertificateAuthority", "OpenSourceShieldedVM"]
    ),
    "tpm": st.booleans(),
    "time_synchronization": st.booleans(),
    "running": st.booleans(),
    "on_power_off": st.sampled_from(["restart", "fail"]),
    "automatic_start": st.sampled_from(["Nothing", "StartIfRunning", "Start"]),
    "automatic_start_delay": st.sampled_from([0, 30, 2**31 - 1]),
    "automatic_stop": st.sampled_from(["TurnOff", "Save", "ShutDown"]),
    "notes": st.sampled_from(["", "mine", "two\nlines", "two\r\nlines", "it's [mine]\n", "Grüße 'quoted' \"twice\""]),
}
BASELINE = some(baseline=st.sampled_from(["clean", "Sauber 2"])) | some(
    checkpoint_type=st.sampled_from(["Disabled", "Production", "ProductionOnly", "Standard"])
)
NETWORK = some(switch=SWITCH, mac_spoofing=st.booleans()) | st.fixed_dictionaries({"adapters": adapters()})
AT_BIRTH: Inputs = {
    "path": spelled(r"C:\Lab"),
    "configuration_version": st.sampled_from(["9.0", "10.0"]),
}
OS_DISK = (
    st.fixed_dictionaries({"size_gib": st.just(40)}, optional={"fixed": st.booleans(), "keep": st.booleans()})
    | st.fixed_dictionaries({"parent": one_of_paths(IMAGES)}, optional={"size_gib": st.just(40)})
    | st.fixed_dictionaries({"path": spelled(GIVEN[1])})
)


@st.composite
def machines(draw: st.DrawFn) -> tuple[Inputs, Inputs]:
    """What a machine is asked to be, and then to be in place of that, without being made anew."""
    born = draw(some(**AT_BIRTH))
    disk = draw(OS_DISK)
    first = {**draw(some(**CHANGEABLE)), **draw(NETWORK), **draw(BASELINE), "data_disks": draw(data_disks())}
    second = {**draw(some(**CHANGEABLE)), **draw(NETWORK), "data_disks": draw(data_disks())}
    if "baseline" in first:  # it holds the disks it has
        held = {name: first[name] for name in ("baseline", "data_disks")}
        second = {**second, **held, **draw(some(reset=st.just("1")))}
    else:
        second = {**second, **draw(BASELINE)}
        again = {one.get("location", place): one for place, one in enumerate(first["data_disks"], start=1)}
        # A disk that was made cannot become another one in its place.
        second["data_disks"] = [
            one
            for place, one in enumerate(second["data_disks"], start=1)
            for before in [again.get(one.get("location", place), one)]
            if before == one or "path" in before or "path" in one
        ]
    return {**born, "os_disk": disk, **first}, {**born, "os_disk": disk, **second, "on_power_off": "restart"}


WIDER = {50: st.sampled_from(["192.168.50.0/24", "192.168.51.77/23"]), 51: st.just("192.168.50.9/23")}


@st.composite
def switches(draw: st.DrawFn, *, joins: bool) -> Inputs:
    """What a NAT switch is asked to be."""
    third = draw(st.sampled_from([50, 51]))
    network, length = f"192.168.{third}", draw(st.sampled_from([24, 25, 28]))
    inputs: Inputs = {"prefix": f"{network}.{draw(st.sampled_from([0, 1, 9]))}/{length}"}
    inputs |= draw(some(gateway=st.sampled_from([f"{network}.1", f"{network}.9"]), notes=CHANGEABLE["notes"]))
    inputs |= draw(st.fixed_dictionaries({"nat": any_case("shared")}) if joins else some(nat_prefix=WIDER[third]))
    ports = draw(st.lists(st.sampled_from([53, 3389, 8080]), unique=True))
    forwards = [
        {
            "external_port": port,
            "internal_address": f"{network}.{draw(st.sampled_from([5, 6]))}",
            **draw(some(protocol=st.sampled_from(["TCP", "UDP"]), internal_port=st.sampled_from([1, port, 65535]))),
        }
        for port in ports
    ]
    return {**inputs, "forwards": forwards}


EXAMPLES = settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes: an example is a machine's whole life
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture
def furnished(parent: Parent, new_provider: NewProvider, no_delay: Cancellation) -> Provider:
    """A host with the images, disks and switches that the examples name."""
    provider = new_provider(parent, no_delay)
    state = provider.parent.host.state
    state.looks_to_merge = 0  # the next example takes the disks that the last one was given
    with state.lock:
        for path in (*IMAGES, *GIVEN):
            place(state.files, path, size=40 * 2**30)
        for path in ISO:
            state.files.put(File(path, size=2**20))
    provider.parent.by_hand("New-Item", Path=r"C:\Lab", ItemType="Directory")
    for switch in SWITCHES:
        provider.parent.by_hand("New-VMSwitch", Name=switch, SwitchType="Private")
    return provider


@EXAMPLES
@given(asked=machines())
def test_a_machine_is_what_was_asked_and_then_what_is_asked_next(
    asked: tuple[Inputs, Inputs], furnished: Provider
) -> None:
    _comes_true(furnished, "machine", *asked)


@EXAMPLES
@given(asked=st.booleans().flatmap(lambda joins: st.tuples(switches(joins=joins), switches(joins=joins))))
def test_a_switch_is_what_was_asked_and_then_what_is_asked_next(
    asked: tuple[Inputs, Inputs], furnished: Provider
) -> None:
    if "nat" in asked[0]:
        furnished.parent.by_hand("New-NetNat", Name="shared", InternalIPInterfaceAddressPrefix="192.168.0.0/16")
    try:
        _comes_true(furnished, "switch", *asked)
    finally:
        if "nat" in asked[0]:
            furnished.parent.by_hand("Remove-NetNat", Name="shared", Confirm=False)


@pytest.mark.parametrize("kind", [NestedHyperVHost, NatSwitch])
def test_every_input_is_generated(kind: Any) -> None:
    named = {"nat", "nat_prefix", "prefix", "gateway", "forwards", "notes"}
    if kind is NestedHyperVHost:
        named = {*CHANGEABLE, *AT_BIRTH, "baseline", "checkpoint_type", "switch", "mac_spoofing", "adapters", "reset"}
        named |= {"os_disk", "data_disks"}
    assert {row.name for row in kind.attributes()} - FIXED - IDENTITY == named


def _comes_true(provider: Provider, kind: str, first: Inputs, second: Inputs) -> None:
    before = provider.parent.snapshot()
    made = provider.create(kind, **first)
    _is_as_asked(provider, kind, made, first)
    now = provider.update(kind, made, **second)
    assert now.id == made.id
    _is_as_asked(provider, kind, now, second)
    provider.delete(kind, now)
    for path in now.values.get("kept_disks", ()):
        provider.parent.by_hand("Remove-Item", LiteralPath=path)
    assert _without_traces(provider.parent.snapshot()) == _without_traces(before)


def _is_as_asked(provider: Provider, kind: str, made: Thing, inputs: Inputs) -> None:
    """There is no difference to the program, and no drift from the host."""
    assert not provider.diff(kind, made, **inputs).has_changes
    assert provider.read(kind, made) == made


def _without_traces(snapshot: Any) -> Any:
    """The host without what a machine leaves: its empty folder (Remove-VM), and the writes to a disk it was given."""
    files = snapshot["files"]["entries"]
    for path in [path for path in files if path.startswith("c:\\lab\\") and files[path]["is_folder"]]:
        del files[path]
    for file in files.values():
        file["disk"] = file["disk"] and {**file["disk"], "written": ""}
    return snapshot
