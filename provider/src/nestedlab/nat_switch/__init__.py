"""NatSwitch: an internal switch with a gateway of the host's and a NAT.

`table.py` declares it; `lifecycle.py` creates, reads, updates and deletes one; `network.py` is the one view of the NAT
networks that concern it, and `changes.py` what it takes to set them up; `gateway.py` is the host's address on the
switch, `forwards.py` a forward, `conflicts.py` what stands in the way, `shared.py` when a NAT network
of several switches goes.
"""
