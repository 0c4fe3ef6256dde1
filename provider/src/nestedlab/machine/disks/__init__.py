"""The disks of a machine: the table of one, what is in which slot, what a change does to them, and the pipelines."""
