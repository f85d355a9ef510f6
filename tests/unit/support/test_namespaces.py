"""Hosts of the tests: a cut link is silent, a mended one works again, and nothing outlives who made them."""

import socket
import subprocess
import sys
import time

import psutil
import pytest

from tests.house.tree import ROOT
from tests.support import namespaces
from tests.support.namespaces import Net, Network, ip_path

HOSTS: list[tuple[str, tuple[Net, ...]]] = [("clients", ("front",)), ("n1", ("front", "back"))]
ORPHANING = """
import subprocess, time
from tests.support.namespaces import Network
with Network([("clients", ("front",))]) as network:
    child = subprocess.Popen(network.command("clients", "sleep", "600"))
    print(network.prefix, child.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _possible() -> None:
    if (reason := namespaces.why_not()) is not None:
        pytest.skip(reason)


def reach(network: Network, listening: socket.socket) -> str:
    """Connect from the clients' host; return what came, or nothing."""
    with network.inside("clients"):
        asking = socket.socket()
    with asking:
        asking.settimeout(0.5)
        try:
            asking.connect(listening.getsockname())
        except OSError:
            return ""
        taken, _ = listening.accept()
        with taken:
            taken.sendall(b"here")
        return asking.recv(4).decode()


def test_a_link_that_is_cut_is_silent_and_one_that_is_mended_works_again() -> None:
    with Network(HOSTS) as network:
        with network.inside("n1"):
            listening = socket.create_server((network.address("n1", "front"), 0))
        with listening:
            assert reach(network, listening) == "here"
            network.cut("n1", "front")
            assert reach(network, listening) == ""
            network.mend_all()
            assert reach(network, listening) == "here"
            network.cut("n1", "back")
            assert reach(network, listening) == "here"


def test_a_thread_stands_on_a_host_only_inside_the_block() -> None:
    with Network(HOSTS) as network:
        with network.inside("n1"):
            assert set(dict(socket.if_nameindex()).values()) == {"lo", "front", "back"}
        assert not {"front", "back"} & set(dict(socket.if_nameindex()).values())


def test_whoever_is_killed_leaves_no_namespace_and_no_process_in_one() -> None:
    asker = subprocess.Popen([sys.executable, "-c", ORPHANING], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert asker.stdout is not None
    with asker.stdout:
        prefix, child = asker.stdout.readline().split()
        asker.kill()
        asker.wait()
    deadline = time.monotonic() + 20
    while prefix in spaces() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert prefix not in spaces()
    assert not runs(int(child))


def runs(process: int) -> bool:
    """Tell whether a process still runs; one that only waits for its reaper does not."""
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def spaces() -> str:
    """Return the list of this machine's namespaces."""
    return subprocess.run([ip_path() or "ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
