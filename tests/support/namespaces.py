"""Hosts for the tests: network namespaces on two networks of their own, with links that can be cut and mended.

Promise: the machine's own network is never touched, and nothing is left afterwards, even when pytest is killed
(a guardian process removes it all, see `namespaces_guardian.py`).

```
clients ──┬── front, 10.77.1.0/24          back, 10.77.2.0/24 ──┬── database
          └──────────────── each node stands on both ───────────┘
```

The two bridges stand in a namespace of their own. A link is cut at the bridge's end: the host notices nothing but
silence, as with a pulled cable behind its switch.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

GUARDIAN = Path(__file__).with_name("namespaces_guardian.py")
MOUNTED = Path("/run/netns")
WHERE = "/usr/sbin:/sbin:/usr/bin:/bin"
PREFIX = "lumio-test-"
NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of sched.h: which kind of namespace `setns` shall enter."""
STOP_SECONDS = 30

Net = Literal["front", "back"]
NETS: dict[Net, str] = {"front": "10.77.1", "back": "10.77.2"}
_numbers = count()
_libc = ctypes.CDLL(None, use_errno=True)


def ip_path() -> str | None:
    """Give the path of iproute2's program, or None."""
    return shutil.which("ip") or shutil.which("ip", path=WHERE)


def why_not() -> str | None:
    """Say why there can be no namespaces here, or None where they can be made."""
    ip = ip_path()
    if os.name != "posix" or sys.platform != "linux":
        return "network namespaces are a thing of Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [name for name in ("nsenter", "unshare") if shutil.which(name) is None]
    if ip is None or missing:
        return f"there is no {'ip: install iproute2' if ip is None else missing[0] + ': install util-linux'}"
    probe = f"{PREFIX}{os.getpid()}-probe"
    made = subprocess.run([ip, "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode == 0:
        made = subprocess.run(
            [ip, "-n", probe, "link", "set", "lo", "up"], capture_output=True, text=True, check=False
        )
        subprocess.run([ip, "netns", "del", probe], check=False)
    return None if made.returncode == 0 else f"this machine allows no network namespaces: {made.stderr.strip()}"


class Network:
    """Hosts and their links; also a context manager."""

    def __init__(self, hosts: Sequence[tuple[str, Sequence[Net]]]) -> None:
        """Draw hosts with the networks that each stands on; nothing is made yet."""
        self._hosts = {name: tuple(nets) for name, nets in hosts}
        self.prefix = f"{PREFIX}{os.getpid()}-{next(_numbers)}-"
        self._guardian: subprocess.Popen[str] | None = None
        self._cut: set[tuple[str, Net]] = set()

    def __enter__(self) -> Self:
        self._ip = ip_path() or "ip"
        self._guardian = subprocess.Popen(
            [sys.executable, str(GUARDIAN), self._ip, self.prefix],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._guardian.stdout is not None
        self._guardian.stdout.readline()
        try:
            self._make()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        guardian, self._guardian = self._guardian, None
        if guardian is not None:
            guardian.communicate(timeout=STOP_SECONDS)

    def address(self, host: str, net: Net) -> str:
        """Give the address of a host on one of its networks."""
        return f"{NETS[net]}.{1 + list(self._hosts).index(host)}"

    def command(self, host: str, *words: str) -> list[str]:
        """Give the command that runs `words` on a host."""
        return ["nsenter", f"--net={self._mounted(host)}", "--", *words]

    def cut(self, host: str, net: Net) -> None:
        """Cut the link of a host: what is sent from now on, either way, is lost without a word."""
        self._tell("hub", f"link set {host}-{net} down")
        self._cut.add((host, net))

    def mend(self, host: str, net: Net) -> None:
        """Mend it."""
        self._tell("hub", f"link set {host}-{net} up")
        self._cut.discard((host, net))

    def mend_all(self) -> None:
        """Mend whatever is cut."""
        for host, net in sorted(self._cut):
            self.mend(host, net)

    @contextmanager
    def inside(self, host: str) -> Iterator[None]:
        """Let this thread, and no other, stand on a host: a socket that it makes stays there for life."""
        own = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            other = os.open(self._mounted(host), os.O_RDONLY | os.O_CLOEXEC)
            try:
                _enter(other)
            finally:
                os.close(other)
            try:
                yield
            finally:
                _enter(own)
        finally:
            os.close(own)

    def socket(self, host: str) -> socket.socket:
        """Make a TCP socket on a host, for an event loop."""
        with self.inside(host):
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _mounted(self, host: str) -> Path:
        return MOUNTED / f"{self.prefix}{host}"

    def _make(self) -> None:
        self._tell(None, *(f"netns add {self.prefix}{name}" for name in ("hub", *self._hosts)))
        links = [(host, net) for host, nets in self._hosts.items() for net in nets]
        self._tell(
            "hub",
            *(f"link add {net} type bridge" for net in NETS),
            *(f"link set {net} up" for net in NETS),
            *(f"link add {h}-{n} type veth peer name {n} netns {self.prefix}{h}" for h, n in links),
            *(f"link set {host}-{net} master {net} up" for host, net in links),
        )
        for host, nets in self._hosts.items():
            lines = [f"addr add {self.address(host, net)}/24 dev {net}" for net in nets]
            self._tell(host, "link set lo up", *lines, *(f"link set {net} up" for net in nets))

    def _tell(self, place: str | None, *lines: str) -> None:
        where = [] if place is None else ["-n", f"{self.prefix}{place}"]
        done = subprocess.run(
            [self._ip, *where, "-batch", "-"], input="\n".join(lines), capture_output=True, text=True, check=False
        )
        if done.returncode:
            message = f"ip {' '.join(where)}: {done.stderr.strip()}"
            raise RuntimeError(message)


def _enter(opened: int) -> None:
    if _libc.setns(opened, NEW_NETWORK):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "setns")
