"""Metrics and access logs: route templates, statuses and times, and nothing about anybody."""

import logging
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import told
from services.intake import Taken
from services.watching import Counts

UNKNOWN = "unknown"
NOT_KNOWN = float("nan")  # while the database is down
EVENTS = "/v1/events"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # labels are not a stranger's to make
log = logging.getLogger(__name__)


class Meters:
    """This process's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "tropa_requests_total", "HTTP requests", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "tropa_request_seconds", "Seconds to answer", ["method", "route"], registry=self.registry
        )
        events = Counter("tropa_events_total", "Events taken in", ["result"], registry=self.registry)
        self._accepted, self._duplicate, self._rejected = map(events.labels, ("accepted", "duplicate", "rejected"))
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._backlog = Gauge("tropa_dispatch_backlog", "Rows that Temporal is to be told", registry=self.registry)
        self._pending = Gauge("tropa_projection_backlog", "Events not applied yet", registry=self.registry)
        self._pending_age = Gauge(
            "tropa_projection_oldest_seconds", "Since the oldest of them was stored", registry=self.registry
        )
        self._unknown_age = Gauge(
            "tropa_unknown_oldest_seconds", "Since the oldest outcome of 7 days was lost", registry=self.registry
        )
        self._orphans = Gauge("tropa_orphan_reports", "Reports on no send of ours", registry=self.registry)
        self._sends = Gauge("tropa_sends", "Sends in the ledger", ["state"], registry=self.registry)
        self._open = Gauge("tropa_open_enrollments", "Open enrollments", ["journey"], registry=self.registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        key = (method, route, status)
        if key not in self._known:  # finding a metric by its labels takes longer than counting
            self._known[key] = self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)
        requests, spent = self._known[key]
        requests.inc()
        spent.observe(seconds)

    def took(self, taken: Taken, rejected: int) -> None:
        """Count a batch of events."""
        for meter, count in (
            (self._accepted, taken.accepted),
            (self._duplicate, taken.duplicates),
            (self._rejected, rejected),
        ):
            if count:
                meter.inc(count)

    def text(self, counts: Counts | None) -> bytes:
        """All metrics as Prometheus reads them; without counts when the database is down."""
        self._sends.clear()
        self._open.clear()
        self._backlog.set(counts.backlog if counts else NOT_KNOWN)
        self._pending.set(counts.waiting.events if counts else NOT_KNOWN)
        self._pending_age.set(counts.waiting.oldest_event if counts else NOT_KNOWN)
        self._unknown_age.set(counts.waiting.oldest_unknown if counts else NOT_KNOWN)
        self._orphans.set(counts.waiting.orphans if counts else NOT_KNOWN)
        for state, count in (counts.sends if counts else {}).items():
            self._sends.labels(state).set(count)
        for journey, count in (counts.open_enrollments if counts else {}).items():
            self._open.labels(journey).set(count)
        return generate_latest(self.registry)


class Measure:
    """Counts, times and logs each request, and answers for a handler that broke."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app, self._meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and look at the answer."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # never further: a server would log the message, which may quote a customer
            if status:
                log.error("answer broke off", exc_info=error)
            else:
                await told(error)(scope, receive, watched)
        finally:
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", UNKNOWN)
            method = scope["method"] if scope["method"] in METHODS else UNKNOWN
            self._meters.answered(method, route, status, seconds)
            # Thousands of events a second would drown the others, and are counted above.
            level = logging.DEBUG if route == EVENTS and status == 202 else logging.INFO
            if log.isEnabledFor(level):
                said = {"route": route, "method": method, "status": status, "ms": round(seconds * 1000, 1)}
                log.log(level, "answered", extra=said)
        return None
