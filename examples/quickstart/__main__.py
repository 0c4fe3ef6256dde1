"""A lab of one nested Hyper-V host behind a NAT switch."""

import pulumi
import pulumi_nestedlab as lab

seat = lab.Seat()  # in a class, the student's own network and ports
net = lab.NatSwitch("lab-net", prefix=seat.prefix, nat=seat.nat)
hv1 = lab.NestedHyperVHost(
    "hv1",
    processors=4,
    memory_mib=8192,
    os_disk=lab.Disk(size_gib=80),  # or lab.Disk(parent="D:\\Images\\ws2022.vhdx")
    switch=net.name,
)
pulumi.export("gateway", net.gateway)
pulumi.export("hv1", hv1.vm_id)
