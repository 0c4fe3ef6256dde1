"""Nested Hyper-V labs as Pulumi resources: declarations, plans, life cycles and the way to a host."""
