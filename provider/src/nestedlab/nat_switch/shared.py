"""A NAT network that several switches share goes with the last of them, whichever that is.

The switch that it was made for may be deleted first. Its name then carries the id of a switch that the host no longer
has, and the last of the others removes it.
"""

from __future__ import annotations

import re

from nestedlab.nat_switch.network import Nat, NatNetworks
from nestedlab.ownership import is_made_for

# Twelve digits without a letter may be a date and a time that an administrator's script has put there.
_MADE = re.compile(r".+-(?![0-9]{12})[0-9a-f]{12}")

# Windows names the NAT network of its containers by a GUID, which ends as our names do: Hff909283-0245-4a82-a407-
# a37fbc872fbb (github.com/docker/for-win/issues/196).
_BY_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_made_by_us(nat: Nat) -> bool:
    """Whether the NAT network was made for a NatSwitch, of whatever stack, as its name tells."""
    return _MADE.fullmatch(nat.name) is not None and _BY_GUID.search(nat.name) is None


def users(nat: Nat, networks: NatNetworks) -> list[str]:
    """What others have behind the NAT network, in words: networks of other switches, and forwards to elsewhere."""
    others = networks.others_behind(nat)
    leading = {mapping.leads_to for mapping in networks.forwards_of_others(nat)}
    elsewhere = sorted(address for address in leading if not any(address in other.network for other in others))
    return [
        *(f"the network {other.network} of the switch {other.switch!r}" for other in others),
        *(f"a forward to {address}" for address in elsewhere),
    ]


def keeps_own(networks: NatNetworks) -> bool:
    """Whether the switch's own NAT network stays for others when the switch goes."""
    return networks.own is not None and bool(users(networks.own, networks))


def may_be_last(networks: NatNetworks) -> bool:
    """Whether only another look, once the switch is gone, tells if a NAT network stays: others may be going too."""
    return keeps_own(networks) or (networks.joined is not None and is_made_by_us(networks.joined))


def unused(networks: NatNetworks) -> list[Nat]:
    """The NAT networks that the switch was behind and that nobody is behind any more, once it is gone."""
    return [nat for nat in (networks.own, networks.joined) if nat is not None and is_unused(nat, networks)]


def is_unused(nat: Nat, networks: NatNetworks) -> bool:
    """Whether the NAT network has lost the switch that it was made for, and nobody is behind it."""
    return _has_lost_its_switch(nat, networks) and not users(nat, networks) and not networks.is_behind(nat)


def given_up(networks: NatNetworks) -> Nat | None:
    """The NAT network that goes if the switch leaves it: the one it has joined, if nobody else has or owns that."""
    joined = networks.joined
    if joined is None or users(joined, networks) or not _has_lost_its_switch(joined, networks):
        return None
    return joined


def _has_lost_its_switch(nat: Nat, networks: NatNetworks) -> bool:
    """Whether a NatSwitch that is gone made the NAT network, or the one that goes."""
    is_elsewhere = any(is_made_for(nat.name, other) for other in networks.switches)
    return nat == networks.own or (is_made_by_us(nat) and not is_elsewhere)


def left(networks: NatNetworks) -> str | None:
    """What is to be reported of the NAT networks that stay: of its own, and of one that no switch would remove."""
    own, joined = networks.own, networks.joined
    stays = [nat for nat in (own,) if nat is not None and users(nat, networks)]
    if joined is not None and _has_lost_its_switch(joined, networks) and not networks.others_behind(joined):
        stays += [joined] if users(joined, networks) else []
    return " ".join(_left(nat, networks) for nat in stays) or None


def _left(nat: Nat, networks: NatNetworks) -> str:
    return (
        f"the NAT network {nat.name!r} stays on the host, because others are behind it: "
        f"{', '.join(users(nat, networks))}. It is removed with the last NatSwitch that has joined it. If there is "
        f"none, remove it on the host once nobody needs it: Remove-NetNat -Name '{nat.name}'."
    )
