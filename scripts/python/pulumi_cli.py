"""The Pulumi CLI of this checkout: found on PATH, else from Pulumi's own installer, else built from its Go modules.

`.venv/bin/pulumi` ends as a link to it, so that an activated environment has all it needs. The CLI looks for its
language hosts beside the file that the link points to. What is downloaded or built lies in the cache folder.
"""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import cache
import click

CHECKOUT = Path(__file__).parents[2]
LINK = CHECKOUT / ".venv/bin/pulumi"
RECIPES = CHECKOUT / "scripts/pulumi-cli"

VERSION = "3.259.0"
"""What is installed or built; the go.mod files name it too. Later versions of pkg/v3 cannot be had as Go modules."""

OLDEST = (3, 216)
"""The oldest version on PATH that is used: the first to keep the inputs that a dynamic provider's read answers."""

OLDEST_GO = (1, 25, 11)
"""As the CLI's own go.mod requires."""


class UnavailableError(Exception):
    """The CLI cannot be had in this way; the text says why."""


def environment(home: Path, backend: Path, passphrase: str) -> dict[str, str]:
    """Return this process's environment, changed so that `pulumi` runs on its own.

    State goes to the folder `backend`, plugins and logs to `home`, both made here, and nothing is looked up or
    fetched on the network. The running Python comes first on PATH: the language host takes the first python3 there.
    """
    home.mkdir(parents=True, exist_ok=True)
    backend.mkdir(parents=True, exist_ok=True)
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(LINK.parent), *os.get_exec_path()]),
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE": passphrase,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def on_path() -> Path:
    """Return the `pulumi` of PATH, if it is new enough and has its Python language host."""
    elsewhere = os.pathsep.join(folder for folder in os.get_exec_path() if Path(folder) != LINK.parent)
    path = shutil.which("pulumi", path=elsewhere)
    if not path:
        raise UnavailableError("no pulumi on PATH")
    pulumi = Path(path)
    if not OLDEST <= version(pulumi) < (4,):
        raise UnavailableError(f"{pulumi} is not of version {dotted(OLDEST)} or a later 3")
    if not shutil.which("pulumi-language-python", path=f"{pulumi.resolve().parent}{os.pathsep}{elsewhere}"):
        raise UnavailableError(f"{pulumi} has no pulumi-language-python beside it")
    return pulumi


def kept() -> Path:
    """Return the CLI that an earlier run, of this checkout or another, left in the cache."""
    for name in (installed_name(), built_name()):
        pulumi = cache.folder() / name / "bin/pulumi"
        if pulumi.exists():
            return pulumi
    raise UnavailableError(f"none yet in {cache.folder()}")


def installed() -> Path:
    """Return the CLI that Pulumi's own installer puts into the cache."""
    return cache.get(installed_name(), install) / "bin/pulumi"


def built() -> Path:
    """Return the CLI built from Go modules, in the cache."""
    return cache.get(built_name(), build) / "bin/pulumi"


def installed_name() -> str:
    """Return the name of the cache's folder for the CLI as Pulumi ships it."""
    return f"pulumi-{VERSION}"


def built_name() -> str:
    """Return the name of the cache's folder for the CLI that we build: another recipe is another folder."""
    recipe = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(RECIPES.rglob("go.*")))).hexdigest()
    return f"pulumi-{VERSION}-built-{recipe[:12]}"


def install(folder: Path) -> None:
    """Run Pulumi's installer into a folder; a host that does not answer within seconds is given up."""
    # Slow to import, and not needed if there is nothing to install.
    from pulumi.automation import PulumiCommand  # noqa: PLC0415
    from semver import VersionInfo  # noqa: PLC0415

    say(f"running Pulumi's installer for Pulumi {VERSION} (about 100 MB) ...")
    socket.setdefaulttimeout(5)
    try:
        PulumiCommand.install(root=str(folder), version=VersionInfo.parse(VERSION))
    except (OSError, subprocess.CalledProcessError) as failure:
        say(f"Pulumi's installer did not work: {failure}")
        raise UnavailableError(f"Pulumi's installer: {failure}") from None


def build(folder: Path) -> None:
    """Build the CLI and its Python language host from Go modules."""
    go = shutil.which("go")
    if not go:
        raise UnavailableError("no go on PATH")
    if numbers(output_of(go, "version", cwd=RECIPES)) < OLDEST_GO:
        raise UnavailableError(f"{go} is older than {dotted(OLDEST_GO)}")
    say(f"building Pulumi {VERSION} from its Go modules (once; 4 to 8 minutes on two cores, 2 GB of disk) ...")
    target = folder / "bin"
    target.mkdir()
    flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
    compile_into_target = (go, "build", "-trimpath", "-ldflags", flags, "-o", f"{target}/", "tool")
    output_of(*compile_into_target, cwd=RECIPES / "language-python")
    output_of(*compile_into_target, cwd=RECIPES / "pulumi")
    module = (go, "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3")
    sdk = Path(output_of(*module, cwd=RECIPES / "pulumi").strip())
    for script in ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"):
        copy = target / Path(script).name
        shutil.copyfile(sdk / script, copy)
        copy.chmod(0o755)
    version(target / "pulumi")


def output_of(*command: str, cwd: Path) -> str:
    """Return what a Go command prints; its complaints go to the terminal."""
    # Whatever the user has set for Go in general must not change what is built here; proxy and caches stay theirs.
    settings = {"GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    variables = {**os.environ, **settings}
    done = subprocess.run(command, cwd=cwd, env=variables, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"`{' '.join(command[:2])}` failed; its reason is above")
    return done.stdout


def version(pulumi: Path) -> tuple[int, ...]:
    """Return the version that a `pulumi` reports; raises UnavailableError if it does not run."""
    with tempfile.TemporaryDirectory() as home:
        variables = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": home}
        try:
            done = subprocess.run([pulumi, "version"], env=variables, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as failure:
            raise UnavailableError(f"{pulumi} does not run: {failure}") from None
    return numbers(done.stdout)


def numbers(text: str) -> tuple[int, ...]:
    """Return the first dotted version in a text: (3, 259, 0) of "v3.259.0-dev"."""
    first = re.search(r"\d+(\.\d+)+", text)
    return tuple(int(part) for part in first[0].split(".")) if first else ()


def dotted(numbers: tuple[int, ...]) -> str:
    """Return a version as people write it: "3.259.0" of (3, 259, 0)."""
    return ".".join(map(str, numbers))


def link(pulumi: Path) -> None:
    """Make `.venv/bin/pulumi` a link to a CLI, in one move."""
    if LINK.is_symlink() and LINK.readlink() == pulumi:
        return
    new = LINK.with_name("pulumi.new")
    new.unlink(missing_ok=True)
    new.symlink_to(pulumi)
    new.replace(LINK)
    say(f"using Pulumi {dotted(version(pulumi))}, {pulumi}")


def say(text: str) -> None:
    """Print a line of progress."""
    click.echo(f"set-up: {text}")


def main() -> None:
    """Get the CLI in the first way that works, or report why none does and what to do."""
    reasons = []
    for way in (on_path, kept, installed, built):
        try:
            link(way())
        except UnavailableError as reason:  # noqa: PERF203 - four rounds at most
            reasons.append(f"  {reason}")
        else:
            return
    remedy = (
        f"set-up: install Pulumi {VERSION} or a later 3 (https://www.pulumi.com/docs/install), or, to have it built, "
        f"Go {dotted(OLDEST_GO)} or later (https://go.dev/doc/install), and run this again"
    )
    sys.exit("\n".join(["set-up: the Pulumi CLI could not be had:", *reasons, remedy]))


if __name__ == "__main__":
    main()
