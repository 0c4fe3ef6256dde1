import pulumi

import pulumi_nestedlab as lab

config = pulumi.Config()
IMAGE = "D:\\Images\\ws2022.vhdx"

net = lab.NatSwitch(
    "net",
    prefix="192.168.50.0/24",
    gateway="192.168.50.254",
    nat_prefix="192.168.48.0/21",
    forwards=[
        lab.PortForward(external_port=3390, internal_address="192.168.50.5"),
        lab.PortForward(protocol="UDP", external_port=5353, internal_address="192.168.50.6", internal_port=53),
    ],
    notes="a class's network",
)
joined = lab.NatSwitch(
    "joined",
    prefix="192.168.51.0/24",
    nat=net.nat_name,
    notes="changed",
    forwards=[lab.PortForward(external_port=8080, internal_address="192.168.51.7", internal_port=80)],
)
plain = lab.NestedHyperVHost("plain", os_disk=lab.Disk(size_gib=40, fixed=True), switch=net.name)
parts = lab.NestedHyperVHost(
    "parts",
    processors=2,
    memory_mib=4096,
    os_disk=lab.Disk(parent=IMAGE),
    data_disks=[
        lab.DataDisk(parent=IMAGE, size_gib=65, location=4),
        lab.DataDisk(size_gib=20, keep=True, location=7),
    ],
    adapters=[
        lab.Adapter(name="lan", switch=net.name, vlan=13),
        lab.Adapter(name="trunk", switch="LAN", trunk="10-12,20", native_vlan=10, mac_spoofing=True),
        lab.Adapter(name="wan", switch="LAN", mac="00155D010203"),
    ],
    iso="D:\\Images\\setup.iso",
    tpm=True,
    notes=config.require_secret("notes"),
    path="D:\\Labs",
)
reset = lab.NestedHyperVHost(
    "reset",
    os_disk=lab.Disk(size_gib=40),
    data_disks=[lab.DataDisk(size_gib=5), lab.DataDisk(size_gib=6)],
    switch=joined.name,
    baseline="clean",
    reset="tuesday",
)
room = pulumi.ComponentResource("school:index:Room", "room")
stopped = lab.NestedHyperVHost(
    "stopped",
    os_disk=lab.Disk(path="D:\\Given\\stopped.vhdx"),
    switch=net.name,
    mac_spoofing=True,
    secure_boot=False,
    time_synchronization=False,
    running=False,
    opts=pulumi.ResourceOptions(parent=room),
)
drifted = lab.NestedHyperVHost(
    "drifted",
    name="drifted-hv",
    os_disk=lab.Disk(size_gib=40),
    switch=net.name,
    automatic_start="Nothing",
    automatic_stop="TurnOff",
    checkpoint_type="Standard",
)
pulumi.export("gateway", net.gateway)
pulumi.export("baseline", reset.baseline_id)
pulumi.export("notes", parts.notes)
