"""What a program gets of its student's seat, and of what the class has decided for its machines."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable, Sequence
from contextvars import copy_context
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config, mocks
from tests.case_files import CASES, cases_in

import pulumi_nestedlab as lab
from nestedlab.autonaming import AUTONAMING
from nestedlab.classroom.seat import Seat
from nestedlab.classroom.stack_settings import CLASS_SETTINGS, RESET, SEAT, STOPPED
from nestedlab.connection import SETTINGS

ANNA = Seat(
    number=3,
    id="anna",
    name="Anna Ahrens",
    parent="hv01",
    prefix="10.9.3.0/24",
    first_port=40000,
    last_port=40009,
    nat="class-nat",
    columns={"email": "anna@example.org"},
)
"""A seat with all that there is."""
ROOT = CASES.parents[1]
MALFORMED = cases_in(CASES / "core" / "seats.yaml")


def seat_of(setting: Any, **alone: Any) -> lab.Seat:
    """The seat that a program gets whose stack has this setting."""

    def get() -> lab.Seat:
        config.set_all_config({SEAT: json.dumps(setting)} if setting is not None else {})
        return lab.Seat(**alone)

    return copy_context().run(get)


def declared(program: Callable[[], object], secrets: Sequence[str] = (), **settings: str) -> dict[str, Any]:
    """The inputs of the resources of a program by logical name; it is in the stack anna of the project lab."""
    made: dict[str, Any] = {}

    class Engine(mocks.Mocks):
        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
            made[args.name] = args.inputs
            return "id", {**args.inputs, "natName": args.inputs.get("nat", "its own")}

        def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
            raise NotImplementedError

    def run() -> None:
        mocks.set_mocks(Engine(), project="lab", stack="anna")
        config.set_all_config(settings, list(secrets))
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call] # as Pulumi has it

    copy_context().run(run)
    return made


def test_a_program_reads_all_that_a_class_writes() -> None:
    assert ANNA.model_fields_set == Seat.model_fields.keys()
    seat = seat_of(ANNA.model_dump(mode="json", by_alias=True))
    own = {name for name in Seat.model_fields if name not in ("first_port", "last_port")}
    assert {name: getattr(seat, name) for name in own} == ANNA.model_dump(include=own)
    assert (seat.ports, seat.in_class) == (range(40000, 40010), True)


def test_a_seat_without_a_shared_nat_and_columns_has_none() -> None:
    plain = ANNA.model_copy(update={"nat": None, "columns": {}})
    as_written = plain.model_dump(mode="json", by_alias=True)
    as_set = {**as_written, "columns": {"room": 12}}
    del as_set["nat"]
    assert (seat_of(as_written).nat, seat_of(as_written).columns) == (None, {})
    # `pulumi config set --path` makes a number of what looks like one.
    assert (seat_of(as_set).nat, seat_of(as_set).columns) == (None, {"room": "12"})


def test_without_a_class_a_seat_has_the_programs_values_or_sensible_ones() -> None:
    seat = seat_of(None)
    assert (seat.number, seat.id, seat.prefix, seat.nat, seat.in_class) == (
        1,
        "student",
        "192.168.50.0/24",
        None,
        False,
    )
    assert (seat.address(10), seat.port(0)) == ("192.168.50.10", 33890)
    seat = seat_of(None, prefix="192.168.60.0/23", ports=[3390])
    assert (seat.address(300), seat.ports) == ("192.168.61.44", [3390])
    with pytest.raises(pulumi.RunError, match=r"Seat: prefix must be an IPv4 network such as .*, not 'lan'"):
        seat_of(None, prefix="lan")


def test_in_a_class_the_seats_values_count() -> None:
    seat = seat_of(ANNA.model_dump(by_alias=True), prefix="192.168.60.0/24", ports=[3390])
    assert (seat.prefix, seat.port(9)) == ("10.9.3.0/24", 40009)


@pytest.mark.parametrize("host", [-1, 0, 255, 256])
def test_an_address_outside_of_the_prefix_is_refused(host: int) -> None:
    with pytest.raises(pulumi.RunError, match=f"there is no host {host} in 192.168.50.0/24: it has 1 to 254"):
        seat_of(None).address(host)


@pytest.mark.parametrize("index", [-1, 10])
def test_a_port_that_the_student_has_not_is_refused(index: int) -> None:
    with pytest.raises(pulumi.RunError, match=f"there is no port {index}: the seat has 10, counted from 0"):
        seat_of(None).port(index)


@pytest.mark.parametrize("case", MALFORMED.values(), ids=MALFORMED)
def test_a_setting_that_is_no_seat_is_refused_with_what_is_wrong(case: dict[str, Any]) -> None:
    good = ANNA.model_dump(by_alias=True)
    setting = case["only"] if "only" in case else {**good, **case["change"]}
    with pytest.raises(pulumi.RunError, match=re.escape(case["says"])) as refused:
        seat_of(setting)
    assert "`nestedlab class up` sets it" in str(refused.value)


def machine(**arguments: Any) -> Callable[[], object]:
    return lambda: lab.NestedHyperVHost("hv1", os_disk=lab.Disk(size_gib=40), **arguments)


def test_the_settings_of_a_class_are_known_and_a_misspelt_one_is_not() -> None:
    known = dict.fromkeys((*SETTINGS, *CLASS_SETTINGS), "")
    assert declared(machine(), **known).keys() >= {"hv1"}
    with pytest.raises(
        pulumi.RunError, match="there is no setting 'nestedlab:stoped'; did you mean 'nestedlab:stopped'"
    ):
        declared(machine(), **{"nestedlab:stoped": "true"})


def test_names_that_a_program_gives_stay_and_others_follow_the_setting() -> None:
    def program() -> None:
        machine()()
        lab.NatSwitch("net", prefix="10.9.1.0/24")
        lab.NatSwitch("named", name="corp", prefix="10.9.2.0/24")

    naming = {AUTONAMING: json.dumps({"pattern": "${config.room.door}-${name}-${stack}"}), "lab:room": '{"door": 7}'}
    made = declared(program, **naming)
    assert [made[name]["name"] for name in ("hv1", "net", "named")] == ["7-hv1-anna", "7-net-anna", "corp"]
    assert [declared(program)[name]["name"] for name in ("hv1", "net", "named")] == ["hv1", "net", "corp"]


@pytest.mark.parametrize("key", ["floor", "room.window"])
def test_a_name_of_a_setting_that_has_no_value_is_refused(key: str) -> None:
    naming = {AUTONAMING: json.dumps({"pattern": f"${{config.{key}}}"}), "lab:room": '{"door": 7}'}
    with pytest.raises(pulumi.RunError, match=rf"hv1: pulumi:autonaming: \$\{{config.{key}\}} has no value"):
        declared(machine(), **naming)


def test_a_name_never_has_a_secret() -> None:
    settings = {AUTONAMING: json.dumps({"pattern": "${config.pin}"}), "lab:pin": "0815"}
    with pytest.raises(pulumi.RunError, match="is secret, and a name is not") as refused:
        declared(machine(), secrets=["lab:pin"], **settings)
    assert "0815" not in str(refused.value)


def test_a_stopped_lab_asks_for_machines_that_are_off() -> None:
    assert declared(machine(), **{STOPPED: "true"})["hv1"]["running"] is False
    assert "running" not in declared(machine(), **{STOPPED: "false"})["hv1"]
    assert declared(machine(running=False), **{STOPPED: "false"})["hv1"]["running"] is False
    with pytest.raises(pulumi.RunError, match="nestedlab:stopped must be true or false, not 'yes'"):
        declared(machine(), **{STOPPED: "yes"})


def test_a_reset_of_the_class_is_for_machines_with_a_baseline_and_no_reset_of_their_own() -> None:
    def reset(**arguments: Any) -> Any:
        return declared(machine(**arguments), **{RESET: "monday"})["hv1"].get("reset")

    assert reset(baseline="clean") == "monday"
    assert reset(baseline="clean", reset="mine") == "mine"
    assert [reset(), reset(baseline="")] == [None, None]
    assert "reset" not in declared(machine(baseline="clean"))["hv1"]


def test_a_baseline_that_is_an_output_is_known_later() -> None:
    def program() -> None:
        for name in ("clean", ""):
            lab.NestedHyperVHost(f"hv-{name}", os_disk=lab.Disk(size_gib=40), baseline=pulumi.Output.from_input(name))

    made = declared(program, **{RESET: "monday"})
    assert [made[f"hv-{name}"].get("reset") for name in ("clean", "")] == ["monday", None]


@pytest.mark.filterwarnings(
    "ignore:NotImplemented should not:DeprecationWarning"
)  # Pulumi's, of what a program exports
@pytest.mark.parametrize("example", ["cluster", "containers", "domain", "nat-rdp", "quickstart"])
def test_each_example_joins_the_nat_that_the_class_has_on_a_host_that_takes_one(example: str) -> None:
    program = ROOT / "examples" / example / "__main__.py"
    settings = {SEAT: ANNA.model_dump_json(by_alias=True), "lab:image": "D:\\ws2022.vhdx"}
    made = declared(lambda: runpy.run_path(str(program)), **settings)
    switches = [inputs for inputs in made.values() if "prefix" in inputs]
    assert switches
    assert {(switch["nat"], switch.get("natPrefix")) for switch in switches} == {("class-nat", None)}
    assert all(IPv4Network(switch["prefix"]).subnet_of(IPv4Network(ANNA.prefix)) for switch in switches)


def test_the_program_of_the_classs_page_is_the_students() -> None:
    page = (ROOT / "docs" / "class.md").read_text(encoding="utf-8")
    source = page.partition("```python\n")[2].partition("```")[0]

    def program() -> None:
        exec(source, {"lab": lab, "pulumi": pulumi})  # noqa: S102 - our own page

    settings = {
        SEAT: ANNA.model_dump_json(by_alias=True),
        AUTONAMING: '{"pattern": "${name}-${stack}"}',
        RESET: "monday",
    }
    made = declared(program, **settings)
    assert {made["lab-net"][key] for key in ("name", "prefix", "nat")} == {"lab-net-anna", "10.9.3.0/24", "class-nat"}
    (forward,) = made["lab-net"]["forwards"]
    assert (forward["externalPort"], forward["internalAddress"]) == (40000, "10.9.3.10")
    assert (made["hv1"]["name"], made["hv1"]["reset"]) == ("hv1-anna", "monday")
