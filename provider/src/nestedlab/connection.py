"""How to reach a parent host: the settings, checked, from a stack's configuration and the environment."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from nestedlab.errors import ConfigurationError
from nestedlab.limits import Source, ours, sourced

NAMESPACE = "nestedlab"

_AN_ADDRESS = (
    "must be a host name, host:port, or a URL such as https://hv01.example.org:5986, an IPv6 address in brackets"
)
_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+(%\w+)?")

_HTTPS_PORT = 5986
_HTTP_PORT = 5985


_File = Annotated[FilePath, ours("it is read when a session is opened", "a file that exists")]


class Connection(BaseModel):
    """Where a parent host is and how to log on to it.

    Each field is `nestedlab:<camelCase>` in the configuration; the environment's NESTEDLAB_<UPPER_CASE> fills what
    that leaves out.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, hide_input_in_errors=True, extra="ignore")

    address: str
    """The parent host: a name, name:port, or a URL such as https://hv01.example.org:5986/wsman. HTTPS on port 5986
    by default."""
    username: str | None = None
    r"""The user to log on as, such as `'LAB\trainer'` (in single quotes, which are right in bash and in PowerShell) or
    trainer@lab.example.org. Kerberos can do without."""
    password: SecretStr | None = None
    """The user's password. Set it with `--secret`. Kerberos can do without."""
    auth: Annotated[
        Literal["negotiate", "ntlm", "kerberos", "basic", "certificate", "credssp"],
        Source("Microsoft's page on authentication for remote connections; pypsrp has the same"),
    ] = "negotiate"
    """How to log on. `negotiate`: Kerberos if its library is installed and a domain answers, else NTLM. `ntlm`: NTLM
    alone, for local accounts too. `kerberos`: Kerberos alone, which proves who the host is; it needs
    `nestedlab[kerberos]`. `basic`: a local account, over HTTPS only. `certificate`: a client's certificate that the
    host maps to a local account, over HTTPS only. `credssp`: the password goes to the host, which can use it on other
    machines, as for images on a share; it needs `nestedlab[credssp]`. The last three are off in WinRM until they are
    allowed there."""
    configuration_name: str = "Microsoft.PowerShell"
    """The PowerShell endpoint (session configuration) on the host; a JEA endpoint's name goes here."""
    ca_bundle: _File | None = None
    """PEM file with the certificates that the host's certificate is to be trusted by. By default the system's."""
    certificate: _File | None = None
    """PEM file with the client's certificate, for auth certificate."""
    certificate_key: _File | None = None
    """PEM file with the key of the client's certificate, for auth certificate."""
    connect_timeout: Annotated[float, Field(gt=0, le=600), ours("a host that is there answers sooner")] = 30
    """Seconds to wait for a connection."""
    step_timeout: Annotated[float, Field(gt=0, le=86400), ours("no step takes longer than a day")] = 300
    """Seconds that the host may take for one step, such as to create a machine or to read it. Steps that take long by
    nature (a checkpoint that is taken, applied or removed; the removal of a machine) get four times as many."""
    answer_limit_mib: Annotated[int, Field(ge=1, le=1024), ours("an answer is held in memory")] = 16
    """The most that the host may answer to one step, in MiB. A machine takes about 0.03, and one step reads up to 32
    of them, or lists all of the host's."""
    shutdown_timeout: Annotated[float, Field(ge=0, le=3600), ours("an update waits for it")] = 300
    """Seconds that a guest gets to shut down before its machine is turned off. Windows gives applications with
    unsaved work five minutes."""
    adopt: bool = False
    """Whether a create takes over a machine or switch that has this resource's marker but another stack's identity.
    Set it for one `pulumi up` after a state was lost, or after the program was moved to another backend."""

    @field_validator("address")
    @classmethod
    @sourced(
        ours(
            "what a session can be opened to", "a name or an address, with a port or as a URL of HTTP or HTTPS; no user"
        )
    )
    def _is_an_address(cls, address: str) -> str:
        # No part of a refused address is shown: the text before an @ may be a password.
        if "@" in address:
            raise ValueError(f"{_AN_ADDRESS}, without a user or a password: these have settings of their own")
        if not _names_a_host(address):
            raise ValueError(_AN_ADDRESS)
        return address

    @model_validator(mode="after")
    @sourced(
        Source(
            "Microsoft's page on authentication for remote connections; our choice: none of them in the clear",
            "HTTPS for basic and certificate; both files for certificate",
        )
    )
    def _is_safe(self) -> Connection:
        if not self.tls and self.auth in ("basic", "certificate"):
            raise ValueError(
                f"auth {self.auth} over plain HTTP would send what it protects in the clear: use an https address, "
                "or auth negotiate, which encrypts the messages"
            )
        if self.auth == "certificate" and not (self.certificate and self.certificate_key):
            raise ValueError("auth certificate needs the settings certificate and certificateKey: set both")
        return self

    @model_validator(mode="after")
    @sourced(
        Source(
            "Microsoft's page on authentication for remote connections", "user and password for ntlm, basic, credssp"
        )
    )
    def _has_credentials(self) -> Connection:
        if self.auth in ("ntlm", "basic", "credssp") and not (self.username and self.password):
            raise ValueError(f"auth {self.auth} needs the settings username and password: set both")
        return self

    @property
    def tls(self) -> bool:
        """Whether messages go over HTTPS."""
        return _split(self.address).scheme == "https"

    @property
    def host(self) -> str:
        """The host's name or address."""
        return _split(self.address).hostname or ""

    @property
    def port(self) -> int:
        """The port: WinRM's own if the address names none."""
        return _split(self.address).port or (_HTTPS_PORT if self.tls else _HTTP_PORT)

    @property
    def path(self) -> str:
        """The URL's path, without the leading slash."""
        return _split(self.address).path.strip("/") or "wsman"


def _names_a_host(address: str) -> bool:
    try:
        parts = _split(address)
        port = parts.port
    except ValueError:
        return False
    is_url = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or "") is not None
    return is_url and port != 0 and not parts.query and not parts.fragment


def _split(address: str) -> SplitResult:
    return urlsplit(address if "://" in address else f"https://{address}")


_NEARLY = 0.92
"""How alike two names are that differ in one letter or two, the long common prefix included (difflib's ratio)."""

HOSTS = f"{NAMESPACE}:hosts"
"""The key of the map of further parent hosts: their settings by name."""

SETTINGS = (*(f"{NAMESPACE}:{to_camel(name)}" for name in Connection.model_fields), HOSTS)
"""The keys of the settings in a stack's configuration."""


def connection(configuration: Mapping[str, Any], environment: Mapping[str, str], on: str | None = None) -> Connection:
    """The connection that a stack's configuration ("nestedlab:address": ...) and the environment describe.

    `on` names a host of `nestedlab:hosts`, a map of settings by name; settings that it leaves out are those of the
    default host, except the address. Raises ConfigurationError with each missing or wrong setting, and the remedy.
    """
    _refuse_misspelt(environment)
    settings: dict[str, Any] = {}
    for name in Connection.model_fields:
        key = to_camel(name)
        value = configuration.get(f"{NAMESPACE}:{key}")
        if value in (None, ""):
            value = environment.get(f"{NAMESPACE.upper()}_{name.upper()}")
        if value not in (None, ""):
            settings[key] = value
    if on is not None:
        settings = {key: value for key, value in settings.items() if key != "address"} | _host(configuration, on)
    try:
        return Connection.model_validate(settings)
    except ValidationError as error:
        prefix = f"{HOSTS}.{on}." if on else f"{NAMESPACE}:"
        raise ConfigurationError(
            "; ".join(_explained(failure, prefix) for failure in error.errors(include_input=False))
        ) from None


def _refuse_misspelt(environment: Mapping[str, str]) -> None:
    """Raise ConfigurationError for a variable whose name is nearly that of a setting: there may be others for tools."""
    known = {f"{NAMESPACE.upper()}_{name.upper()}" for name in Connection.model_fields}
    for name in sorted(environment):
        if name.startswith(f"{NAMESPACE.upper()}_") and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=_NEARLY)
            if nearest:
                raise ConfigurationError(f"{name} in the environment is no setting; did you mean {nearest[0]}?")


def hosts(configuration: Mapping[str, Any], environment: Mapping[str, str]) -> list[str | None]:
    """The names of all hosts of a stack; None is the default one, which need not be set if there are others."""
    named: list[str | None] = [*sorted(_further_hosts(configuration, "hv02"))]
    has_default = configuration.get(f"{NAMESPACE}:address") or environment.get(f"{NAMESPACE.upper()}_ADDRESS")
    return [None, *named] if has_default or not named else named


def _further_hosts(configuration: Mapping[str, Any], on: str) -> dict[str, Any]:
    """The settings of the further hosts by name; `on` is the one that a message is about."""
    value = configuration.get(HOSTS) or {}
    try:
        further = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        further = None
    if not isinstance(further, dict):
        raise ConfigurationError(
            f"{HOSTS} must be a map of hosts: run `pulumi config set --path '{HOSTS}.{on}.address' hv02.example.org`"
        )
    return dict(further)


def _host(configuration: Mapping[str, Any], on: str) -> dict[str, Any]:
    """The settings of a further host."""
    further = _further_hosts(configuration, on)
    if not isinstance(further.get(on), dict):
        names = f"there are {', '.join(sorted(further))}" if further else "there are none"
        raise ConfigurationError(
            f"{HOSTS} has no host {on!r} ({names}): "
            f"run `pulumi config set --path '{HOSTS}.{on}.address' hv02.example.org`"
        )
    known = sorted(to_camel(name) for name in Connection.model_fields)
    unknown = next((key for key in further[on] if key not in known), None)
    if unknown is not None:
        nearest = difflib.get_close_matches(unknown, known, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(known)}"
        raise ConfigurationError(f"{HOSTS}.{on} has no setting {unknown!r}; {hint}")
    return dict(further[on])


def _explained(error: Any, prefix: str) -> str:
    key = to_camel(str(error["loc"][0])) if error["loc"] else ""
    if error["type"] == "missing" and prefix != f"{NAMESPACE}:":
        return f"{prefix}{key} is not set: run `pulumi config set --path '{prefix}{key}' hv02.example.org`"
    if error["type"] == "missing":
        return (
            f"nestedlab:{key} is not set: run `pulumi config set nestedlab:{key} hv01.example.org`, "
            f"or set NESTEDLAB_{key.upper()}"
        )
    if error["type"] == "path_not_file":
        return (
            f"{prefix}{key}: there is no such file. Set the path of a file that exists, seen from the project's folder"
        )
    reason = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    return f"{prefix}{key}: {reason}" if key else f"{NAMESPACE} configuration: {reason}"
