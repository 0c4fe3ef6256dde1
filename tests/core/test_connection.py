"""The settings of the connection."""

from __future__ import annotations

import copy
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest
from requests import exceptions
from spnego.exceptions import BadMICError

from nestedlab.connection import SETTINGS, Connection, connection
from nestedlab.errors import ConfigurationError, Interrupted, UnreachableError
from nestedlab.psrp import faults, transport

PASSWORD = "correct horse battery staple"


def with_password(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: with_password(one) for name, one in value.items()}
    if isinstance(value, list):
        return [with_password(one) for one in value]
    return value.replace("PASSWORD", PASSWORD.replace(" ", "+")) if isinstance(value, str) else value


def connected(case: dict[str, Any]) -> Connection:
    settings = {f"nestedlab:{name}": one for name, one in with_password(case.get("settings", {})).items()}
    environment = with_password({f"{name}": one for name, one in case.get("environment", {}).items()})
    variables = {key.replace(PASSWORD, "PASSWORD"): one for key, one in environment.items()}
    return connection(settings, variables, case.get("host"))


@pytest.mark.cases("connection.yaml")
def test_settings_are_taken_or_refused(case: dict[str, Any]) -> None:
    if "connects" in case:
        to = connected(case)
        assert {name: getattr(to, name) for name in case["connects"]} == case["connects"]
        return
    with pytest.raises(ConfigurationError) as told:
        connected(case)
    assert [one for one in case["message"] if one not in str(told.value)] == [], str(told.value)


@pytest.mark.cases("connection.yaml")
def test_no_password_is_told(case: dict[str, Any]) -> None:
    try:
        to = connected(case)
    except ConfigurationError as error:
        said = ["".join(traceback.format_exception(error)), repr(error), str(error.args)]
    else:
        said = [str(to), repr(to), repr(to.password), to.model_dump_json(), repr(to.model_dump()), f"{to!s:>400}"]
    assert not any(PASSWORD.replace(" ", "+") in one for one in said)


def test_every_setting_can_come_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "some.pem"
    file.touch()
    values = {
        "address": "hv01",
        "auth": "certificate",
        "connect_timeout": "5",
        "shutdown_timeout": "6",
        "step_timeout": "7",
        "answer_limit_mib": "8",
        "adopt": "true",
    }
    values |= dict.fromkeys(("ca_bundle", "certificate", "certificate_key"), str(file))
    environment = {f"NESTEDLAB_{name.upper()}": values.get(name, name) for name in Connection.model_fields}
    to = connection({}, environment)
    assert {name for name in Connection.model_fields if name in to.model_fields_set} == set(Connection.model_fields)
    assert to.password is not None
    assert to.password.get_secret_value() == "password"


def test_the_settings_are_spelt_as_in_a_stack() -> None:
    assert {"nestedlab:address", "nestedlab:configurationName", "nestedlab:caBundle"} <= set(SETTINGS)


def test_equal_settings_are_one_connection() -> None:
    """Sessions are kept by connection: two resources of a program share them, whatever copies were made between."""
    to = connection({"nestedlab:address": "hv01", "nestedlab:password": PASSWORD}, {})
    again = connection({"nestedlab:address": "hv01", "nestedlab:password": PASSWORD}, {})
    other = connection({"nestedlab:address": "hv01", "nestedlab:password": "another"}, {})
    assert len({to, again, copy.deepcopy(to), pickle.loads(pickle.dumps(to))}) == 1  # noqa: S301 - our own bytes
    assert to != other


def test_each_host_has_settings_of_its_own() -> None:
    settings = {"nestedlab:address": "hv01", "nestedlab:password": PASSWORD}
    hosts = {"nestedlab:hosts": {"hv02": {"address": "hv02", "password": "another"}, "hv03": {"address": "hv03"}}}
    passwords = [connection({**settings, **hosts}, {}, on).password for on in (None, "hv02", "hv03")]
    assert [one and one.get_secret_value() for one in passwords] == [PASSWORD, "another", PASSWORD]


TO = Connection(address="hv01", username="LAB\\admin")


@pytest.mark.parametrize(
    ("code", "name", "fragment"),
    [
        (5, "AccessError", "LAB\\admin may not use the endpoint Microsoft.PowerShell"),
        (2150858811, "UnreachableError", "no PowerShell endpoint named Microsoft.PowerShell"),
        (2150859173, "UnreachableError", "MaxShellsPerUser"),
        (2150859174, "UnreachableError", "MaxShellsPerUser"),
        (2150859230, "UnreachableError", "MaxShellsPerUser"),
        ("w:QuotaLimit", "UnreachableError", "MaxShellsPerUser"),
        (2, "UnreachableError", "could not start the process of the endpoint Microsoft.PowerShell"),
        (2689860592, "UnreachableError", "could not start the process"),
    ],
)
def test_a_fault_that_waiting_does_not_cure_has_a_remedy(code: int, name: str, fragment: str) -> None:
    error = faults.refused(code, TO)
    assert type(error).__name__ == name
    assert fragment in str(error)


@pytest.mark.parametrize("endpoint", ["microsoft.powershell", "Lab.Admins"])
def test_a_quota_of_shells_may_be_the_endpoints_own(endpoint: str) -> None:
    error = faults.refused(2150859173, TO.model_copy(update={"configuration_name": endpoint}))
    assert r"WSMan:\localhost\Shell\MaxShellsPerUser" in str(error)
    assert rf"MaxShells in WSMan:\localhost\Plugin\{endpoint}\Quotas" in str(error)


@pytest.mark.parametrize("code", [None, 0, 995, "5", "w:InternalError"])
def test_any_other_fault_is_not_explained_away(code: object) -> None:
    assert faults.refused(code, TO) is None


@pytest.mark.parametrize(
    ("error", "fragment"),
    [
        (exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer"), "is not trusted"),
        (exceptions.SSLError("certificate verify failed: Hostname mismatch"), "is for another name"),
        (exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER]"), "does not speak HTTPS: use port 5986"),
        (exceptions.ConnectTimeout(), "hv01 port 5986 did not answer within 30 seconds"),
        (TimeoutError(), "did not answer within 30 seconds"),
        (exceptions.ConnectionError("Failed to resolve 'hv01' (NameResolutionError)"), "there is no host named hv01"),
        (OSError("[Errno -2] Name or service not known"), "there is no host named hv01"),
        (exceptions.ConnectionError("('Connection aborted.', ConnectionResetError(104))"), "closed the connection"),
        (exceptions.ConnectionError("[Errno 111] Connection refused"), "hv01 port 5986 refused the connection"),
    ],
)
def test_a_connection_that_cannot_be_made_is_told_with_a_remedy(error: Exception, fragment: str) -> None:
    told = faults.unreachable(error, TO)
    assert fragment in str(told)


@pytest.mark.parametrize(
    ("error", "kind", "fragment"),
    [
        (exceptions.ConnectionError("reset by peer"), Interrupted, "while trying to read it: hv01 port 5986 closed"),
        (exceptions.ConnectionError("Read timed out."), Interrupted, "accepts requests and does not answer them"),
        (KeyError("contexts"), Interrupted, "an answer that is not from WinRM (KeyError: 'contexts')"),
        (BadMICError(), Interrupted, "was changed on its way"),
        (transport.SealOutdatedError(), Interrupted, "does not recognise the logon"),
        (transport.TooLargeError(), UnreachableError, "16 MiB for a step"),
        (transport.NotWinRMError(503, "text/html"), UnreachableError, "answered HTTP 503, not WinRM"),
        (exceptions.SSLError("certificate has expired"), UnreachableError, "has expired: renew it on the host"),
    ],
)
def test_what_would_come_again_is_not_tried_again(error: Exception, kind: type[Exception], fragment: str) -> None:
    told = faults.lost(error, TO, "read it")
    assert type(told) is kind
    assert fragment in str(told)
    assert ("Run the command again" in str(told)) == (kind is Interrupted)


def test_an_answer_of_something_else_is_told_apart() -> None:
    assert "answered HTTP 404, not WinRM" in str(faults.answered(404, TO))


def test_a_library_that_is_missing_is_named_with_its_remedy() -> None:
    to = Connection(address="hv01", auth="kerberos")
    told = faults.not_installed(ImportError("No module named 'gssapi'"), to)
    assert "nestedlab:auth kerberos needs a library that is not installed (No module named 'gssapi')" in str(told)
    assert "pip install 'nestedlab[kerberos]'" in str(told)
