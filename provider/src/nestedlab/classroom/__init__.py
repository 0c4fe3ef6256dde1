"""A class: one lab program, a roster of students, the hosts that they are placed on (decision 16)."""
