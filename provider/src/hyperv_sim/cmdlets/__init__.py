"""The simulated cmdlets, one file for each family of nouns."""
