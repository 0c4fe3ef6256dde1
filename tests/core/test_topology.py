"""A lab's topology from its state, and the ways to show it."""

from __future__ import annotations

import json
from itertools import count
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from tests.case_files import CASES, cases_in

from nestedlab.adapters.stack_topology import changed_at, topology_of
from nestedlab.topology.as_json import as_json
from nestedlab.topology.mermaid import mermaid
from nestedlab.topology.model import Adapter, Host, Machine, Switch, Topology
from nestedlab.topology.svg import svg
from nestedlab.topology.words import described

STATES = cases_in(CASES / "core" / "topology" / "states.yaml")
RECORDED = CASES / "pulumi" / "states" / "a69ff0b" / "stack.json"
DYNAMIC = "pulumi-python:dynamic/nestedlab"
SVG = "{http://www.w3.org/2000/svg}"


def deployment(case: dict[str, Any]) -> dict[str, Any]:
    """A state as Pulumi exports it."""
    numbers = count(1)
    resources = [
        {"type": f"{DYNAMIC}:{kind}", "urn": f"urn:{kind}", "id": str(UUID(int=next(numbers))), "outputs": outputs}
        for resource in case["resources"]
        for kind, outputs in resource.items()
    ]
    provider = {"type": "pulumi:providers:pulumi-python", "urn": "urn:provider", "id": "1", "inputs": case["provider"]}
    return {"resources": [provider, *resources]}


def topology(case: dict[str, Any]) -> Topology:
    return topology_of("lab", "dev", deployment(case))


def recorded() -> Topology:
    return topology_of("lab", "dev", json.loads(RECORDED.read_text())["deployment"])


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - we have made it


def texts(picture: str) -> list[str]:
    """All texts in a picture, whole where they are shortened."""
    shown = parsed(picture).iter(f"{SVG}text")
    return [element.findtext(f"{SVG}title") or element.text or "" for element in shown]


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_ids(part) for key, part in value.items() if key != "id"}
    return [without_ids(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", STATES.values(), ids=STATES.keys())
def test_a_state_tells_its_topology(case: dict[str, Any]) -> None:
    assert without_ids(as_json(topology(case))) == case["topology"]
    assert described(topology(case)) == case["described"]


@pytest.mark.parametrize("name", [name for name, case in STATES.items() if "mermaid" in case])
def test_a_flowchart_has_all_of_it_and_nothing_that_mermaid_reads_as_its_own(name: str) -> None:
    assert mermaid(topology(STATES[name])) == STATES[name]["mermaid"]


@pytest.mark.parametrize("case", STATES.values(), ids=STATES.keys())
def test_a_picture_has_all_of_it_as_text(case: dict[str, Any]) -> None:
    drawn = topology(case)
    shown = " ".join(texts(svg(drawn)))
    names = [thing.name for things in (drawn.machines, drawn.switches) for thing in things]
    forwards = [forward for switch in drawn.switches for forward in switch.forwards]
    assert [name for name in names if name not in shown] == []
    assert [forward for forward in forwards if f":{forward.external_port}" not in shown] == []
    root = parsed(svg(drawn, "here"))
    labels = [root.find(f"{SVG}title"), root.find(f"{SVG}desc")]
    assert [label.get("id") for label in labels if label is not None] == ["here-title", "here-desc"]
    assert root.get("aria-labelledby") == "here-title here-desc"
    assert root.findtext(f"{SVG}desc") == described(drawn)


def test_a_state_of_an_earlier_version_is_drawn() -> None:
    drawn = recorded()
    assert [machine.name for machine in drawn.machines] == ["drifted-hv", "parts", "plain", "reset", "stopped"]
    assert [machine.name for machine in drawn.machines if not machine.runs] == ["drifted-hv", "stopped"]
    assert [switch.name for switch in drawn.switches] == ["joined", "net", "LAN"]
    assert [line for line in texts(svg(drawn)) if "→" in line] == [
        ":8080 → 192.168.51.7:80 HTTP",
        ":3389 → 192.168.50.5:3389 RDP",
        ":5353 UDP → 192.168.50.6:53 DNS",
    ]
    assert "trunk on LAN, VLANs 10-12,20, native 10, MAC spoofing" in texts(svg(drawn))


def test_the_same_lab_gives_the_same_picture_in_whatever_order_it_was_made() -> None:
    state = json.loads(RECORDED.read_text())["deployment"]
    backwards = {**state, "resources": state["resources"][::-1]}
    for show in (svg, mermaid, as_json):
        assert show(topology_of("lab", "dev", state)) == show(topology_of("lab", "dev", backwards))


def test_a_resource_that_an_operation_was_interrupted_at_is_drawn_once() -> None:
    state = deployment(STATES["a host behind a NAT, with a port for RDP"])
    pending = {"type": "updating", "resource": state["resources"][1]}
    assert len(topology_of("lab", "dev", {**state, "pending_operations": [pending]}).machines) == 1


def test_what_a_replacement_has_still_to_delete_is_not_drawn() -> None:
    state = deployment(STATES["a host behind a NAT, with a port for RDP"])
    replaced = {**state["resources"][1], "id": str(UUID(int=99)), "delete": True}
    assert len(topology_of("lab", "dev", {"resources": [*state["resources"], replaced]}).machines) == 1


def test_a_switch_is_connected_to_its_machines_and_crosses_the_rails_of_others() -> None:
    one, two = Switch("one", "one"), Switch("two", "two")
    machine = Machine("hv1", "hv1", "", "Running", adapters=(Adapter("ONE"), Adapter("two"), Adapter("")))
    root = parsed(svg(Topology("lab", "dev", (Host("HV01", switches=(one, two), machines=(machine,)),))))
    joints = [element.get("class") for element in root.iter(f"{SVG}circle") if "joint" in element.get("class", "")]
    assert sorted(filter(None, joints)) == ["joint rail0"] * 2 + ["joint rail1"] * 2


def test_a_picture_of_a_nested_hosts_inside_is_in_its_machine() -> None:
    inside = Host("hv1", switches=(Switch("inner", "inner"),), machines=(Machine("guest", "guest", "", "Off"),))
    machine = Machine("hv1", "hv1", "", "Running", adapters=(Adapter("net"),), inside=inside)
    whole = Topology("lab", "dev", (Host("HV01", switches=(Switch("net", "net"),), machines=(machine,)),))
    assert {"guest", "inner"} <= set(texts(svg(whole)))
    assert "Inside hv1:" in described(whole)
    assert "guest" in mermaid(whole)
    assert as_json(whole)["hosts"][0]["machines"][0]["inside"]["machines"][0]["name"] == "guest"


def test_a_long_name_is_shortened_in_the_middle_and_whole_in_its_title() -> None:
    name = "maximiliana-theodora-" * 4 + "hv1"
    lab = Topology("lab", "dev", (Host("HV01", machines=(Machine(name, "hv1", "", "Off"),)),))
    root = parsed(svg(lab))
    (shortened,) = [text for text in root.iter(f"{SVG}text") if text.findtext(f"{SVG}title") == name]
    shown = "".join(shortened.itertext()).removeprefix(name)
    start, end = shown.split("…")
    assert name.startswith(start)
    assert name.endswith(end)
    assert float(root.get("width", "")) < 520


def test_when_a_lab_was_last_changed_is_known_from_its_state() -> None:
    changed = changed_at(json.loads(RECORDED.read_text())["deployment"])
    assert changed is not None
    assert changed.isoformat() == "2026-11-30T14:45:12+00:00"
    assert changed_at({}) is None
