"""Returned mail: the forms in `tests/bounces`, filled in for one send."""

import base64
from pathlib import Path

FORMS = Path(__file__).parent.parent / "bounces"
HEADERS = """Return-Path: <0102018e00000000-00000000-2222-4000-8000-000000000000-000000@eu-west-1.ses.example>
Message-ID: %MESSAGE_ID%
From: Shop <hello@shop.example>
To: %RECIPIENT%
Subject: Your first steps
"""


def returned(form: str, *, return_path: str = "", message_id: str = "", recipient: str = "anna@example.com") -> bytes:
    """A returned mail, its lines ended as on the wire. Without return path or message id it quotes somebody else's."""
    known = {
        "%RETURN_PATH%": return_path or "hello@shop.example",
        "%MESSAGE_ID%": message_id or "<1@elsewhere.example>",
        "%RECIPIENT%": recipient,
    }
    text = (FORMS / f"{form}.eml").read_bytes()
    headers = HEADERS
    for name, value in known.items():
        text, headers = text.replace(name.encode(), value.encode()), headers.replace(name, value)
    text = text.replace(b"%BASE64_HEADERS%", base64.encodebytes(headers.encode()).strip())
    return text.replace(b"\n", b"\r\n")
