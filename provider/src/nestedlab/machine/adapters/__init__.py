"""The network adapters of a machine: the table of one, how they are read, and what changes them."""
