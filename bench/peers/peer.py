"""One peer in one configuration: how it is filled, served and asked.

Promise: a peer is measured only after it answered 200 for a good key and 401 for a bad one.
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from bench import rotation
from bench.peers.fetch import NotToBeHad
from bench.servers import Served, free_port, running

FILL_SECONDS = 120
PROGRAMS = Path(__file__).with_name("programs")


@dataclass(frozen=True, slots=True)
class Peer:
    """How to fill, serve and ask it.

    `home` installs it and returns the folder to run in; `fill` and `serve` are commands, with `{port}`, `{folder}`
    (its own scratch folder), `{home}` and `{many}` in them.
    """

    name: str
    database: bool
    home: Callable[[Path], Path]
    serve: Sequence[str]
    fill: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    path: str = "/verify"
    scheme: str = "Bearer"
    header: str = "Authorization"

    @contextmanager
    def running(self, scratch: Path, cache: Path, many: int) -> Iterator[tuple[Served, Path]]:
        """Fill it with so many keys and serve it; give the server and a file of requests.

        Raises:
            NotToBeHad: it cannot be installed, or it does not work.
        """
        folder = scratch / self.name.replace(" ", "-").replace(",", "")
        folder.mkdir()
        home = self.home(cache)
        port = free_port()
        words = {"port": port, "folder": folder, "home": home, "many": many}
        variables = {**os.environ, "PEER_FOLDER": str(folder), "NODE_ENV": "production", **self.variables}
        variables |= {"PYTHONPATH": str(PROGRAMS)}
        if self.fill:
            _fill([part.format(**words) for part in self.fill], variables)
        command = [part.format(**words) for part in self.serve]
        with running(command, port, folder / "log", variables, home) as served:
            keys = (folder / "keys").read_text().splitlines()
            self._check(port, keys[0])
            yield served, rotation.keep(folder / "requests", [self.request(key) for key in keys])

    def request(self, key: str) -> bytes:
        """Return the bytes of a request with a key."""
        return rotation.request(self.path, key, scheme=self.scheme, header=self.header)

    def _check(self, port: int, key: str) -> None:
        bad = key[:-1] + ("A" if key[-1] != "A" else "B")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            shown = [{self.header: f"{self.scheme} {one}".strip()} for one in (key, bad)]
            statuses = [client.get(self.path, headers=headers).status_code for headers in shown]
        if statuses != [200, 401]:
            raise NotToBeHad(f"a good key and a bad one are answered {statuses}, not [200, 401]")


def _fill(command: Sequence[str], variables: Mapping[str, str]) -> None:
    said = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=FILL_SECONDS)
    if said.returncode:
        raise NotToBeHad(f"{Path(command[-2]).name} failed: {said.stderr.strip()[-300:]}")
