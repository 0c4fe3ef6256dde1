"""A lab of one nested Hyper-V host behind a NAT switch."""

import pulumi
import pulumi_nestedlab as lab

net = lab.NatSwitch("lab-net", prefix="192.168.50.0/24")
hv1 = lab.NestedHyperVHost(
    "hv1",
    processors=4,
    memory_mib=8192,
    os_disk=lab.Disk(size_gib=80),  # or lab.Disk(parent="D:\\Images\\ws2022.vhdx")
    switch=net.name,
)
pulumi.export("gateway", net.gateway)
pulumi.export("hv1", hv1.vm_id)
