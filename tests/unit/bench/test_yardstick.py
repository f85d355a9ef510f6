"""The yardstick is the product's own server, and its time is counted as the system counts it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import processes
from bench.bare import HARMLESS, MIRRORED, interface, options


def test_the_yardstick_has_every_option_of_the_products_server_that_a_request_can_feel() -> None:
    given = options()
    assert set(given) <= MIRRORED | HARMLESS
    assert interface(given) in {"asgi", "rsgi"}


def test_a_product_that_tunes_its_server_alone_stops_the_bench(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("granian.Granian('x:y', interface=Interfaces.RSGI, loop='uvloop')")
    assert options(tmp_path) == {"interface": "Interfaces.RSGI", "loop": "'uvloop'"}
    with pytest.raises(AssertionError, match="loop"):
        interface(options(tmp_path))


def test_the_yardstick_is_asked_over_the_products_interface() -> None:
    assert interface({"interface": "Interfaces.RSGI"}) == "rsgi"


def test_a_tree_has_the_processes_that_descend_from_its_root_and_what_ended_ones_spent() -> None:
    # The child of the child burns a tenth of a second and ends; the child waits for it, and then for us.
    burn = "import time; e = time.process_time() + 0.1\nwhile time.process_time() < e: pass"
    program = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); print(1, flush=True); input()"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    assert child.pid in processes.tree(os.getpid())
    assert 0.1 <= processes.processor_seconds(child.pid) < 5
    assert processes.memory(child.pid) > 2**20
    child.communicate(b"\n")
    assert child.pid not in processes.tree(os.getpid())


def test_the_machine_counts_what_anybody_uses() -> None:
    before, until = processes.machine_seconds(), time.process_time() + 0.1
    while time.process_time() < until:
        pass
    assert processes.machine_seconds() - before >= 0.08
