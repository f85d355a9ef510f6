"""Owns the network namespaces of one test run, as a process of its own.

Promise: when whoever started it goes away, however it goes, whatever still runs in those namespaces is ended and
the namespaces are gone.

Run as a script with the `ip` program and the names' common beginning as arguments. It ends when its standard
input does.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

POLITE_SECONDS = 6.0
KILLED_SECONDS = 5.0


def names(ip: str, prefix: str) -> list[str]:
    """Return the namespaces whose names begin so."""
    listed = subprocess.run([ip, "netns", "list"], capture_output=True, text=True, check=False).stdout
    return [line.split()[0] for line in listed.splitlines() if line.startswith(prefix)]


def inhabitants(ip: str, prefix: str, spared: set[int]) -> set[int]:
    """Return the ids of the processes inside, without those that are spared."""
    found: set[int] = set()
    for name in names(ip, prefix):
        listed = subprocess.run([ip, "netns", "pids", name], capture_output=True, text=True, check=False).stdout
        found |= {int(one) for one in listed.split()}
    return found - spared


def clear(ip: str, prefix: str, spared: set[int]) -> None:
    """End what runs inside, politely first, and remove the namespaces."""
    for order, patience in ((signal.SIGTERM, POLITE_SECONDS), (signal.SIGKILL, KILLED_SECONDS)):
        for one in inhabitants(ip, prefix, spared):
            for sent in (order, signal.SIGCONT):
                with suppress(ProcessLookupError):
                    os.kill(one, sent)
        deadline = time.monotonic() + patience
        while inhabitants(ip, prefix, spared) and time.monotonic() < deadline:
            time.sleep(0.05)
    for name in names(ip, prefix):
        subprocess.run([ip, "netns", "del", name], check=False)


if __name__ == "__main__":
    # The end of standard input is the only order to stop: an interrupt goes to the whole terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asker = os.getppid()  # its own thread may look into a namespace at this moment; it is never a server of ours
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    clear(sys.argv[1], sys.argv[2], {os.getpid(), asker})
