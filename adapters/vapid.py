"""The key pair that names us to push services: made once, its public half given to every browser.

`cryptography` is slow to import and seldom needed, so each function asks for it itself.
"""

import base64

from domain.errors import InvalidInput


def new_private_key() -> str:
    """A new private key: 32 bytes in base64url, as settings hold it."""
    from cryptography.hazmat.primitives.asymmetric import ec

    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _text(number.to_bytes(32, "big"))


def public_key(private_key: str) -> str:
    """The public half, as browsers take it: an uncompressed point in base64url. Raises ValueError for no key."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = _bytes(private_key)
    if len(raw) != 32:
        raise ValueError("no key of 32 bytes")
    key = ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    return _text(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def check_browser_keys(p256dh: str, auth: str) -> None:
    """Whether a browser's keys are keys. Raises InvalidInput."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(p256dh))
        good = len(_bytes(auth)) == 16
    except (ValueError, UnsupportedAlgorithm):
        good = False
    if not good:
        raise InvalidInput(["keys: p256dh and auth must be those that the browser gave"])


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
