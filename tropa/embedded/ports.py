"""Finding a port on this machine that nobody uses."""

from __future__ import annotations

import socket

LOCAL = "127.0.0.1"


def free_port(preferred: int | None = None) -> int:
    """Return `preferred` if it is free on 127.0.0.1, else a free port that the system picks.

    A free port is a hope, not a reservation: between this answer and the server's own bind any other process
    may take it. Callers therefore treat "address already in use" as a reason to ask again, never as
    impossible. Raises OSError when the machine has no free port at all.
    """
    if preferred is not None and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` at this instant."""
    # Some systems let two sockets bind when one listens on all addresses, so ask both ways.
    if answers(port):
        return False
    with socket.socket() as probe:
        # Connections of a server that just ended linger; servers bind over them, and so does the probe.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCAL, port))
        except OSError:
            return False
    return True


def answers(port: int, patience: float = 0.5) -> bool:
    """Whether something accepts connections on 127.0.0.1:`port` within `patience` seconds."""
    try:
        with socket.create_connection((LOCAL, port), timeout=patience):
            return True
    except OSError:
        return False
