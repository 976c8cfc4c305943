"""Whether a call to us comes from Twilio: it signs the address that it called and every field that it sent."""

import functools
from typing import Any

SIGNATURE, SETTINGS = "X-Twilio-Signature", "X-Twilio-Webhooks-Signature-Settings"


class TwilioSignature:
    """Checks signatures on the configured public address: behind a proxy a request's own is another one."""

    def __init__(self, token: str, public_url: str) -> None:
        self._token, self._public_url = token, public_url.rstrip("/")

    def valid(self, path: str, query: str, form: Any, headers: Any) -> bool:
        """Whether Twilio sent this. `form` keeps repeated fields (getlist); `path` and `query` are as received."""
        from twilio.request_validator import get_signature_algorithm

        url = f"{self._public_url}{path}" + (f"?{query}" if query else "")
        algorithm = get_signature_algorithm(headers.get(SETTINGS))
        try:
            return bool(self._validator.validate(url, form, headers.get(SIGNATURE, ""), algorithm))
        except (TypeError, ValueError):  # a file among the fields, or an address that is none
            return False

    @functools.cached_property
    def _validator(self) -> Any:
        from twilio.request_validator import RequestValidator

        return RequestValidator(self._token)
