"""The resources: for each a table of attributes, and what it takes to make, change and remove one."""
