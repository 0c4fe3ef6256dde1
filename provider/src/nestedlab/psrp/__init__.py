"""Sessions with a parent host over PSRP. `session` is the only module that imports pypsrp."""
