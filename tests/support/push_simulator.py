"""A push service with browsers behind it: checks the signature, and decrypts as only the browser could."""

import asyncio
import base64
import contextlib
import ipaddress
import json
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import http_ece
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.outward import Outward
from tests.support.serving import Cut, serving

HOST = "push.test"
HERE = [ipaddress.IPv4Network("127.0.0.0/8")]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one request; `takes` says whether the message is taken all the same."""

    kind: Literal["answer", "silent", "cut"] = "answer"
    takes: bool = False
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    lasting: float = 30.0


@dataclass(kw_only=True)
class Browser:
    """One subscription: its own keys, and what it was shown, newest last, a topic in the place of its like."""

    endpoint: str
    public_key: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: uuid4().bytes)
    pushed: list[dict[str, Any]] = field(default_factory=list)
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: bool = False

    @property
    def subscription(self) -> dict[str, Any]:
        """As `PushSubscription.toJSON()` gives it."""
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "keys": {"p256dh": _text(point), "auth": _text(self.secret)}}


@dataclass
class PushService:
    """The simulator's memory."""

    port: int = 0
    authority: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: int = 0

    def forget(self) -> None:
        """Begin anew."""
        self.browsers, self.faults, self.requests = {}, [], 0

    def browser(self, public_key: str) -> Browser:
        """Somebody's browser subscribes for a sender's key."""
        name = uuid4().hex
        self.browsers[name] = Browser(endpoint=f"https://{HOST}:{self.port}/send/{name}", public_key=public_key)
        return self.browsers[name]

    def outward(self, *, resolve: Any = None) -> Outward:
        """Our own caller, which may call this service and trusts its certificate."""

        async def here(host: str, port: int) -> Sequence[str]:
            if host != HOST:
                raise OSError(host)
            return ["127.0.0.1"]

        tls = ssl.create_default_context(cafile=self.authority)
        return Outward(inside=HERE, ports=(443, self.port), resolve=resolve or here, tls=tls)

    async def take(self, request: Request) -> Response:
        """POST of RFC 8030."""
        self.requests += 1
        browser = self.browsers.get(request.path_params["name"])
        if browser is None or browser.gone:
            return Response("gone", 410)
        body = await request.body()
        fault = self.faults.pop(0) if self.faults else None
        if refused := self._stranger(request, browser):
            return refused
        if len(body) > 4096:
            return Response("too large", 413)
        if fault is None or fault.takes:
            self._show(browser, request, body)
        if fault is None:
            return Response(status_code=201, headers={"Location": f"https://{HOST}/message/{uuid4().hex}"})
        match fault.kind:
            case "answer":
                return Response("", fault.status, fault.headers)
            case "silent":
                await asyncio.sleep(fault.lasting)
        return Cut()

    @staticmethod
    def _stranger(request: Request, browser: Browser) -> Response | None:
        """RFC 8292: signed by the very key that the browser subscribed for, for this service, not for too long."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme != "vapid" or parts.get("k") != browser.public_key:
            return Response("who are you?", 403)
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(parts["k"]))
        audience = f"https://{request.headers['host']}"
        try:
            claims = jwt.decode(parts["t"], key, algorithms=["ES256"], audience=audience)
        except jwt.InvalidTokenError:
            return Response("a wrong token", 401)
        good = claims["exp"] <= time.time() + 24 * 3600 and claims["sub"].startswith("mailto:")
        return None if good else Response("a wrong claim", 403)

    @staticmethod
    def _show(browser: Browser, request: Request, body: bytes) -> None:
        assert request.headers["content-encoding"] == "aes128gcm"
        plain = http_ece.decrypt(body, private_key=browser.private, auth_secret=browser.secret, version="aes128gcm")
        said = json.loads(plain)
        topic = request.headers["topic"]
        assert len(topic) <= 32
        browser.pushed.append({**said, "ttl": int(request.headers["ttl"]), "topic": topic})
        browser.shown[said["tag"]] = said


@contextlib.asynccontextmanager
async def simulating(folder: Path) -> AsyncIterator[PushService]:
    """A service on a free port of this machine, with a certificate of its own in a folder."""
    certificate, key = a_certificate(folder)
    service = PushService(authority=str(certificate))
    routes = [Route("/send/{name}", service.take, methods=["POST"])]
    async with serving(routes, ssl_certfile=str(certificate), ssl_keyfile=str(key)) as port:
        service.port = port
        yield service


def a_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key, as files."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
