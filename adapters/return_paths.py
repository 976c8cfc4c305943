"""Return paths: an envelope sender of its own for each send, so that whatever comes back says what it is about.

Where the report quotes no return path, the Message-ID of the returned letter says it, too.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from uuid import UUID

_MAC = 10  # bytes: a local part has 64 characters at most (RFC 5321, 4.5.3.1.1), and this one takes 49
# Servers on the way wrap it (SRS, BATV) and change its case, so nothing is asked of what stands around it.
_TOKEN = re.compile(rb"bounce\+([a-z2-7]{42})@", re.IGNORECASE)


class ReturnPaths:
    """Makes and reads `bounce+TOKEN@bounce_domain` (VERP); the token is the signed send id.

    Signed with the newest secret, read with all. `sender` is the address in From, whose domain names our letters.
    """

    def __init__(self, secrets: Sequence[str], *, bounce_domain: str, sender: str) -> None:
        self._keys = [hashlib.sha256(b"return path" + secret.encode()).digest() for secret in secrets]
        self._domain, self._sender = bounce_domain, sender
        domain = re.escape(sender.rpartition("@")[2].encode())
        self._message_id = re.compile(
            rb"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@" + domain + b">", re.IGNORECASE
        )

    def of(self, send: UUID) -> str:
        """The envelope sender of a send; the same for all where no domain is set for them."""
        if not self._domain:
            return self._sender
        token = base64.b32encode(send.bytes + _mac(self._keys[0], send)).decode().rstrip("=").lower()
        return f"bounce+{token}@{self._domain}"

    def find(self, text: bytes) -> UUID | None:
        """The send that a report is about: of the first return path of ours in it, or else of the first Message-ID."""
        for match in _TOKEN.finditer(text):
            try:
                signed = base64.b32decode(match[1].upper() + b"=" * 6)
            except binascii.Error:
                continue
            send = UUID(bytes=signed[:16])
            if any(hmac.compare_digest(signed[16:], _mac(key, send)) for key in self._keys):
                return send
        quoted = self._message_id.search(text)
        return UUID(quoted[1].decode()) if quoted else None


def _mac(key: bytes, send: UUID) -> bytes:
    return hmac.digest(key, send.bytes, "sha256")[:_MAC]
