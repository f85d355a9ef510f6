"""Every peer that is measured, each in the configuration in which it was the quickest here (decision 0006)."""

from bench.peers import fetch
from bench.peers.peer import PROGRAMS, Peer


def _better_auth(storage: str) -> Peer:
    """better-auth: the server fills itself, since its memory is its own."""
    return Peer(
        f"better-auth, {storage}",
        storage == "database",
        fetch.node,
        ("node", str(PROGRAMS / "better_auth.mjs"), "{port}", storage, "{many}", "{folder}"),
        path="/",
        scheme="",
        header="x-api-key",
    )


def _fastapi_users(strategy: str) -> Peer:
    """fastapi-users: both strategies read the user from the database."""
    return Peer(
        f"fastapi-users, {strategy}",
        True,  # noqa: FBT003 - the field beside it says what
        fetch.python,
        ("{home}/uvicorn", "--port", "{port}", "--workers", "1", "--loop", "uvloop", "--http", "httptools",
         "--no-access-log", "--log-level", "critical", "fastapi_keys:app"),
        ("{home}/python", str(PROGRAMS / "fastapi_keys.py"), "{many}"),
        {"PEER_STRATEGY": strategy.lower()},
    )  # fmt: skip


DJANGO = Peer(
    "djangorestframework-api-key",
    True,  # noqa: FBT003 - as above
    fetch.python,
    ("{home}/granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1",
     "--blocking-threads", "4", "--log-level", "critical", "django_keys:application"),
    ("{home}/python", str(PROGRAMS / "django_keys.py"), "{many}"),
    scheme="Api-Key",
)  # fmt: skip

PEERS = (
    _better_auth("database"),
    _better_auth("memory"),
    DJANGO,
    _fastapi_users("JWT"),
    _fastapi_users("database"),
)
