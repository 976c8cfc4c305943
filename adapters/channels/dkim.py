"""DKIM: signing letters (RFC 6376, RFC 8463 for Ed25519), and reading the record that lets others check them.

Relaxed canonicalization of headers and body: it survives what relays do to blanks. RFC 8058 wants both unsubscribe
headers signed. A header that may stand only once is listed once more than it is there, so that nobody can add another.
"""

import base64
import binascii
import hashlib
import re
import time
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from domain.errors import InvalidInput, Misconfigured

_SINGLE = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type")
_SIGNED = (*_SINGLE, "list-unsubscribe", "list-unsubscribe-post", "list-id", "feedback-id")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)*")
_SMALLEST = 1024  # bits; receivers must take no smaller RSA key (RFC 8301)
_LINE = 72

PublicKey = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class DkimSigner:
    """Signs letters for a domain. `pem` is an RSA or Ed25519 private key. Raises Misconfigured, never with the key."""

    def __init__(self, *, domain: str, selector: str, pem: bytes) -> None:
        if not _NAME.fullmatch(domain) or not _NAME.fullmatch(selector):
            raise Misconfigured("TROPA_DKIM_DOMAIN and TROPA_DKIM_SELECTOR must be written like host names.")
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Misconfigured("The DKIM key must be a private key in PEM, without a password.") from None
        if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
            raise Misconfigured("The DKIM key must be an RSA or an Ed25519 key.")
        if isinstance(key, rsa.RSAPrivateKey) and key.key_size < _SMALLEST:
            raise Misconfigured(f"The DKIM key must have at least {_SMALLEST} bits; make one of 2048.")
        self._key, self.domain, self.selector = key, domain, selector

    @property
    def public_key(self) -> PublicKey:
        """What the record must hold."""
        return self._key.public_key()

    def sign(self, message: bytes) -> bytes:
        """The message with a signature before it, its lines ended in CRLF."""
        message = re.sub(rb"\r?\n|\r", b"\r\n", message)
        head, _, body = message.partition(b"\r\n\r\n")
        headers = re.findall(rb"([^:\r\n]+):((?:[^\r\n]|\r\n[ \t])*)", head)
        there = {name.strip().lower().decode(): (name, value) for name, value in headers}
        listed = [name for name in _SIGNED if name in there]
        names = listed + [name for name in _SINGLE if name in there]
        tags = {
            "v": "1",
            "a": "rsa-sha256" if isinstance(self._key, rsa.RSAPrivateKey) else "ed25519-sha256",
            "c": "relaxed/relaxed",
            "d": self.domain,
            "s": self.selector,
            "t": str(int(time.time())),
            "h": ":\r\n\t".join(names),
            "bh": base64.b64encode(hashlib.sha256(_body(body)).digest()).decode(),
            "b": "",
        }
        signature = " " + ";\r\n\t".join(f"{name}={value}" for name, value in tags.items())
        signed = b"".join(_header(*there[name]) + b"\r\n" for name in listed)
        signed += _header(b"DKIM-Signature", signature.encode())
        made = base64.b64encode(self._signature(signed)).decode()
        folded = "\r\n\t".join(made[at : at + _LINE] for at in range(0, len(made), _LINE))
        return f"DKIM-Signature:{signature}{folded}\r\n".encode() + message

    def _signature(self, signed: bytes) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(hashlib.sha256(signed).digest())


def record_of(key: PublicKey) -> str:
    """The TXT record that publishes a key."""
    if isinstance(key, rsa.RSAPublicKey):
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"


def key_in(tags: Mapping[str, str]) -> PublicKey | None:
    """The key of a record that was taken apart; None for one that was revoked. Raises InvalidInput."""
    try:
        packed = base64.b64decode("".join(tags["p"].split()), validate=True)
        if not packed:
            return None
        if tags.get("k", "rsa") == "ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(packed)
        key = serialization.load_der_public_key(packed)
    except (KeyError, ValueError, binascii.Error, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey) or tags.get("k", "rsa") != "rsa":
        raise InvalidInput(["p: it is no key that can be read"])
    return key


def _header(name: bytes, value: bytes) -> bytes:
    unfolded = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b""))
    return name.strip().lower() + b":" + unfolded.strip(b" \t")


def _body(body: bytes) -> bytes:
    lines = re.sub(rb"[ \t]+", b" ", body).replace(b" \r\n", b"\r\n").rstrip(b" ")
    stripped = lines.rstrip(b"\r\n")
    return stripped + b"\r\n" if stripped else b""
