"""What is asked for, in every spelling, is there afterwards: no difference, no drift, whatever was there before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.case_files import drifts

from hyperv_sim.state.disks import place
from hyperv_sim.state.files import File
from nestedlab.declare import Change
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.provider.conftest import NewProvider, Provider, Thing

    from nestedlab.declare import Resource
    from nestedlab.perform import Cancellation

KINDS: dict[str, type[Resource]] = {"machine": NestedHyperVHost, "switch": NatSwitch}
IDENTITY = {"name", "owner", "on"}
"""What is not generated: whose it is, and where it is."""

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
    {"trunk": st.sampled_from(["10,20-22", "20-22,10", "10,20,21,22", "1-4094", "7", "0-20"])},
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
    disks: list[Inputs] = draw(st.lists(NEW_DISK, max_size=3, unique_by=lambda disk: str(sorted(disk))))
    located = draw(st.booleans())
    return [{**disk, "location": 60 - place} for place, disk in enumerate(disks)] if located else disks


CHANGEABLE: Inputs = {
    "processors": st.sampled_from([1, 2, 4]),
    "processor_weight": st.sampled_from([1, 100, 10000]),
    "processor_limit": st.sampled_from([50, 100]),
    "processor_reserve": st.sampled_from([0, 10]),
    "processors_per_numa_node": st.sampled_from([1, 4]),
    "memory_per_numa_node_mib": st.sampled_from([512, 4096]),
    "memory_mib": st.sampled_from([512, 4096, 8192]),
    "iso": one_of_paths(ISO) | st.just(""),
    "secure_boot_template": st.sampled_from(
        ["MicrosoftWindows", "MicrosoftUEFICertificateAuthority", "OpenSourceShieldedVM"]
    ),
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
AT_CREATION: Inputs = {
    "path": spelled(r"C:\Lab"),
    "configuration_version": st.sampled_from(["9.0", "10.0"]),
}
OS_DISK = (
    st.fixed_dictionaries({"size_gib": st.just(40)}, optional={"fixed": st.booleans(), "keep": st.booleans()})
    | st.fixed_dictionaries({"parent": one_of_paths(IMAGES)}, optional={"size_gib": st.just(40)})
    | st.fixed_dictionaries({"path": spelled(GIVEN[1])})
)
OWN: dict[str, set[str]] = {
    "machine": {*CHANGEABLE, *AT_CREATION, "baseline", "checkpoint_type", "reset"}
    | {"switch", "mac_spoofing", "adapters", "os_disk", "data_disks"},
    "switch": {"prefix", "gateway", "nat", "nat_prefix", "forwards", "notes"},
}
"""The inputs that have a strategy of their own here."""


def values_in_drift(kind: str) -> dict[str, list[Any]]:
    """For each other input that can be changed its default, if it has one, and what its case in drift.yaml has."""
    cases = {
        row: drifts(kind)[row.name]
        for row in KINDS[kind].attributes()
        if row.name in drifts(kind).keys() - OWN[kind] - IDENTITY
        and not row.fixed
        and row.row.change is not Change.REPLACE
    }
    return {
        row.name: _different(row.field.default, case.get("inputs", {}).get(row.name), case["shows"])
        for row, case in cases.items()
    }


def _different(*values: Any) -> list[Any]:
    return [value for place, value in enumerate(values) if value is not None and value not in values[:place]]


FROM_DRIFT = {kind: {name: st.sampled_from(values) for name, values in values_in_drift(kind).items()} for kind in KINDS}


@st.composite
def machines(draw: st.DrawFn) -> tuple[Inputs, Inputs]:
    """What a machine is asked to be, and then to be in place of that, without being made anew."""
    born = draw(some(**AT_CREATION))
    disk = draw(OS_DISK)
    first = {
        **draw(some(**CHANGEABLE, **FROM_DRIFT["machine"])),
        **draw(NETWORK),
        **draw(BASELINE),
        "data_disks": draw(data_disks()),
    }
    second = {**draw(some(**CHANGEABLE, **FROM_DRIFT["machine"])), **draw(NETWORK), "data_disks": draw(data_disks())}
    if first.get("tpm"):  # once it has started, Windows holds the template
        second = {name: value for name, value in second.items() if name != "secure_boot_template"}
        second |= {name: first[name] for name in ("secure_boot_template",) if name in first}
    if "baseline" in first:  # it holds the disks it has
        held = {name: first[name] for name in ("baseline", "data_disks")}
        second = {**second, **held, **draw(some(reset=st.just("1")))}
    else:
        second = {**second, **draw(BASELINE)}
        before = {data.get("location", place): data for place, data in enumerate(first["data_disks"], start=1)}
        # A disk that was made cannot become another one in its place. Those that stay keep theirs.
        second["data_disks"] = [
            {"location": place, **data}
            for place, data in enumerate(second["data_disks"], start=1)
            for there in [before.get(data.get("location", place), data)]
            if there == data or "path" in there or "path" in data
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
    inputs |= draw(some(**FROM_DRIFT["switch"]))
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
    state.reads_to_merge = 0  # the next example takes the disks that the last one was given
    with state.lock:
        for path in (*IMAGES, *GIVEN):
            place(state.files, path, size=40 * 2**30)
        for path in ISO:
            state.files.put(File(path, size=2**20))
    with provider.parent.at_prompt() as run:
        run("New-Item", Path=r"C:\Lab", ItemType="Directory")
        for switch in SWITCHES:
            run("New-VMSwitch", Name=switch, SwitchType="Private")
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


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in FROM_DRIFT[kind]])
def test_what_is_seen_of_an_attribute_can_be_asked_for(kind: str, name: str, furnished: Provider) -> None:
    values = values_in_drift(kind)[name]
    _comes_true(furnished, kind, {name: values[-1]}, {name: values[0]})


@pytest.mark.parametrize("kind", KINDS)
def test_every_input_is_generated(kind: str) -> None:
    names = {row.name for row in KINDS[kind].attributes() if not row.fixed}
    missing = names - IDENTITY - OWN[kind] - FROM_DRIFT[kind].keys()
    assert not missing, (
        f"no value of {', '.join(sorted(missing))} is tried: say in tests/cases/provider/drift.yaml, under {kind}, how "
        "an administrator changes it by hand and what is then seen, or give it a strategy in this file."
    )


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
