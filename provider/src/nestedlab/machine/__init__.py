"""NestedHyperVHost: a virtual machine that can run Hyper-V of its own.

`table.py` declares it; `lifecycle.py` composes what it takes to create, read, update and delete one from the facets in
`facets.py`, each of which is a part of a machine with rules of its own.
"""
