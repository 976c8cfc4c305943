"""Become another program that cannot outlive its parent: `python leash.py PARENT_PID PROGRAM ARGUMENT...`.

Run as a file by `processes.spawn`, between fork and the real program. Asking the kernel from a `preexec_fn`
would run Python in a forked copy of a threaded process, which may deadlock; a fresh interpreter cannot. The
wish survives `exec`, so nothing of this remains in the program that follows. On systems without such a wish
(anything but Linux) the program simply starts, and leftovers are found at the next start.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to PARENT_PID, then replace it by the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have died before the wish was made; then nobody would ever end us.
    if os.getppid() != parent:
        sys.exit(f"the process {parent} that wanted {program[0]} is gone")
    try:
        os.execvp(program[0], program)
    except OSError as refused:
        sys.exit(f"cannot start {program[0]}: {refused.strerror}")


if __name__ == "__main__":
    main()
