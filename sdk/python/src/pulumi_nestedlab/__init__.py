"""Nested Hyper-V labs as Pulumi resources.

import pulumi_nestedlab as lab

seat = lab.Seat()
net = lab.NatSwitch("lab-net", prefix=seat.prefix, nat=seat.nat)
hv1 = lab.NestedHyperVHost("hv1", os_disk=lab.Disk(size_gib=80), switch=net.name)
"""

from pulumi_nestedlab._resources import Adapter, DataDisk, Disk, NatSwitch, NestedHyperVHost, PortForward
from pulumi_nestedlab._seat import Seat

__all__ = ["Adapter", "DataDisk", "Disk", "NatSwitch", "NestedHyperVHost", "PortForward", "Seat"]
