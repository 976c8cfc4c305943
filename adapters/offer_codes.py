"""Codes that nobody can guess: made from the send that gives them, keyed with the installation's secret."""

import hashlib
import hmac
from uuid import UUID

from domain.offers import written


class CodeMaker:
    """Makes the same code for the same send. Keyed with the OLDEST secret, as surrogates are."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"offer codes" + secret.encode()).digest()

    def make(self, offer: str, prefix: str, send: UUID, attempt: int = 0) -> str:
        """A code of an offer for a send. `attempt` makes another one, where the first is somebody else's."""
        said = f"{offer}/{send}/{attempt}".encode()
        return written(prefix, int.from_bytes(hmac.new(self._key, said, hashlib.sha256).digest()))
