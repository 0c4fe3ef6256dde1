"""What holds of binding for all arguments, not only for those that someone thought of."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from threading import Event
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.simulator.conftest import Talk

from hyperv_sim import errors
from hyperv_sim.contract import WINDOWS_2019_ON, ParameterType, load
from hyperv_sim.host import ENDPOINT, SimulatedHost
from hyperv_sim.powershell import arguments, conversion
from hyperv_sim.powershell.registry import simulated
from hyperv_sim.records import Command, EnumMember, InvocationFailedError, NetObject, Parameter, Scalar, Value

SCALARS: list[st.SearchStrategy[Value]] = [
    st.none(),
    st.builds(Scalar, st.just("Boolean"), st.booleans()),
    st.builds(Scalar, st.just("Int32"), st.integers(-(2**31), 2**31 - 1)),
    st.builds(Scalar, st.just("Int64"), st.integers(-(2**63), 2**63 - 1)),
    st.builds(Scalar, st.just("UInt64"), st.integers(0, 2**64 - 1)),
    st.builds(Scalar, st.just("Double"), st.floats()),
    st.builds(Scalar, st.just("Guid"), st.uuids()),
    st.builds(Scalar, st.just("TimeSpan"), st.timedeltas()),
    st.builds(Scalar, st.just("Byte[]"), st.binary(max_size=4)),
    st.builds(Scalar, st.just("String"), st.sampled_from(["", "hv1", "On", "8.0", "10.0.0.1", "4096", "C:\\a.vhdx"])),
    st.builds(Scalar, st.just("String"), st.text(max_size=8)),
    st.just(EnumMember("Microsoft.HyperV.PowerShell.VMState", "Off", 3)),
    st.just(NetObject(("Deserialized.Microsoft.HyperV.PowerShell.VirtualMachine",), text="hv1")),
]
VALUES = st.one_of(*SCALARS, st.lists(st.one_of(*SCALARS), max_size=3).map(tuple))
COMMON = ("ErrorAction", "ea", "WarningAction", "OutVariable", "Verbose", "Confirm", "Unknown")


@st.composite
def commands(draw: st.DrawFn, name: str) -> Command:
    known = [*load("2022")[name].parameters, *COMMON] if name in load("2022") else list(COMMON)
    spelt = st.lists(st.tuples(st.none() | st.sampled_from(known), VALUES), max_size=4)
    return Command(name, tuple(Parameter(key, value) for key, value in draw(spelt)))


def of_type(type_name: str) -> ParameterType:
    return ParameterType("Count", type_name)


@pytest.mark.parametrize("name", sorted(simulated()))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_argument_is_unforeseen(name: str, data: st.DataObject) -> None:
    """Several statements, so that every refusal is a record; anything else that is raised fails the test."""
    shell = SimulatedHost().shells(ENDPOINT)
    assert shell
    new = Command("New-VM", (Parameter("Name", Scalar("String", "hv1")),))
    statements = [new], [data.draw(commands(name))], [Command("Get-VM"), data.draw(commands(name))]
    with suppress(InvocationFailedError):  # so ends -ErrorAction Stop
        list(shell.invoke(statements, Event()))


@given(number=st.integers(-(2**70), 2**70), type_name=st.sampled_from(sorted(conversion.WHOLE_NUMBERS)))
def test_a_number_binds_exactly_when_its_type_can_hold_it(number: int, type_name: str) -> None:
    low, high = conversion.WHOLE_NUMBERS[type_name]
    for value in (Scalar("Int64", number), Scalar("String", str(number))):
        if low <= number <= high:
            assert arguments.converted(of_type(type_name), value) == number
        else:
            with pytest.raises(errors.TerminatingError, match="Cannot convert"):
                arguments.converted(of_type(type_name), value)


@given(text=st.text())
def test_text_is_a_truth_value_never(text: str) -> None:
    with pytest.raises(errors.TerminatingError, match="Cannot convert"):
        arguments.converted(of_type("Boolean"), Scalar("String", text))


@given(guid=st.uuids(), braces=st.booleans())
def test_a_guid_binds_as_text_too(guid: UUID, braces: bool) -> None:
    text = f"{{{guid}}}" if braces else str(guid).upper()
    assert arguments.converted(of_type("Guid"), Scalar("String", text)) == guid


@pytest.mark.parametrize(
    ("text", "span"),
    [("00:30:00", timedelta(minutes=30)), ("2.03:04:05", timedelta(days=2, hours=3, minutes=4, seconds=5))],
)
def test_a_time_span_binds_as_text(text: str, span: timedelta) -> None:
    assert arguments.converted(of_type("TimeSpan"), Scalar("String", text)) == span


def test_a_function_that_cannot_convert_says_so_once_and_passes_its_cause_on() -> None:
    with pytest.raises(errors.TerminatingError) as refused:
        arguments.converted(of_type("Byte"), Scalar("String", "many"), by_function=True)
    cause = 'Cannot convert value "many" of type "System.String" to type "System.Byte".'
    assert refused.value.message == f"Cannot process argument transformation on parameter 'Count'. {cause}"
    assert refused.value.cause == cause


def test_an_error_of_a_common_parameter_has_its_name_and_type(talk: type[Talk]) -> None:
    failed = talk()("Get-VM -OutBuffer many").failed
    assert failed is not None
    own = failed.exception.own
    assert own["ParameterName"] == Scalar("String", "OutBuffer")
    assert own["ParameterType"] == Scalar("String", "System.Int32")


@pytest.mark.parametrize("windows", ["2016", "2019", "2022", "2025"])
def test_every_cmdlet_that_is_simulated_is_in_the_contract_with_all_that_it_takes(windows: str) -> None:
    contract = load(windows)
    for cmdlet in simulated().values():
        absent = cmdlet.takes - contract[cmdlet.name].parameters.keys()
        newer = {name for names in WINDOWS_2019_ON.values() for name in names} if windows == "2016" else set()
        assert absent <= newer, cmdlet.name


def test_what_the_pages_have_wrong_is_as_in_the_real_module() -> None:
    """What reflection of the module on a host shows, where Microsoft's pages say something else or nothing."""
    contract = load("2019")
    unchecked = {
        f"{cmdlet.name} -{parameter.name}"
        for cmdlet in contract.values()
        for parameter in cmdlet.parameters.values()
        if cmdlet.module == "Hyper-V" and parameter.type_name == "String" and not parameter.no_null
    }
    assert unchecked >= {"Set-VMDvdDrive -Path", "Add-VMDvdDrive -Path", "Set-VMFirmware -SecureBootTemplate"}
    assert "New-VM -Name" not in unchecked
    assert _positions("Connect-VMNetworkAdapter", "SwitchName")["Name_SwitchName"] == 2
    assert _positions("Get-VMSnapshot", "Name")["Parent"] == 0
    assert contract["Set-VMNetworkAdapter"].by_any_name["vmmqqueuepairs"].name == "VrssMaxQueuePairs"
    assert load("2016")["Set-VMNetworkAdapter"].by_any_name["vmmqqueuepairs"].name == "VmmqQueuePairs"
    assert contract["New-VM"].parameters["Generation"].values == ("1", "2")
    assert contract["Set-VMProcessor"].parameters["Reserve"].bounds is None


def _positions(cmdlet: str, parameter: str) -> dict[str, int | None]:
    signature = load("2019")[cmdlet]
    places = signature.parameters[parameter].places
    return {signature.set_name(place.flag): place.position for place in places if place.flag}
