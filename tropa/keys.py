"""API keys from the command line, and the one that `tropa up` keeps for its owner."""

from pathlib import Path

from adapters.database.connection import Database
from services.keys import SCOPES, Keys


async def create(database_url: str, name: str, scopes: list[str]) -> str:
    """A new key in plain text, for this once. Raises InvalidInput for an unknown scope."""
    database = Database(database_url, pool_size=1)
    try:
        return await Keys(database).create(name, scopes)
    finally:
        await database.close()


async def revoke(database_url: str, key_id: str) -> None:
    """Revoke a key. Raises NotFound."""
    database = Database(database_url, pool_size=1)
    try:
        await Keys(database).revoke(key_id)
    finally:
        await database.close()


async def own(database_url: str, home: Path) -> str:
    """The owner's key with every scope, kept in `home/api-key` for the owner alone; made when it is missing."""
    file = home / "api-key"
    database = Database(database_url, pool_size=1)
    try:
        known = Keys(database)
        if file.exists() and await known.verify(key := file.read_text().strip()):
            return key
        key = await known.create("the owner of this machine", sorted(SCOPES))
    finally:
        await database.close()
    file.touch(0o600)
    file.write_text(key + "\n")
    return key
