"""Migrations: `check` proves that they build what the tables declare, up and down; `draft NAME` writes the next one."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from tropa.embedded.postgres import EmbeddedPostgres
from tropa.leaving import leave
from tropa.migrate import configuration


def main(arguments: list[str]) -> int:
    """Run on a throwaway server; answers the exit code."""
    with tempfile.TemporaryDirectory(prefix="tropa-") as folder:
        Path(folder).chmod(0o711)  # the server may run as another user
        server = EmbeddedPostgres(Path(folder), settings={"fsync": "off"})
        server.ensure()
        try:
            config = configuration(server.url())
            command.upgrade(config, "head")
            if arguments[:1] == ["draft"]:
                last = ScriptDirectory.from_config(config).get_current_head() or "0000"
                command.revision(config, arguments[1], autogenerate=True, rev_id=f"{int(last) + 1:04}")
                return 0
            command.check(config)
            command.downgrade(config, "base")
            command.upgrade(config, "head")
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
