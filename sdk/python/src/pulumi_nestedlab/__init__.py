"""Nested Hyper-V labs as Pulumi resources.

import pulumi_nestedlab as lab

net = lab.NatSwitch("lab-net", prefix="192.168.50.0/24")
hv1 = lab.NestedHyperVHost("hv1", os_disk=lab.Disk(size_gib=80), switch=net.name)
"""

from pulumi_nestedlab._resources import Adapter, DataDisk, Disk, NatSwitch, NestedHyperVHost, PortForward

__all__ = ["Adapter", "DataDisk", "Disk", "NatSwitch", "NestedHyperVHost", "PortForward"]
