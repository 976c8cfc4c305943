"""The whole of Tropa on one machine: PostgreSQL, Temporal, worker and API as parts of one supervisor."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.settings import Settings
from tropa.embedded.ports import free_port
from tropa.embedded.supervisor import Supervisor
from tropa.migrate import migrate


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the parts are. `temporal_ui` is None when Temporal is somebody else's."""

    database: str
    temporal: str
    temporal_ui: str | None
    api: str
    metrics: str


def start(
    supervisor: Supervisor,
    settings: Settings,
    *,
    say: Callable[[str], None],
    env: Mapping[str, str] | None = None,
    postgres: Mapping[str, str] | None = None,
) -> Addresses:
    """Start all parts, in order, and answer where they are.

    TROPA_DATABASE_URL and TROPA_TEMPORAL_ADDRESS replace the embedded servers. `env` is added to worker and API,
    `postgres` to the embedded server's settings. Raises EmbeddedError.
    """
    database = settings.database_url or supervisor.start_postgres(postgres).url()
    ui = None
    if settings.temporal_address:
        temporal = settings.temporal_address
    else:
        server = supervisor.start_temporal(settings.temporal_port, settings.temporal_ui_port)
        temporal, ui = server.address, server.ui_url
    migrate(database)

    port = free_port(settings.port)
    if port != settings.port:
        say(f"API: port {settings.port} is taken, using {port}")
    base = f"http://{settings.host}:{port}"
    metrics = settings.metrics_port or free_port(9464)
    shared = {
        **(env or {}),
        "TROPA_DATABASE_URL": database,
        "TROPA_TEMPORAL_ADDRESS": temporal,
        "TROPA_PORT": str(port),
        "TROPA_METRICS_PORT": str(metrics),
        "TROPA_PUBLIC_URL": settings.public_url or base,
        "TROPA_PACE": str(settings.pace),
        "TROPA_RECONCILE_EVERY": str(settings.reconcile_every),
    }
    program = [sys.executable, "-m", "tropa"]
    supervisor.start("worker", [*program, "worker"], shared, ready=f"http://{settings.host}:{metrics}/metrics")
    supervisor.start("api", [*program, "api"], shared, ready=f"{base}/health/ready")
    return Addresses(
        database=database,
        temporal=temporal,
        temporal_ui=ui,
        api=base,
        metrics=f"http://{settings.host}:{metrics}/metrics",
    )
