"""Sessions with a parent host over PSRP. `pool` is the only module that imports pypsrp."""
