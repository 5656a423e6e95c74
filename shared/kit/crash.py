"""Named places where a process may be killed, so that a test can kill it exactly there.

`CRASH_AT=relay.after_send` kills this process with SIGKILL at the first pass, `relay.after_send:3` at the third.
Without the variable a crash point is one comparison. tests/faults enumerates every point in the source.
"""

import os
import signal

_name, _, _count = os.environ.get("CRASH_AT", "").partition(":")
_left = int(_count or 1)


def crash_point(name: str) -> None:
    """Kill this process here if the environment says so."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
