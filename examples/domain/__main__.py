"""A domain: its controller, a member that is a nested Hyper-V host, and a client."""

import pulumi
import pulumi_nestedlab as lab

config = pulumi.Config()
server = config.get("serverImage")  # a sealed Windows Server on the parent host, such as D:\Images\ws2022.vhdx
client = config.get("clientImage")  # a sealed Windows 11, such as D:\Images\w11.vhdx
seat = lab.Seat(prefix=config.get("prefix") or "192.168.80.0/24")

net = lab.NatSwitch("domain-net", prefix=seat.prefix, nat=seat.nat)


def machine(name: str, image: str | None, processors: int, memory_mib: int, *, tpm: bool = False) -> pulumi.Output[str]:
    """A machine of the domain, whose clock follows the domain's and not the parent host's."""
    host = lab.NestedHyperVHost(
        name,
        processors=processors,
        memory_mib=memory_mib,
        os_disk=lab.Disk(parent=image) if image else lab.Disk(size_gib=64),
        switch=net.name,
        time_synchronization=False,
        tpm=tpm,
    )
    return host.vm_id


pulumi.export(
    "domain",
    {
        "gateway": net.gateway,
        "domain-dc1": machine("domain-dc1", server, processors=2, memory_mib=2048),
        "domain-hv1": machine("domain-hv1", server, processors=4, memory_mib=config.get_int("memoryMib") or 6144),
        "domain-client1": machine("domain-client1", client, processors=2, memory_mib=4096, tpm=True),  # Windows 11
    },
)
