"""What the pages of a class show, and that it is said in Markdown too."""

from __future__ import annotations

import builtins
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from tests.made_class import HOSTILE, MADE_AT, cluster, lab, made_class, seat, special, student

from nestedlab.classroom import render
from nestedlab.classroom.pages import Condition, Drift, Operation, StudentPage
from nestedlab.classroom.render import dashboard_html, student_html, student_markdown
from nestedlab.errors import ConfigurationError
from nestedlab.topology.model import Host, Switch, Topology

FAILED = Operation("up", MADE_AT, "the host has no space")
UP = Operation("up", MADE_AT)


@pytest.mark.parametrize(
    ("more", "condition"),
    [
        ({}, Condition.RUNNING),
        ({"operation": FAILED}, Condition.FAILED),
        ({"operation": FAILED, "topology": None}, Condition.FAILED),
        ({"operation": FAILED, "unread": "locked"}, Condition.UNKNOWN),
        ({"topology": None}, Condition.ABSENT),
        ({"topology": Topology("lab", "anna")}, Condition.ABSENT),
        ({"topology": Topology("lab", "anna", (Host("HV01", switches=(Switch("net", "net"),)),))}, Condition.RUNNING),
        ({"topology": lab(1, "anna", "Off")}, Condition.STOPPED),
        ({"topology": lab(1, "anna", "Saved")}, Condition.STOPPED),
        ({"topology": lab(1, "anna", "Off"), "drift": Drift(MADE_AT, 1)}, Condition.DRIFTED),
        ({"drift": Drift(MADE_AT, 1)}, Condition.DRIFTED),
        ({"drift": Drift(MADE_AT, 0)}, Condition.RUNNING),
        ({"topology": cluster(1, "anna")}, Condition.RUNNING),
    ],
)
def test_how_a_lab_is_follows_from_what_is_known_of_it(more: dict[str, Any], condition: Condition) -> None:
    assert replace(student(1, "anna", "Anna"), **more).condition is condition


def test_each_forwarded_port_tells_what_to_type() -> None:
    page = replace(student(9, "anna", "Anna"), topology=cluster(9, "anna"))
    assert {way.begins: [command.text for command in way.commands] + [way.url] for way in page.ways_in} == {
        "203.0.113.117:33801": ["ssh -p 33801 USER@203.0.113.117", ""],
        "hv01.example.org:33802 UDP": [""],
        "hv01.example.org:33803": ["https://hv01.example.org:33803/"],
        "hv01.example.org:33804": [""],
        "hv01.example.org:33805": [
            "Enter-PSSession -ComputerName hv01.example.org -Port 33805 -UseSSL -Credential USER",
            "",
        ],
    }
    rdp, powershell = student(1, "ben", "Ben").ways_in
    assert [command.text for command in rdp.commands] == [
        "mstsc /v:hv01.example.org:33810",
        "xfreerdp /v:hv01.example.org:33810 /u:USER",
    ]
    assert "hv01.example.org to be in TrustedHosts" in powershell.note


def test_the_addresses_of_a_network_leave_out_its_gateway() -> None:
    networks = replace(student(9, "anna", "Anna"), topology=cluster(9, "anna")).networks
    assert [(network.prefix, network.mask, network.first, network.last) for network in networks] == [
        ("10.9.9.0/25", "255.255.255.128", "10.9.9.1", "10.9.9.125"),
        ("10.9.9.128/25", "255.255.255.128", "10.9.9.130", "10.9.9.254"),
    ]


def test_the_sums_of_a_class_are_those_of_its_students() -> None:
    page = made_class(30)
    counts = Counter(one.condition for one in page.students)
    assert {condition: page.count(condition) for condition in page.conditions} == counts
    assert sum(parent.count(Condition.RUNNING) for parent in page.parents) == counts[Condition.RUNNING]
    first, second = page.parents
    assert first.running + second.running == sum(machine.runs for one in page.students for machine in one.machines)
    assert first.memory_used_gib == 8 * first.running
    changes = [one.changed_at for one in page.students if one.changed_at is not None]
    assert max(filter(None, (first.changed_at, second.changed_at))) == max(changes)


def test_a_page_in_markdown_says_what_the_page_says() -> None:
    page = student_markdown(special()[8], "windows-2025", MADE_AT)
    for told in (
        "| 9 | `cluster` | `hv02` | `10.9.9.0/24` | 33890-33899 |",
        "### SSH `203.0.113.117:33801`",
        "- Windows, Linux, macOS: `ssh -p 33801 USER@203.0.113.117`",
        "- Browser: <https://hv01.example.org:33803/>",
        "- Leads to `10.9.9.133:8123` behind `storage-cluster`",
        "| `node1-cluster` | 8 processors, 12.5 GiB | `Administrator` | `` P@ss`w0rd\\|<1> `` |",
        "| `node2-cluster` | 8 processors, 12.5 GiB |  |  |",
        "| `storage-cluster` | `10.9.9.128/25` | `10.9.9.129` | 10.9.9.130 to 10.9.9.254 (255.255.255.128) |",
        "```mermaid\nflowchart LR\n",
        "As of 2026-11-30 15:00 (UTC+01:00).",
    ):
        assert told in page.splitlines() or told in page
    assert "\n\n\n" not in page


@pytest.mark.parametrize("page", special(), ids=lambda page: str(page.seat.id)[:12])
def test_nothing_in_a_name_is_markup(page: StudentPage) -> None:
    # A viewer of Markdown, as GitHub's, takes HTML in it for what it is, and has tables.
    viewed = MarkdownIt("commonmark").enable("table").render(student_markdown(page, HOSTILE, MADE_AT))
    for text in (viewed, student_html(page, HOSTILE, MADE_AT)):
        assert "<script" not in text
        assert "<img" not in text
    assert f"<h1>{escapeHtml(page.seat.name)}</h1>" in viewed
    assert f"<p>{escapeHtml(HOSTILE)}</p>" in viewed
    assert viewed.count("<td>") == markdown_cells(page)


def markdown_cells(page: StudentPage) -> int:
    """How many cells the tables of a hand-out in Markdown have, if no name makes or breaks one."""
    return 5 + 4 * len(page.machines) + 4 * len(page.networks)


def test_nothing_on_a_dashboard_is_markup() -> None:
    assert "<script" not in dashboard_html(made_class(30), linked=True)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (StudentPage(seat(1, "anna", "Anna")), "Your lab is not up yet"),
        (StudentPage(seat(1, "anna", "Anna"), unread="locked"), "could not be read"),
        (replace(student(1, "anna", "Anna"), topology=Topology("lab", "anna", (Host("HV01"),))), "No port of the host"),
    ],
)
def test_what_is_not_there_is_told(page: StudentPage, told: str) -> None:
    assert told in student_html(page, "windows-2025", MADE_AT)
    assert told in student_markdown(page, "windows-2025", MADE_AT)


def test_a_dashboard_of_a_class_of_nobody_says_so() -> None:
    assert "Nobody is in this class yet." in dashboard_html(made_class(0), linked=True)


def test_without_jinja_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "jinja2":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return there(name, *arguments, **more)

    render.templates.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=r"pip install 'nestedlab\[class\]'"):
        student_html(student(1, "anna", "Anna"), "windows-2025", MADE_AT)
