# Plays calls in a session with a role, and prints the errors as JSON: [[id, ...], ...], a list for each call.
param($Source, $Assembly, $Modules, $Configuration, $Calls)
$ErrorActionPreference = 'Stop'
Add-Type -Path $Source -OutputAssembly $Assembly
$env:PSModulePath = $Modules
$state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateFromSessionConfigurationFile($Configuration)
$session = [System.Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($state)
$session.Open()
$answers = foreach ($call in Get-Content -Raw $Calls | ConvertFrom-Json) {
    $pipeline = [System.Management.Automation.PowerShell]::Create()
    $pipeline.Runspace = $session
    foreach ($command in $call) {
        $null = $pipeline.AddCommand($command.name)
        foreach ($parameter in $command.parameters.PSObject.Properties) {
            $null = $pipeline.AddParameter($parameter.Name, $parameter.Value)
        }
    }
    $errors = try {
        $null = $pipeline.Invoke()
        $pipeline.Streams.Error.FullyQualifiedErrorId
    } catch {
        $_.Exception.InnerException.ErrorRecord.FullyQualifiedErrorId
    }
    , @($errors | Where-Object { $_ })
}
ConvertTo-Json -Compress -Depth 3 @($answers)
