"""A topology as a Mermaid flowchart, which many Markdown viewers draw."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nestedlab.names import same_name
from nestedlab.topology.model import Host, Machine, Switch, Topology
from nestedlab.topology.words import adapter_facts, forward_port, machine_facts, service, switch_facts

# Inside quotes Mermaid still reads entities (#35;), HTML and, between backticks, Markdown.
_SPECIAL = re.compile(r"""[#"<>&`\\;]""")


def mermaid(topology: Topology) -> str:
    """The flowchart's text."""
    lines = ["flowchart LR"]
    for number, host in enumerate(topology.hosts, start=1):
        lines += [*_host(f"h{number}", host)]
    return "\n".join(lines) + "\n"


def _host(key: str, host: Host) -> Iterator[str]:
    yield f"  subgraph {key}[{_label(host.name)}]"
    for number, switch in enumerate(host.switches, start=1):
        yield f"    {key}s{number}[{_label(switch.name, *switch_facts(switch))}]"
    for number, machine in enumerate(host.machines, start=1):
        yield f"    {key}m{number}({_label(machine.name, machine.power_state, *machine_facts(machine))})"
    yield "  end"
    for number, switch in enumerate(host.switches, start=1):
        yield from _forwards(f"{key}s{number}", host, switch)
    for number, machine in enumerate(host.machines, start=1):
        yield from _connections(key, f"{key}m{number}", host, machine)
        if machine.inside is not None:
            yield from _host(f"{key}m{number}i", machine.inside)
            yield f"  {key}m{number} -.-> {key}m{number}i"


def _forwards(key: str, host: Host, switch: Switch) -> Iterator[str]:
    for number, forward in enumerate(switch.forwards, start=1):
        port = forward_port(host, forward)
        leads_to = f"{forward.leads_to} {service(forward)}".strip()
        yield f"  {key}p{number}([{_label(port)}]) -->|{_label(leads_to)}| {key}"


def _connections(key: str, machine_key: str, host: Host, machine: Machine) -> Iterator[str]:
    for adapter in machine.adapters:
        for number, switch in enumerate(host.switches, start=1):
            if adapter.switch and same_name(adapter.switch, switch.name):
                facts = [adapter.name, *adapter_facts(adapter)]
                label = _label(", ".join(fact for fact in facts if fact))
                yield f"  {key}s{number} ---{f'|{label}|' if label != _label() else ''} {machine_key}"


def _label(*lines: str) -> str:
    return '"' + "<br/>".join(_SPECIAL.sub(_entity, line) for line in lines if line) + '"'


def _entity(special: re.Match[str]) -> str:
    return f"#{ord(special.group())};"
