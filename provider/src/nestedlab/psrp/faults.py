"""Failures of the connection in the user's terms: what a socket, a certificate or a WSMan fault means, and a remedy."""

from __future__ import annotations

from nestedlab.connection import Connection
from nestedlab.errors import AccessError, ConfigurationError, NestedlabError, UnreachableError

# WSManFault codes of Windows, from error reports of users of pypsrp, pywinrm and vagrant.
_ACCESS_DENIED = 5
_NO_ENDPOINT = 2150858811
_QUOTAS = frozenset({2150859173, 2150859174, 2150859230})


def refused(code: object, connection: Connection) -> NestedlabError | None:
    """The error for a WSMan fault that a retry does not cure; None for any other fault."""
    if code == _ACCESS_DENIED:
        return AccessError(
            f"{connection.username or 'the current user'} may not use the endpoint {connection.configuration_name}: "
            "the user must be in Administrators or Remote Management Users, or be let in by the JEA configuration"
        )
    if code == _NO_ENDPOINT:
        return UnreachableError(
            f"the host has no PowerShell endpoint named {connection.configuration_name}: check "
            "nestedlab:configurationName against Get-PSSessionConfiguration on the host, or run Enable-PSRemoting there"
        )
    if code in _QUOTAS:
        return UnreachableError(
            "the host refused another WinRM shell: the account's quota is used up. Wait until other runs are done, "
            "or raise the quota there (Set-Item WSMan:\\localhost\\Shell\\MaxShellsPerUser 100; and if they are lower, "
            f"MaxShellsPerUser and MaxShells in WSMan:\\localhost\\Plugin\\{connection.configuration_name}\\Quotas, "
            "which count after Restart-Service WinRM)"
        )
    return None


def broken(cause: str, connection: Connection) -> UnreachableError:
    """The error for an endpoint that could not open a session, as one whose configuration cannot be loaded."""
    reason = cause.strip().rstrip(".")
    return UnreachableError(
        f"the host could not open a session on the endpoint {connection.configuration_name}: {reason}. "
        "Check the endpoint's configuration and the role files there: Test-PSSessionConfigurationFile, and "
        "Enter-PSSession with the same endpoint, report what is wrong"
    )


def not_installed(error: ImportError, connection: Connection) -> ConfigurationError:
    """The error for a way to log on whose library is not installed."""
    return ConfigurationError(
        f"nestedlab:auth {connection.auth} needs a library that is not installed ({error}): "
        f"run pip install 'nestedlab[{connection.auth}]', or choose another auth"
    )


def answered(status: int, connection: Connection) -> UnreachableError:
    """The error for an HTTP answer that is no WSMan message."""
    return UnreachableError(
        f"{connection.address} answered HTTP {status}, not WinRM: check the port and the path of nestedlab:address"
    )


def unreachable(error: Exception, connection: Connection) -> UnreachableError:
    """The error for a connection that could not be made."""
    from requests import exceptions  # noqa: PLC0415 - only a failed connection needs it

    service = f"{connection.host} port {connection.port}"
    if isinstance(error, exceptions.SSLError):
        return UnreachableError(_untrusted(str(error), connection))
    if isinstance(error, exceptions.ConnectTimeout | exceptions.ReadTimeout | TimeoutError):
        return UnreachableError(
            f"{service} did not answer within {connection.connect_timeout:g} seconds: check that the host is up and "
            "that its firewall lets WinRM in"
        )
    if "Name or service not known" in str(error) or "getaddrinfo" in str(error) or "NameResolution" in str(error):
        return UnreachableError(f"there is no host named {connection.host}: check nestedlab:address and the DNS")
    if "aborted" in str(error) or "reset" in str(error):
        other = "http://" if connection.tls else "https://"
        return UnreachableError(
            f"{service} broke the connection off: if WinRM listens there, it may need {other} in the address"
        )
    return UnreachableError(
        f"{service} refused the connection: check nestedlab:address, and on the host that WinRM listens there "
        "(winrm enumerate winrm/config/listener)"
    )


def _untrusted(message: str, connection: Connection) -> str:
    if "WRONG_VERSION_NUMBER" in message or "record layer failure" in message or "UNEXPECTED_EOF" in message:
        return (
            f"port {connection.port} of {connection.host} does not speak HTTPS: use port 5986, or an address like "
            f"http://{connection.host}:5985, where messages are encrypted without TLS"
        )
    is_for_another = "Hostname mismatch" in message or "doesn't match" in message
    cause = "is for another name" if is_for_another else "is not trusted"
    return (
        f"the certificate of {connection.host} {cause}: set nestedlab:caBundle to a PEM file with the certificate of "
        "the authority that signed it (or with the host's own, if it is self-signed), and use the name it is for"
    )
