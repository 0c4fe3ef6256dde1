"""A simulated Hyper-V host behind a real WSMan and PSRP server, as strict as Windows or stricter."""
