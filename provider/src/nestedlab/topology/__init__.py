"""What a lab looks like: hosts, switches, machines and how they hang together, from a stack's state. Pure."""
