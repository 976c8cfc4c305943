"""DKIM signatures, checked by another program that knows the standard, over a real mail server."""

import email
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pydantic import SecretStr

from adapters.channels.dkim import DkimSigner, key_in, record_of
from adapters.channels.email import EmailGateway
from adapters.channels.mime import build_email
from domain.deliveries import Letter
from domain.errors import InvalidInput, Misconfigured
from tests.support.factories import compiled, settings_for
from tests.support.mail_server import Mailbox, mail_server
from tropa.gateways import dkim_signer
from tropa.wiring import build


def pem_of(key: Any) -> bytes:
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SIGNERS = {
    "rsa": DkimSigner(domain="shop.example", selector="s1", pem=pem_of(RSA)),
    "ed25519": DkimSigner(domain="shop.example", selector="s2", pem=pem_of(ed25519.Ed25519PrivateKey.generate())),
}
SIGNED = b"from to subject date message-id mime-version content-type list-unsubscribe list-unsubscribe-post".split()
END = b"\r\n\r\n"


def a_letter(**changes: Any) -> Letter:  # any field of Letter
    fields: dict[str, Any] = {
        "send_id": UUID("0198a5c2-7b1e-7c3d-9a40-1f2e3d4c5b6a"),
        "to": "anna@example.com",
        "sender": "Магазин <hello@shop.example>",
        "subject": "С чего начать: " + "очень длинная тема " * 6,
        "html": "<p>Привет</p>\n\n",
        "text": "Привет.  \n.\n",
        "unsubscribe_url": "https://shop.example/u/" + "t" * 120,
        "list_id": "welcome-chain.shop.example",
        "journey": "welcome_chain",
        "message": "greeting",
    }
    return Letter(**(fields | changes))


def verified(message: bytes, signer: DkimSigner) -> bool:
    """What the oracle says, with the record that we would publish."""
    record = record_of(signer.public_key).encode()

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        assert name.rstrip(b".") == f"{signer.selector}._domainkey.{signer.domain}".encode()
        return record

    good: bool = dkim.verify(message, dnsfunc=look_up)
    return good


@pytest.fixture(params=["rsa", "ed25519"])
def signer(request: pytest.FixtureRequest) -> DkimSigner:
    return SIGNERS[request.param]


async def test_a_letter_that_went_over_the_wire_verifies(signer: DkimSigner) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as address:
        gateway = EmailGateway(f"smtp://{address}", "hello@shop.example", sign=signer.sign)
        async with gateway.connection() as connection:
            receipt = await connection.deliver(a_letter())
        await gateway.close()

    [envelope] = mailbox.letters
    assert receipt.outcome == "accepted" and isinstance(envelope.content, bytes)
    assert verified(envelope.content, signer)
    assert receipt.provider_id == email.message_from_bytes(envelope.content)["Message-ID"]


def test_everything_that_a_reader_acts_on_is_signed(signer: DkimSigner) -> None:
    signed = signer.sign(build_email(a_letter()).as_bytes())

    listed = re.sub(rb"\s", b"", email.message_from_bytes(signed)["DKIM-Signature"].encode())
    names = re.search(rb"h=([^;]+);", listed)
    assert names is not None
    assert set(SIGNED) <= set(names[1].split(b":"))
    assert max(len(line) for line in signed.partition(b"\r\nMessage-ID")[0].split(b"\r\n")) <= 78


@pytest.mark.parametrize(
    "tamper",
    [
        lambda m: m.replace(b"https://shop.example/u/", b"https://evil.example/u/"),
        lambda m: m.replace(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Click"),
        lambda m: m.replace(b"To: anna@", b"To: eve@"),
        lambda m: re.sub(rb"\r\nDate: [^\r]*", b"\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000", m),
        lambda m: m.replace(b"Message-ID: <0", b"Message-ID: <1"),
        lambda m: m.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain\r\n\r\n", 1),
        lambda m: b"From: Eve <eve@evil.example>\r\n" + m,
        lambda m: b"Subject: You have won\r\n" + m,
        lambda m: m + b"PS\r\n",
        lambda m: m.replace(b"0J", b"0K", 1),
    ],
    ids=["link", "one click", "to", "date", "id", "second type", "second from", "second subject", "more", "changed"],
)
def test_what_was_tampered_with_does_not_verify(signer: DkimSigner, tamper: Callable[[bytes], bytes]) -> None:
    signed = signer.sign(build_email(a_letter()).as_bytes())
    changed = tamper(signed)

    assert verified(signed, signer)
    assert changed != signed and not verified(changed, signer)


@pytest.mark.parametrize(
    "relay",
    [
        lambda m: m.replace(b"Auto-Submitted:", b"Received: by relay.example\r\nAuto-Submitted:"),
        lambda m: m.replace(b"To: anna", b"To:   anna").replace(b"MIME-Version: 1.0", b"MIME-Version:\r\n 1.0 ", 1),
        lambda m: m + b"\r\n\r\n",
        lambda m: m[: m.index(END)] + END + m[m.index(END) + 4 :].replace(b"\r\n", b" \t\r\n"),
    ],
    ids=["a trace", "other blanks", "empty lines", "blanks at the end"],
)
def test_what_relays_do_to_blanks_harms_nothing(signer: DkimSigner, relay: Callable[[bytes], bytes]) -> None:
    signed = signer.sign(build_email(a_letter()).as_bytes())
    changed = relay(signed)

    assert changed != signed and verified(changed, signer)


@pytest.mark.parametrize(
    "body", [b"", b"\r\n\r\n", b" \t\r\n", b"a", b"a \t b\t\r\n \r\n\r\n", b"a\nb\rc", b"\r\n" * 5000]
)
def test_any_body_verifies(signer: DkimSigner, body: bytes) -> None:
    signed = signer.sign(b"From: a@shop.example\r\nTo: b@x.example\r\nSubject:\r\n folded\r\n\t twice \r\n\r\n" + body)

    assert verified(signed, signer)


def test_a_letter_without_unsubscribe_and_a_letter_to_a_foreign_address_verify(signer: DkimSigner) -> None:
    for letter in (a_letter(unsubscribe_url=None, list_id=None), a_letter(to="анна@почта.example")):
        assert verified(signer.sign(build_email(letter).as_bytes()), signer)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pem": b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"}, "PEM"),
        ({"pem": b"c2VjcmV0"}, "PEM"),
        ({"pem": pem_of(ec.generate_private_key(ec.SECP256R1()))}, "RSA or an Ed25519"),
        ({"domain": "shop.example\r\nBcc: eve@evil.example"}, "host names"),
        ({"domain": "shop.example; d=evil.example"}, "host names"),
        ({"selector": ""}, "host names"),
        ({"selector": "a b"}, "host names"),
    ],
)
def test_what_cannot_sign_is_told_without_the_key(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as told:
        DkimSigner(**{"domain": "shop.example", "selector": "s1", "pem": pem_of(RSA)} | changes)

    assert "c2VjcmV0" not in str(told.value)


def test_a_record_gives_the_key_back(signer: DkimSigner) -> None:
    tags = dict(tag.strip().split("=", 1) for tag in record_of(signer.public_key).split(";"))

    assert key_in(tags) == signer.public_key


@pytest.mark.parametrize("tags", [{}, {"p": "!"}, {"p": "AAAA"}, {"p": "AAAA", "k": "ed25519"}, {"p": "AA", "k": "x"}])
def test_a_record_without_a_key_is_told(tags: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        key_in(tags)
    assert key_in({"p": ""}) is None


async def test_letters_are_signed_in_an_installation_that_has_a_key(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "dkim.pem"
    file.write_bytes(pem_of(RSA))
    mailbox = Mailbox()
    with mail_server(mailbox) as address:
        settings = settings_for(
            database_url, smtp_url=f"smtp://{address}", mail_from="Shop <hello@shop.example>",
            dkim_selector="s1", dkim_key_file=file,
        )  # fmt: skip
        house = await build(settings, library=compiled())
        [gateway] = [each for each in house.gateways.values() if isinstance(each, EmailGateway)]
        async with gateway.connection() as connection:
            await connection.deliver(a_letter())
        await house.close()

    [envelope] = mailbox.letters
    assert isinstance(envelope.content, bytes)
    assert verified(envelope.content, SIGNERS["rsa"])
    inline = settings.model_copy(update={"dkim_key_file": None, "dkim_key": SecretStr(pem_of(RSA).decode())})
    own = dkim_signer(inline)
    assert own is not None and own.public_key == RSA.public_key()
    on_one_line = SecretStr(pem_of(RSA).decode().replace("\n", "\\n"))
    assert dkim_signer(inline.model_copy(update={"dkim_key": on_one_line})) is not None
    with pytest.raises(Misconfigured, match="TROPA_DKIM_KEY_FILE cannot be read"):
        dkim_signer(settings.model_copy(update={"dkim_key_file": tmp_path / "nowhere"}))
