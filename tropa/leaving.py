"""Ending a process cleanly."""

import os
import sys


def leave(code: int) -> None:
    """Flush and end this process now: Temporal's SDK may crash an interpreter on its way out (sdk-python #300).

    Whatever must be closed is closed before this is called.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
