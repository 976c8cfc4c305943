"""Who calls: API keys with scopes, and the staff's way into the console."""

import hashlib
import hmac
import secrets as random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeTimedSerializer

from adapters.database import keys
from adapters.database.connection import Database
from domain.errors import InvalidInput, NotFound
from services import audit
from services.audit import COMMAND_LINE, Actor

SCOPES = frozenset(
    {
        "events:write",
        "bounces:write",
        "customers:read",
        "customers:write",
        "customers:erase",
        "customers:export",
        "customers:merge",
        "tasks:read",
        "tasks:write",
        "deals:read",
        "deals:write",
        "companies:read",
        "companies:write",
        "journeys:read",
        "journeys:write",
        "messages:read",
        "policy:read",
        "policy:write",
        "products:read",
        "products:write",
        "offers:read",
        "offers:write",
        "codes:read",
        "segments:read",
        "segments:write",
        "webhooks:read",
        "webhooks:write",
        "audit:read",
        "console",
    }
)
REMEMBERED = 4.0  # seconds: a revocation acts within five
LINK_LASTS = 3600
SESSION_LASTS = 12 * 3600
BY_LINK = "link"
_MOST_REMEMBERED = 1000


@dataclass(frozen=True, kw_only=True)
class Caller(Actor):
    """Who makes a request, and what they may do."""

    scopes: frozenset[str]


class Keys:
    """API keys: `tropa_<id>_<secret>`, shown once, kept as SHA-256 (it is random: no slow hash needed)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, Caller, bytes]] = {}

    async def create(self, name: str, scopes: Sequence[str], *, by: Actor = COMMAND_LINE) -> str:
        """A new key in plain text, for this once. Raises InvalidInput for an unknown scope."""
        if unknown := sorted(set(scopes) - SCOPES):
            raise InvalidInput(
                [f"scopes: there is no {u}; the scopes are {', '.join(sorted(SCOPES))}" for u in unknown]
            )
        key_id = random.token_hex(6)
        plain = f"tropa_{key_id}_{random.token_urlsafe(32)}"
        async with self._database.transaction() as connection:
            await keys.insert(connection, key_id, name, _digest(plain), sorted(set(scopes)))
            made = {"name": name, "scopes": sorted(set(scopes))}
            await audit.write(connection, by, "key.created", kind="key", subject=key_id, after=made)
        return plain

    async def verify(self, plain: str) -> Caller | None:
        """Whose key this is, or None."""
        prefix, _, rest = plain.partition("_")
        key_id, _, secret = rest.partition("_")
        if prefix != "tropa" or not secret or not (key_id.isascii() and key_id.isalnum()):
            return None
        caller, digest = await self._find(key_id)
        same = hmac.compare_digest(digest, _digest(plain))
        return caller if same else None

    async def caller(self, key_id: str) -> Caller | None:
        """Whose key has this id, as long as it is valid."""
        return (await self._find(key_id))[0]

    async def revoke(self, key_id: str, *, by: Actor = COMMAND_LINE) -> None:
        """End a key, within five seconds everywhere. Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await keys.revoke(connection, key_id):
                raise NotFound("API key", key_id)
            await audit.write(connection, by, "key.revoked", kind="key", subject=key_id)
        self._known.pop(key_id, None)

    async def _find(self, key_id: str) -> tuple[Caller | None, bytes]:
        since, caller, digest = self._known.get(key_id, (0.0, None, b""))
        if caller is not None and time.monotonic() - since < REMEMBERED:
            return caller, digest
        asked = time.monotonic()  # before the look: what is read may be this old already
        async with self._database.transaction() as connection:
            row = await keys.valid(connection, key_id)
        if row is None:
            self._known.pop(key_id, None)
            return None, b""
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        caller = Caller(id=row["id"], name=row["name"], scopes=frozenset(row["scopes"]))
        self._known[key_id] = (asked, caller, row["digest"])
        return caller, row["digest"]


class Sessions:
    """The console's signed tokens: a link that lets its reader in for an hour, and the cookie of a session."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = list(reversed(secrets))  # signed with the newest, read with all

    def link(self) -> str:
        """A token for `/console/enter`."""
        return self._signer("console-link").dumps(BY_LINK)

    def admits(self, token: str) -> bool:
        """Whether a link's token is ours and fresh."""
        return self._read("console-link", token, LINK_LASTS) == BY_LINK

    def open(self, holder: str) -> str:
        """A cookie for a key's id, or for `BY_LINK`."""
        return self._signer("console-session").dumps(holder)

    def holder(self, cookie: str) -> str | None:
        """Whose session a cookie is: a key's id, `BY_LINK`, or None."""
        return self._read("console-session", cookie, SESSION_LASTS)

    def _read(self, purpose: str, token: str, lasts: int) -> str | None:
        try:
            return str(self._signer(purpose).loads(token, max_age=lasts))
        except BadData:
            return None

    def _signer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secrets, salt=purpose)


def console_link(secrets: Sequence[str], base_url: str) -> str:
    """An address that opens the console without a key, for an hour."""
    return f"{base_url.rstrip('/')}/console/enter?token={Sessions(secrets).link()}"


def _digest(plain: str) -> bytes:
    return hashlib.sha256(plain.encode()).digest()
