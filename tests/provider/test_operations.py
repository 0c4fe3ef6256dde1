"""Operations on hosts that are as they should be, and on hosts that are not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from tests.case_files import CASES, cases_in

from nestedlab import errors
from nestedlab.errors import ConflictError, NotFoundError, RefusedError, RevertedError

if TYPE_CHECKING:
    from tests.conftest import NewParent
    from tests.provider.conftest import NewProvider, Provider


REFUSALS = [
    {"kind": kind, "cmdlet": cmdlet, **case}
    for kind, cmdlets in cases_in(CASES / "provider" / "refusals.yaml").items()
    for cmdlet, case in cmdlets.items()
]


@pytest.mark.parametrize("windows", ["2016", "2019", "2022", "2025"])
@pytest.mark.parametrize("cpu", ["intel", "amd"])
def test_every_windows_with_every_processor(
    windows: str, cpu: str, new_parent: NewParent, new_provider: NewProvider
) -> None:
    provider = new_provider(new_parent(windows, cpu))
    parent = provider.parent
    before = parent.snapshot()
    switch = provider.create("switch")
    if cpu == "amd" and windows in ("2016", "2019"):
        # Nested virtualization on AMD came with Windows Server 2022.
        with pytest.raises(RefusedError):
            provider.create("machine", switch="lab-net")
    else:
        machine = provider.create("machine", switch="lab-net")
        assert provider.seen("machine", machine).values == machine.values
        provider.delete("machine", machine)
    assert provider.seen("switch", switch).values == switch.values
    provider.delete("switch", switch)
    assert parent.snapshot() == before


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: f"{case['kind']}-{case['cmdlet']}")
def test_what_the_host_refuses_is_undone_and_told(case: dict[str, Any], provider: Provider) -> None:
    parent = provider.parent
    parent.by_hand("New-VMSwitch", Name="other", SwitchType="Private")
    before = parent.snapshot()
    inputs = {"switch": "other", "mac_spoofing": True, "notes": "mine"} if case["kind"] == "machine" else {}
    identifier, category = case.get("as", ["AccessDenied", "PermissionDenied"])
    parent.host.refuse(case["cmdlet"], identifier, category)

    with pytest.raises(getattr(errors, case.get("error", "AccessError"))) as raised:
        provider.create(case["kind"], **inputs)

    message = str(raised.value)
    assert message.startswith("127.0.0.1: machine 'hv1': " if inputs else "127.0.0.1: NAT switch 'lab-net': ")
    for fragment in [f"{case['cmdlet']} is refused on this host", identifier, *case["says"]]:
        assert fragment in message
    assert parent.snapshot() == before
    parent.host.allow(case["cmdlet"])
    made = provider.create(case["kind"], **inputs)
    provider.delete(case["kind"], made)
    assert parent.snapshot() == before


def test_memory_that_the_host_s_own_programs_hold_is_asked_for_less(provider: Provider) -> None:
    host = provider.parent.host.state
    host.held_memory = host.memory
    before = provider.parent.snapshot()
    with pytest.raises(RefusedError, match=r"could not start the machine.*ask for less with memory_mib"):
        provider.create("machine")
    assert provider.parent.snapshot() == before


def test_extensions_that_are_dropped_in_silence_are_an_error_and_the_machine_is_undone(provider: Provider) -> None:
    before = provider.parent.snapshot()
    provider.parent.host.revert_silently("VMProcessor", "ExposeVirtualizationExtensions")
    with pytest.raises(RevertedError, match="did not keep it: expose_virtualization_extensions was set to True and is"):
        provider.create("machine")
    assert provider.parent.snapshot() == before


@pytest.mark.parametrize(
    ("noun", "parameter", "inputs"),
    [
        ("VMProcessor", "Count", {"processors": 2}),
        ("VMMemory", "StartupBytes", {"memory_mib": 4096}),
        ("VMNetworkAdapter", "MacAddressSpoofing", {"mac_spoofing": True}),
    ],
)
def test_a_setting_that_is_dropped_in_silence_is_an_error(
    noun: str, parameter: str, inputs: dict[str, Any], provider: Provider
) -> None:
    machine = provider.create("machine")
    provider.parent.host.revert_silently(noun, parameter)
    ((name, value),) = inputs.items()
    with pytest.raises(RevertedError, match=f"did not keep it: {name} was set to {value} and is"):
        provider.update("machine", machine, **inputs)
    provider.parent.host.state.hooks.reverts.clear()
    assert provider.update("machine", machine, **inputs).values == {**machine.values, **inputs}


@pytest.mark.parametrize("manner", ["responsive", "absent", "locked", "failing"])
def test_a_guest_of_any_manner_is_stopped_for_a_change(manner: Any, provider: Provider) -> None:
    machine = provider.create("machine")
    provider.parent.machine("hv1").guest.manner = manner
    changed = provider.update("machine", machine, processors=2, memory_mib=4096)
    assert (changed.values["processors"], changed.values["running"]) == (2, True)
    stopped = provider.update("machine", machine, processors=2, memory_mib=4096, running=False)
    assert stopped.values["running"] is False
    provider.delete("machine", machine)


def test_a_drift_that_no_preview_has_shown_does_not_power_off_a_machine_that_must_not_be(provider: Provider) -> None:
    machine = provider.create("machine", on_power_off="fail")
    with provider.parent.at_prompt() as run:
        run("Stop-VM", Name="hv1", TurnOff=True)
        run("Set-VMMemory", VMName="hv1", StartupBytes=2 * 1024**3)
        run("Start-VM", Name="hv1")
    before = provider.parent.snapshot()
    with pytest.raises(
        RefusedError,
        match="will be shut down and started again to change memory_mib, and on_power_off='fail' forbids that",
    ):
        provider.update("machine", machine, notes="x", on_power_off="fail")
    assert provider.parent.snapshot() == before
    stopped = provider.update("machine", machine, on_power_off="fail", running=False)
    assert (stopped.values["memory_mib"], stopped.values["running"]) == (8192, False)


@pytest.mark.parametrize(
    ("kind", "named", "cmdlet", "parameters"),
    [
        ("machine", "hv1", "New-VM", {"NoVHD": True, "Generation": 2}),
        ("switch", "lab-net", "New-VMSwitch", {"SwitchType": "Internal"}),
    ],
)
def test_a_strangers_of_the_same_name_is_left_alone(
    kind: str, named: str, cmdlet: str, parameters: dict[str, Any], provider: Provider
) -> None:
    parent = provider.parent
    parent.by_hand(cmdlet, Name=named, **parameters)
    before = parent.snapshot()
    with pytest.raises(ConflictError, match=r"it was not made by nestedlab\. It is left alone"):
        provider.create(kind)
    assert parent.snapshot() == before


def test_another_stacks_of_the_same_name_is_left_alone(provider: Provider) -> None:
    first = provider.create("machine", owner="lab/prod/hv1")
    before = provider.parent.snapshot()
    with pytest.raises(ConflictError, match="it belongs to lab/prod/hv1"):
        provider.create("machine")
    assert provider.parent.snapshot() == before
    assert provider.read("machine", first) is not None


def test_a_machine_that_is_deleted_by_hand_is_gone_for_read_and_delete_and_no_update(provider: Provider) -> None:
    machine = provider.create("machine", running=False)
    provider.parent.by_hand("Remove-VM", Name="hv1", Force=True)
    assert provider.read("machine", machine) is None
    with pytest.raises(NotFoundError, match="pulumi refresh"):
        provider.update("machine", machine)
    provider.delete("machine", machine)
    assert not provider.parent.host.state.files.find(str(machine.values["os_disk_path"]))


@pytest.mark.parametrize("kind", ["machine", "switch"])
def test_what_another_host_does_not_have_is_not_gone(
    kind: str, provider: Provider, new_parent: NewParent, new_provider: NewProvider
) -> None:
    made = provider.create(kind)
    other = new_provider(new_parent(parts={"name": "HV02"}))
    for operation in (other.read, other.delete):
        with pytest.raises(RefusedError, match="is on host HYPERV, but HV02 answers"):
            operation(kind, made)
    assert provider.read(kind, made) is not None


@pytest.mark.parametrize("before", [{}, {"adapters": [{"name": "first"}]}])
def test_a_machines_only_adapter_stays_itself_under_another_name(before: dict[str, Any], provider: Provider) -> None:
    made = provider.create("machine", **before)
    (only_adapter,) = provider.parent.machine("hv1").adapters
    provider.update("machine", made, adapters=[{"name": "lan"}, {"name": "wan"}])
    assert [adapter.name for adapter in provider.parent.machine("hv1").adapters] == ["lan", "wan"]
    assert provider.parent.machine("hv1").adapters[0] is only_adapter


def test_of_two_adapters_the_one_that_switch_described_stays(provider: Provider) -> None:
    with provider.parent.at_prompt() as run:
        for name in ("first", "second"):
            run("New-VMSwitch", Name=name, SwitchType="Private")
    made = provider.create("machine", switch="first")
    (adapter,) = provider.parent.machine("hv1").adapters
    provider.parent.by_hand("Add-VMNetworkAdapter", VMName="hv1", Name="stray", SwitchName="second")
    provider.update("machine", made, switch="second")
    assert provider.parent.machine("hv1").adapters == [adapter]
    assert adapter.switch is provider.parent.switch("second")


def test_what_somebody_gives_the_one_adapter_beside_its_switch_is_seen_and_healed(provider: Provider) -> None:
    made = provider.create("machine")
    (adapter,) = provider.parent.machine("hv1").adapters
    with provider.parent.at_prompt() as run:
        run("Set-VMNetworkAdapterVlan", VMName="hv1", Access=True, VlanId=12)
        run("Set-VMNetworkAdapter", VMName="hv1", DhcpGuard="On")
    seen = provider.seen("machine", made)
    assert [(values["vlan"], values["dhcp_guard"]) for values in seen.values["adapters"]] == [(12, True)]
    assert provider.update("machine", made).values == made.values
    assert provider.parent.machine("hv1").adapters == [adapter]


def test_a_baseline_in_another_case_is_the_same(provider: Provider) -> None:
    made = provider.create("machine", baseline="clean")
    same = provider.update("machine", made, baseline="Clean", notes="x")
    assert (same.values["running"], same.values["baseline_id"]) == (True, made.values["baseline_id"])
    again = provider.update("machine", same, baseline="CLEAN", notes="x")
    assert again.values == {**same.values, "baseline": "CLEAN"}


@pytest.mark.parametrize(("kind", "cmdlet"), [("machine", "Get-VM"), ("switch", "Get-VMSwitch")])
def test_a_service_that_is_stopped_says_not_found_and_nothing_is_taken_for_gone(
    kind: str, cmdlet: str, provider: Provider
) -> None:
    made = provider.create(kind)
    before = provider.parent.snapshot()
    provider.parent.host.refuse(cmdlet, "ObjectNotFound", "ObjectNotFound")
    for operation in (provider.read, provider.update, provider.delete):
        with pytest.raises(NotFoundError, match=f"{cmdlet} is refused"):
            operation(kind, made)
    assert provider.parent.snapshot() == before
    provider.parent.host.allow(cmdlet)
    assert provider.seen(kind, made).values == made.values


@pytest.mark.parametrize(
    ("windows", "prefix", "says"),
    [
        ("2016", "10.9.0.0/24", "takes only one"),
        ("2022", "192.168.50.128/25", "overlaps .*'stranger'"),
    ],
)
def test_a_nat_in_the_way_is_named(
    windows: str, prefix: str, says: str, new_parent: NewParent, new_provider: NewProvider
) -> None:
    parent = new_parent(windows)
    parent.by_hand("New-NetNat", Name="stranger", InternalIPInterfaceAddressPrefix=prefix)
    before = parent.snapshot()
    with pytest.raises(ConflictError, match=says):
        new_provider(parent).create("switch")
    assert parent.snapshot() == before


def test_a_network_of_the_host_in_the_way_is_named(provider: Provider) -> None:
    before = provider.parent.snapshot()
    with pytest.raises(ConflictError, match=r"overlaps the host's route to 10\.0\.0\.0/24 through Ethernet"):
        provider.create("switch", prefix="10.0.0.0/16")
    assert provider.parent.snapshot() == before


def test_a_host_adapter_that_comes_late_is_waited_for(provider: Provider) -> None:
    provider.parent.host.state.network.adapter_delay = 3
    switch = provider.create("switch")
    assert provider.seen("switch", switch).values == switch.values


def test_eight_workers_make_a_lab_at_once(provider: Provider) -> None:
    parent = provider.parent
    before = parent.snapshot()
    resources: list[tuple[str, dict[str, Any]]] = [
        *(("machine", {"name": f"hv{n}", "owner": f"lab/dev/hv{n}", "running": n % 2 == 0}) for n in range(8)),
        *(("switch", {"name": f"net{n}", "owner": f"lab/dev/net{n}", "prefix": f"192.168.{n}.0/24"}) for n in range(2)),
    ]
    with ThreadPoolExecutor(len(resources)) as workers:
        made = list(workers.map(lambda resource: provider.create(resource[0], **resource[1]), resources))
        assert parent.server.open_shells <= 8
        assert sorted(parent.machines) == [f"hv{n}" for n in range(8)]
        list(workers.map(provider.delete, [kind for kind, _ in resources], made))
    assert parent.snapshot() == before
