"""PowerShell: commands bound against the contract, pipelines of live objects, what is serialised at their end."""
