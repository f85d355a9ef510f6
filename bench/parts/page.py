"""The page of API keys with 1,000 rows: its weight, and how long the server works on it."""

import gzip
import re
import time
from collections.abc import Iterator

from bench import processes
from bench.figures import Row, Spread
from bench.ground import ACTIVE_KEYS, BACKENDS, Ground
from bench.servers import client

PART, PATH = "page", "/dashboard/account/security/api-keys"
TRIES = 10
KIB = 1024
LINKED = re.compile(r'(?:src|href)="(/static/[^"]+)"')


def measure(ground: Ground) -> Iterator[Row]:
    """Yield kilobytes and milliseconds, for both databases."""
    for backend in BACKENDS:
        installation = ground.installation(backend)
        installation.minter.developer_keys(ACTIVE_KEYS)
        cookie = {"Cookie": f"__Host-lumio={installation.minter.page_session()}"}
        with installation.serving() as contender, client(contender.port, "") as browser:
            first = browser.get(PATH, headers=cookie).raise_for_status()
            took = []
            before = processes.processor_seconds(contender.served.root)
            for _ in range(TRIES):
                started = time.perf_counter()
                browser.get(PATH, headers=cookie).raise_for_status()
                took.append((time.perf_counter() - started) * 1000)
            spent = (processes.processor_seconds(contender.served.root) - before) / TRIES * 1000
            linked = [browser.get(path).raise_for_status().content for path in set(LINKED.findall(first.text))]
        yield Row(PART, f"{backend}: time of the page", "ms", Spread.of(took), None, f"processor time {spent:.0f} ms")
        if backend == BACKENDS[0]:
            note = f"{len(gzip.compress(first.content)) / KIB:.0f} KiB compressed by a proxy"
            yield Row(PART, "weight of the page", "KiB", Spread.of([len(first.content) / KIB]), None, note)
            files = Spread.of([sum(map(len, linked)) / KIB])
            yield Row(
                PART, "weight of what it links to, once per version", "KiB", files, None, f"{len(linked)} files"
            )
