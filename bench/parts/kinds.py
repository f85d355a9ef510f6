"""`GET /v1/auth/verify` with each kind of credential, against a constant answer of the same web server."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench import rotation
from bench.bare import bare, interface, turn
from bench.figures import Row
from bench.ground import BACKENDS, BUSY_KEYS, Ground
from bench.installation import Contender
from bench.rounds import Turn, interleaved, plain_rows, rate_ratio
from bench.servers import sign_in

PART, PATH = "kinds", "/v1/auth/verify"
BARE = "bare answer"
CONNECTIONS = 32


def measure(ground: Ground) -> Iterator[Row]:
    """Yield the rates of 20 credentials of each kind in turn."""
    with ExitStack() as stack:
        served = stack.enter_context(bare(ground.scratch, interface()))
        plain = rotation.keep(ground.scratch / "bare", [rotation.request(PATH, "0" * 64)])
        turns: dict[str, Turn] = {BARE: turn(served, plain, CONNECTIONS)}
        ours = []
        for backend in BACKENDS:
            installation = ground.installation(backend)
            system_keys = installation.system_keys(BUSY_KEYS)
            contender = stack.enter_context(installation.serving())
            ours.append(contender)
            for kind, file in files_of(contender, system_keys).items():
                turns[f"{backend}, {kind}"] = partial(contender.drive, file, CONNECTIONS)
        driven = interleaved(turns, ground.seconds, ground.rounds)
        for name, runs in driven.items():
            if name != BARE:
                yield Row(PART, f"{name}: of bare", "ratio", rate_ratio(runs, driven[BARE]))
            yield from plain_rows(PART, name, runs)
        for contender in ours:
            yield contender.installation.recorded(PART)


def files_of(contender: Contender, system_keys: list[str]) -> Mapping[str, Path]:
    """Return a file of requests for each kind of credential."""
    installation = contender.installation
    minter, folder = installation.minter, installation.folder
    requests = installation.requests("system", PATH, system_keys)
    contender.use_once(rotation.read(requests), 1)  # stretched one by one: all at once they would fill the queue
    tokens = [sign_in(contender.port) for _ in range(BUSY_KEYS)]
    popouts = [rotation.request(f"{PATH}?token={text}") for text in minter.popouts(BUSY_KEYS)]
    return {
        "developer keys": installation.requests("developer", PATH, minter.developer_keys(BUSY_KEYS)),
        "system keys": requests,
        "access tokens (JWT)": installation.requests("jwt", PATH, tokens),
        "popout tokens": rotation.keep(folder / "popout", popouts),
    }
