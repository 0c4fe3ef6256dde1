"""The host itself in memory: its state and the rules it keeps, without cmdlets and without a wire."""
