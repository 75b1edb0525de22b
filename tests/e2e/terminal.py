# SPDX-License-Identifier: GPL-2.0-only
"""An interactive bash on a terminal of its own, for tests that type."""

import os
import pty
import select
import sys
import time

_pid, terminal = pty.fork()
if not _pid:
    os.execvp("bash", ["bash", "--norc", "-i"])


def expect(text, send):
    """Types, and reads on until the text was seen; at most a minute."""
    seen, end = "", time.time() + 60
    os.write(terminal, send.encode())
    while text not in seen:
        if time.time() > end:
            sys.exit(f"no {text!r} after {send!r}: {seen!r}")
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
