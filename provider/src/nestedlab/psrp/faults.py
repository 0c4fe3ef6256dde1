"""Failures of the connection in the user's terms: what a socket, a certificate or a WSMan fault means, and a remedy."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nestedlab.connection import Connection
from nestedlab.errors import AccessError, ConfigurationError, Interrupted, NestedlabError, UnreachableError

# WSManFault codes of Windows, from error reports of users of pypsrp, pywinrm and vagrant.
_ACCESS_DENIED = 5
_NO_ENDPOINT = 2150858811
_TIMED_OUT = 2150858793
_QUOTAS = frozenset({2150859173, 2150859174, 2150859230, "w:QuotaLimit"})
# An endpoint whose process cannot start: of Windows PowerShell, of PowerShell 7 (jborean93/pypsrp#36,
# PowerShell/PowerShell#14274).
_NO_PROCESS = frozenset({2, 2689860592})


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
    if code in _NO_PROCESS:
        return UnreachableError(
            f"the host could not start the process of the endpoint {connection.configuration_name}: look at "
            "Get-PSSessionConfiguration there, and register the endpoint again if its PowerShell was removed or updated"
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


def logon_refused(connection: Connection) -> AccessError:
    """The error for a user who is not let in."""
    return AccessError(
        f"the host refused the logon of {connection.username or 'the current user'} with {connection.auth}: check "
        "nestedlab:username and nestedlab:password; a local account of a domain member is written 'HOST\\user', "
        "and the user must be in Administrators or Remote Management Users"
    )


def not_opened(reason: str, code: object) -> UnreachableError:
    """The error for a fault that tells why there is no session, in the host's words."""
    if code == _TIMED_OUT:
        return UnreachableError(
            "the host started to open a session and did not finish in time: check its load, and run the command again"
        )
    return UnreachableError(
        f"the host refused a session: {reason.strip().rstrip('.')}. Look at its event log "
        f"Microsoft-Windows-WinRM/Operational for the cause. [WSManFault {code}]"
    )


def overdue(purpose: str, seconds: float) -> UnreachableError:
    """The error for a step that has taken longer than it may."""
    return UnreachableError(
        f"the host took longer than {seconds:g} seconds to {purpose}, and may still be working on it. Check the host, "
        "and run the command again; it continues from there. If the host needs longer, raise nestedlab:stepTimeout"
    )


def lost(error: Exception, connection: Connection, purpose: str) -> NestedlabError:
    """The error for a failure in the middle of a step: Interrupted, if the step is worth another try."""
    told = unreachable(error, connection, is_open=True)
    if _named(error, _RECURRING):
        return told
    return Interrupted(
        f"the connection was lost while trying to {purpose}: {told}. Run the command again; it continues from there."
    )


def answered(status: int, connection: Connection, content: str = "") -> UnreachableError:
    """The error for an HTTP answer that is no WSMan message."""
    if status == _UNAUTHORIZED:
        text = (
            f"{connection.address} does not accept nestedlab:auth {connection.auth} (it accepts: "
            f"{content[:60] or 'none'}): choose another auth, or enable this one on the host in "
            "WSMan:\\localhost\\Service\\Auth"
        )
    elif status == _OK and content.startswith("text/html"):
        text = (
            f"{connection.address} answered with a web page, not WinRM: check the port and the path of "
            "nestedlab:address, and whether a portal in between requires a logon first"
        )
    else:
        with_content = f" with {content[:60] or 'nothing'}" if status == _OK else ""
        text = (
            f"{connection.address} answered HTTP {status}{with_content}, not WinRM: check the port and the path of "
            "nestedlab:address"
        )
    return UnreachableError(text)


_OK, _UNAUTHORIZED = 200, 401


def unreachable(error: Exception, connection: Connection, *, is_open: bool = False) -> UnreachableError:
    """The error for a connection that could not be made, or one that `is_open` and has failed: what came of it."""
    name, text = _named(error, _BY_NAME), str(error)
    if name == "NotWinRMError":
        return answered(getattr(error, "status", 0), connection, getattr(error, "content", ""))
    told = _BY_NAME.get(name, _NOT_UNDERSTOOD)
    if name in _BY_WORDS:
        told = next((said for words, said in _BY_WORDS[name] if any(word in text for word in words)), told)
    if told is _BROKEN_OFF and not is_open:
        told = _BROKEN_OFF_AT_ONCE
    return UnreachableError(
        told.format(
            host=connection.host,
            port=connection.port,
            service=f"{connection.host} port {connection.port}",
            other="http://" if connection.tls else "https://",
            connect_timeout=f"{connection.connect_timeout:g}",
            step_timeout=f"{connection.step_timeout:g}",
            limit=connection.answer_limit_mib,
            auth=connection.auth,
            error=type(error).__name__,
            text=text[:120],
        )
    )


def _named(error: Exception, names: Collection[str]) -> str:
    """The first name of an error's class, or of a class above it, that is among the names; "" if there is none.

    By name, because most runs have no use for the libraries that these are of, and do not wait until they are loaded.
    """
    return next((kind.__name__ for kind in type(error).__mro__ if kind.__name__ in names), "")


_BETWEEN = "check the port of nestedlab:address, and what is between you and the host"
_BROKEN_OFF = "{service} closed the connection: check whether the host, or its WinRM service, was restarted"
_BROKEN_OFF_AT_ONCE = "{service} closed the connection: if WinRM listens there, the address may need {other}"
_NO_CONNECTION = (
    "{service} did not answer within {connect_timeout} seconds: check that the host is up and that its firewall lets "
    "WinRM in"
)
_SILENT = "{service} accepts requests and does not answer them: check the host's load and its WinRM service"
_NOT_UNDERSTOOD = "{service} sent an answer that is not from WinRM ({error}: {text}): " + _BETWEEN

_BY_NAME: Mapping[str, str] = {
    # transport
    "TooLateError": "{service} did not answer in time: check the host's load, or raise the timeouts "
    "(nestedlab:stepTimeout is {step_timeout} seconds, nestedlab:connectTimeout {connect_timeout})",
    "TooLargeError": "{service} sent a larger answer than is accepted ({limit} MiB for a step, which is "
    "nestedlab:answerLimitMib, or 1 MiB in one piece): check that it is your host, and raise the limit if it has that "
    "much to show",
    "CrowdedOutError": "a large answer from {service} waited too long for other large answers, which are "
    "read one at a time: check the load of your hosts, or raise nestedlab:stepTimeout, which is {step_timeout} seconds",
    "RedirectedError": "{service} redirects to {text}. Redirects are not followed: set nestedlab:address to the "
    "address at which WinRM itself listens",
    "NotSealedError": "{service} answered over plain HTTP with an unencrypted message, which anybody on the network "
    "could have written: check for a proxy in between, or use an https address",
    "SealOutdatedError": "{service} does not recognise the logon that a request was encrypted for (HTTP 400): check "
    "for a proxy in between that mixes connections, or use an https address",
    "NotWinRMError": "",
    # pyspnego
    "BadMICError": "a message from {service} was changed on its way, because its signature does not match: check for "
    "a proxy in between, or use an https address",
    "InvalidTokenError": "{service} answered the logon with an invalid token ({text}): " + _BETWEEN,
    # XML
    "ParseError": "{service} sent a message that is not valid XML ({text}): " + _BETWEEN,
    "UnicodeDecodeError": "{service} sent a message that is not valid text ({text}): " + _BETWEEN,
    # requests and sockets
    "SSLError": "TLS with {service} failed ({text}): check the port, and the listener on the host",
    "ConnectTimeout": _NO_CONNECTION,
    "TimeoutError": _NO_CONNECTION,
    "ReadTimeout": _SILENT,
    "ProxyError": "the proxy does not lead to {service}: check HTTPS_PROXY and NO_PROXY ({text})",
    "RequestException": _BROKEN_OFF,
    "OSError": _BROKEN_OFF,
}
"""What an error means, and what to do."""

_NETWORK = (
    (("Read timed out",), _SILENT),
    (
        ("Name or service not known", "getaddrinfo", "NameResolution"),
        "there is no host named {host}: check nestedlab:address and the DNS",
    ),
    (
        ("refused", "10061"),
        (
            "{service} refused the connection: check nestedlab:address, and on the host that WinRM listens there "
            "(winrm enumerate winrm/config/listener)"
        ),
    ),
    (
        ("LineTooLong", "BadStatusLine", "got more than", "InvalidChunkLength", "chunk size line"),
        (
            "{service} answers with something that is not HTTP: check the port, and whether nestedlab:address "
            "needs {other}"
        ),
    ),
    (("nreachable", "No route"), "{service} cannot be reached: check nestedlab:address, the routes and the VPN"),
)

_BY_WORDS: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "RequestException": _NETWORK,
    "OSError": _NETWORK,
    "ParseError": (
        (
            ("no element found: line 1, column 0",),
            "{service} answered with an empty message: check the port and the path of nestedlab:address",
        ),
    ),
    "SSLError": (
        (
            ("WRONG_VERSION_NUMBER", "record layer failure", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"),
            (
                "port {port} of {host} does not speak HTTPS: use port 5986, or an address such as http://{host}:5985 "
                "(WinRM then encrypts the messages itself)"
            ),
        ),
        (
            # What OpenSSL says if the other side has TLS 1.0 or 1.1 alone, or only ciphers and keys of their time.
            (
                *("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "WRONG_SSL_VERSION", "NO_PROTOCOLS_AVAILABLE"),
                *("HANDSHAKE_FAILURE", "KEY_TOO_SMALL", "MD_TOO_WEAK", "UNSAFE_LEGACY"),
            ),
            (
                "{host} supports only an old version of TLS, which is not safe: enable TLS 1.2 on the host, or use an "
                "address such as http://{host}:5985 (WinRM then encrypts the messages itself)"
            ),
        ),
        (
            ("certificate has expired",),
            "the certificate of {host} has expired: renew it on the host, and check the clock here",
        ),
        (("not yet valid",), "the certificate of {host} is not valid yet: check the clocks here and on the host"),
        (
            ("Hostname mismatch", "doesn't match", "IP address mismatch"),
            "the certificate of {host} is for another name: use the name it is for in nestedlab:address",
        ),
        (
            ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed"),
            (
                "the certificate of {host} is not trusted: set nestedlab:caBundle to a PEM file with the certificate "
                "of the authority that signed it (or with the host's own, if it is self-signed)"
            ),
        ),
        (
            ("alert certificate", "alert bad certificate", "CERTIFICATE_REQUIRED"),
            (
                "{host} refused the client's certificate: check nestedlab:certificate, and what it is mapped to on the "
                "host"
            ),
        ),
        (
            ("EOF", "reset", "aborted"),
            (
                "{service} closed the connection before TLS was set up: check on the host that it speaks HTTPS and has "
                "a certificate (winrm enumerate winrm/config/listener)"
            ),
        ),
    ),
}
"""What tells one error of a class from another: words of libraries, which are in English everywhere."""

_RECURRING = (
    "SSLError",
    "TooLateError",
    "TooLargeError",
    "CrowdedOutError",
    "RedirectedError",
    "NotSealedError",
    "NotWinRMError",
)
"""What a new session would meet again."""
