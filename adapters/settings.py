"""The environment, read once per process in `tropa` and handed down. Nothing else reads it."""

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from adapters.forms import form_names
from adapters.stage_sets import stage_sets
from adapters.sweep_settings import read_sweep_rules
from adapters.vapid import public_key
from domain.ads import ADS, problems_in_export_every
from domain.customers import EVERY_CHANNEL
from domain.errors import InvalidInput, Misconfigured
from domain.messages import Channel
from domain.quiet_hours import known_zone
from domain.sweep import SweepRules
from domain.tracking import TrackingMode
from domain.visits import VISITOR_DAYS, problems_in_names

DEVELOPMENT_SECRET = "development-secret-never-for-production"  # noqa: S105  refused in production


_HOST = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}")
_ADDRESS = re.compile(rf"[^\s<>()\[\]\\,;:\"@]+@{_HOST.pattern}")
_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_BOT_TOKEN, _BOT_NAME = re.compile(r"[0-9]+:[A-Za-z0-9_-]{20,}"), re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_WHATSAPP_SENDER = re.compile(r"\+[1-9][0-9]{1,14}|MG[0-9a-fA-F]{32}")


class Settings(BaseSettings):
    """Every setting, with the default that runs the product locally with no account anywhere."""

    model_config = SettingsConfigDict(env_prefix="TROPA_", frozen=True, extra="ignore", hide_input_in_errors=True)

    environment: Literal["development", "production"] = "development"
    home: Path = Field(default=Path(".tropa"), description="Where the embedded servers keep their data")

    database_url: str | None = Field(default=None, description="PostgreSQL; replaces the embedded one")
    temporal_address: str | None = Field(default=None, description="host:port; replaces the embedded one")
    temporal_namespace: str = "default"
    temporal_port: int = Field(default=7233, description="Of the embedded Temporal; another if taken, and said")
    temporal_ui_port: int = Field(default=8233, description="Of the embedded Web UI; another if taken, and said")

    release: str = Field(
        default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,99})?$", description="What this code is called in Temporal"
    )

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = Field(default="", description="Where customers reach this installation, for links")
    metrics_port: int | None = Field(default=None, description="Worker's Prometheus port")
    live_port: int | None = Field(default=None, description="Where the worker says whether it makes progress")

    secrets: list[SecretStr] = Field(
        default=[SecretStr(DEVELOPMENT_SECRET)],
        description='JSON list, newest first, e.g. ["new","old"]: signs links, keys surrogates (with the LAST one)',
    )
    reconcile_every: float = Field(default=60, gt=0, description="Real seconds between looks at Temporal")
    pace: float = Field(default=1.0, gt=0, description="Business seconds per real second; 1 in production")

    approve_above: int = Field(
        default=1000, ge=0, description="Customers whom one API key may let enter a journey at once; above, two must"
    )

    ads_consent: str = Field(default=ADS, description="Who said yes to this may be in an audience for ads elsewhere")
    audiences: list[str] = Field(default=[], description='Segments to write as such: JSON, ["sleeping"]')
    audiences_folder: Path | None = Field(default=None, description="Where to")
    audiences_every: str = Field(default="1 day", description='How often, such as "1 hour"')

    company: str = "Example Company"
    company_url: str = "https://example.com"
    company_address: str = "1 Example Street, Example City"
    locale: Literal["en", "ru"] = "en"
    timezone: str = Field(default="UTC", description="For customers whose zone is unknown")
    journeys: str = Field(default="", description="Those that events start here, with commas between; empty for all")
    stages: str = Field(default="seven", description="Which set of stages: a file in templates/stages/")
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$", description="What revenue is counted in, as ISO 4217")
    sweep: str = Field(
        default="", description='JSON: when silence says something, how RFM is read, e.g. {"gone_after": "365 days"}'
    )

    sites: list[str] = Field(default=[], description='Your own pages that may speak here: ["https://shop.example"]')
    site_events: list[str] = Field(default=[], description="What else visitors may tell there, beside what they view")
    visitor_days: int = Field(
        default=VISITOR_DAYS, ge=1, le=3650, description="So long is a visitor without a name remembered"
    )
    forms: list[str] = Field(default=[], description="Which of templates/forms/ are answered here")
    proxies: int = Field(default=0, ge=0, le=9, description="How many of your own stand before the API")

    staff_email: str = Field(default="", description="Who is told and gets the tasks where a customer has no owner")
    head_email: str = Field(default="", description="Who gets a task that nobody did in time")

    smtp_url: SecretStr | None = Field(
        default=None,
        description="smtp://user:password@host:587 or smtps://; without it mail goes to the sandbox outbox",
    )
    mail_from: str = Field(default="Example Company <hello@example.com>", description="From of every letter")

    bounce_domain: str = Field(default="", description="Returned mail goes to bounce+…@ there; without it to mail_from")

    dkim_selector: str = Field(
        default="", description="Name of the DKIM key in DNS; without it the relay signs, or nobody"
    )
    dkim_key_file: Path | None = Field(default=None, description="The private key, PEM; or")
    dkim_key: SecretStr = Field(default=SecretStr(""), description="the key itself")
    dkim_domain: str = Field(default="", description="Who signs; the domain of mail_from by default")
    tracking: TrackingMode = Field(default=TrackingMode.FULL, description="full: clicks and opens; clicks; or off")
    utm: bool = Field(default=True, description="Whether tracked links to the company's own site get UTM parameters")

    twilio_account_sid: str = Field(default="", description="AC…; without it texts go to the sandbox outbox")
    twilio_auth_token: SecretStr = Field(default=SecretStr(""), description="Signs Twilio's calls to us, too")
    twilio_from: str = Field(default="", description="The number that texts come from, +49…; or")
    twilio_messaging_service: str = Field(default="", description="the service that chooses it, MG…")
    twilio_whatsapp_from: str = Field(
        default="", description="WhatsApp's sender, +49…, or the service that chooses it, MG…; without it the sandbox"
    )
    twilio_per_second: float = Field(default=10, gt=0, description="Texts that each worker hands over in a second")
    twilio_base_url: str = Field(default="", description="In tests: where a simulator stands in for Twilio")

    telegram_token: SecretStr = Field(
        default=SecretStr(""), description="The bot's, 123456:ABC…; without it the sandbox"
    )
    telegram_bot: str = Field(default="", description="The bot's name without @, for start links")
    telegram_base_url: str = Field(default="", description="In tests: where a simulator stands in for Telegram")

    hubspot_token: SecretStr = Field(
        default=SecretStr(""), description="Of a private app in HubSpot; without it no CRM is told anything"
    )
    hubspot_base_url: str = Field(default="", description="In tests: where a simulator stands in for HubSpot")

    vapid_private_key: SecretStr = Field(
        default=SecretStr(""), description="From `tropa keys vapid`; names us to browsers' push services"
    )

    @classmethod
    def read(cls) -> "Settings":
        """The environment's settings. Raises Misconfigured naming each that cannot be read, never its value."""
        try:
            return cls()
        except (ValidationError, SettingsError) as error:
            wrong = error.errors(include_input=False) if isinstance(error, ValidationError) else []
            named = [f"TROPA_{str(each['loc'][0]).upper()}: {each['msg']}" for each in wrong] or [str(error)]
            raise Misconfigured("Refusing to start: " + "; ".join(named) + ".") from None

    @property
    def starting(self) -> tuple[str, ...]:
        """The journeys that events start here; empty for all."""
        return tuple(filter(None, (name.strip() for name in self.journeys.split(","))))

    @property
    def twilio(self) -> bool:
        """Whether something goes out by Twilio."""
        return bool(self.twilio_account_sid)

    @property
    def push_key(self) -> str:
        """The key that browsers subscribe with; empty without one. Raises ValueError for one that is none."""
        private = self.vapid_private_key.get_secret_value()
        return public_key(private) if private else ""

    @property
    def texts_by_twilio(self) -> bool:
        """Whether SMS do; an account may serve WhatsApp alone."""
        return self.twilio and bool(self.twilio_from or self.twilio_messaging_service)

    @property
    def sweep_rules(self) -> SweepRules:
        """What the daily sweep goes by. Raises InvalidInput."""
        return read_sweep_rules(self.sweep)

    def checked(self) -> "Settings":
        """These settings, if they fit together. Raises Misconfigured naming all that do not."""
        problems = []
        if self.stages not in stage_sets():
            problems.append(f"TROPA_STAGES is {self.stages!r}; there are: {', '.join(stage_sets())}")
        if not known_zone(self.timezone):
            problems.append(f"TROPA_TIMEZONE is {self.timezone!r}, which is no zone; write for example Europe/Berlin")
        if self.environment == "production":
            if any(s.get_secret_value() == DEVELOPMENT_SECRET for s in self.secrets):
                problems.append("TROPA_SECRETS is the development secret; set your own, at least 32 characters each")
            elif any(len(s.get_secret_value()) < 32 for s in self.secrets):
                problems.append("TROPA_SECRETS must be at least 32 characters each")
            if urlsplit(self.public_url).scheme != "https":
                problems.append("TROPA_PUBLIC_URL must be an https:// address that customers can reach")
            if self.pace != 1:
                problems.append("TROPA_PACE must be 1")
            if not self.database_url or not self.temporal_address:
                problems.append("TROPA_DATABASE_URL and TROPA_TEMPORAL_ADDRESS must name real servers")
        problems += (
            self._people_problems()
            + self._mail_problems()
            + self._twilio_problems()
            + self._telegram_problems()
            + self._push_problems()
            + self._sweep_problems()
            + self._audience_problems()
            + self._site_problems()
        )
        if problems:
            raise Misconfigured("Refusing to start: " + "; ".join(problems) + ".")
        return self

    def _audience_problems(self) -> list[str]:
        problems = [f"TROPA_AUDIENCES_EVERY {problem}" for problem in problems_in_export_every(self.audiences_every)]
        if self.audiences and not self.audiences_folder:
            problems.append("TROPA_AUDIENCES_FOLDER must say where TROPA_AUDIENCES are written")
        if self.ads_consent.partition("/")[0] not in {*Channel, EVERY_CHANNEL}:
            problems.append("TROPA_ADS_CONSENT is a channel or all, and may have a topic behind it, such as all/ads")
        return problems

    def _site_problems(self) -> list[str]:
        problems = [f"TROPA_SITE_EVENTS: {problem}" for problem in problems_in_names(self.site_events)]
        if unknown := sorted(set(self.forms) - set(form_names())):
            problems.append(f"TROPA_FORMS names {unknown[0]!r}; there are: {', '.join(form_names())}")
        if self.forms and self.starting and "DoubleOptIn" not in self.starting:
            problems.append("TROPA_JOURNEYS must name DoubleOptIn, too: without it no form can be confirmed")
        schemes = ("https",) if self.environment == "production" else ("https", "http")
        for site in self.sites:
            parts = urlsplit(site)
            if parts.scheme not in schemes or f"{parts.scheme}://{parts.netloc}" != site or not parts.hostname:
                problems.append(f"TROPA_SITES: {site!r} is no origin; write https://shop.example, without a path")
        return problems

    def _people_problems(self) -> list[str]:
        problems = []
        for name, address in (("TROPA_STAFF_EMAIL", self.staff_email), ("TROPA_HEAD_EMAIL", self.head_email)):
            if address and not _ADDRESS.fullmatch(address):
                problems.append(f"{name} must be one e-mail address, such as team@example.com")
        if self.hubspot_base_url and self.environment == "production":
            problems.append("TROPA_HUBSPOT_BASE_URL is for tests")
        return problems

    def _mail_problems(self) -> list[str]:
        problems = []
        for name, value in (("TROPA_BOUNCE_DOMAIN", self.bounce_domain), ("TROPA_DKIM_DOMAIN", self.dkim_domain)):
            if value and not _HOST.fullmatch(value):
                problems.append(f"{name} must be a domain in ASCII, such as bounces.example.com")
        keys = [bool(self.dkim_key_file), bool(self.dkim_key.get_secret_value())]
        if all(keys):
            problems.append("set one of TROPA_DKIM_KEY_FILE and TROPA_DKIM_KEY")
        if any(keys) and not self.dkim_selector:
            problems.append("TROPA_DKIM_SELECTOR must name the DKIM key: its record is at SELECTOR._domainkey.DOMAIN")
        return problems

    def _twilio_problems(self) -> list[str]:
        token = self.twilio_auth_token.get_secret_value()
        senders, whatsapp = [self.twilio_from, self.twilio_messaging_service], self.twilio_whatsapp_from
        if not any((self.twilio_account_sid, token, self.twilio_base_url, whatsapp, *senders)):
            return []
        problems = []
        if not _SID.fullmatch(self.twilio_account_sid) or not token:
            problems.append(
                "TROPA_TWILIO_ACCOUNT_SID (AC and 32 hexadecimal digits) and TROPA_TWILIO_AUTH_TOKEN belong together"
            )
        if all(senders) or not any((whatsapp, *senders)):
            problems.append("set one of TROPA_TWILIO_FROM and TROPA_TWILIO_MESSAGING_SERVICE")
        if whatsapp and not _WHATSAPP_SENDER.fullmatch(whatsapp):
            problems.append("TROPA_TWILIO_WHATSAPP_FROM is a number, +4930901820, or a service, MG and 32 digits")
        if not self.public_url:
            problems.append("TROPA_PUBLIC_URL must be set: Twilio reports there, and signs that address")
        if self.twilio_base_url and self.environment == "production":
            problems.append("TROPA_TWILIO_BASE_URL is for tests")
        return problems

    def _telegram_problems(self) -> list[str]:
        token, problems = self.telegram_token.get_secret_value(), []
        if not any((token, self.telegram_bot, self.telegram_base_url)):
            return []
        if not _BOT_TOKEN.fullmatch(token) or not _BOT_NAME.fullmatch(self.telegram_bot):
            problems.append(
                "TROPA_TELEGRAM_TOKEN (123456:ABC…) and TROPA_TELEGRAM_BOT (its name without @) belong together"
            )
        if not self.public_url:
            problems.append("TROPA_PUBLIC_URL must be set: Telegram tells us there what customers write")
        if self.telegram_base_url and self.environment == "production":
            problems.append("TROPA_TELEGRAM_BASE_URL is for tests")
        return problems

    def _push_problems(self) -> list[str]:
        try:
            key = self.push_key
        except ValueError:
            return ["TROPA_VAPID_PRIVATE_KEY is no key; make one with: tropa keys vapid"]
        if key and not self.public_url:
            return ["TROPA_PUBLIC_URL must be set: customers turn notifications on there"]
        return []

    def _sweep_problems(self) -> list[str]:
        try:
            read_sweep_rules(self.sweep)
        except InvalidInput as error:
            return [f"TROPA_SWEEP: {problem}" for problem in error.problems]
        return []
