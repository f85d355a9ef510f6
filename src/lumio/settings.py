"""Every setting, read once from the environment or a TOML file into one frozen object.

Each has a harmless default. Promise: nobody else reads the environment, and a wrong value stops the start
with a sentence that names the variable.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "LUMIO_"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
WORKERS_MAX = 64
TOKEN_MIN = 24
RATES = {
    "SESSION": 600, "OAUTH": 600, "API_KEY": 1200, "POPOUT_TOKEN": 600, "ANONYMOUS": 120,
    "DEVELOPER_READ": 120, "DEVELOPER_DELETE": 30, "DEVELOPER_EXTENSIONS": 10, "DEVELOPER_VERSIONS": 30,
}  # fmt: skip
"""How many requests per minute, per hour for the last two; each can be set by LUMIO_RATE_<NAME>."""

LEASE_SHORTEST, LEASE_LONGEST = 2.0, 25.0
"""Seconds that a node of a fleet may serve after its last proof of freshness: the public promise is 30."""

KNOWN = frozenset({
    "DATA_DIR", "DATABASE_URL", "DATABASE_ADMIN_URL", "ROOT_SECRET_FILE", "PUBLIC_URL", "SMTP_URL", "MAIL_FROM",
    "BUNDLE_STORE",
    "TRUSTED_PROXIES", "RATE_AUTH_FAILURES", "NODE", "CONFIG", "LOG_LEVEL", "JOURNAL_TIMEOUT_SECONDS",
    "INTROSPECTION", "POPOUT_ADMITS", "REGION", "LEASE_SECONDS", "PG_FAILOVER", "DATABASE_REPLICA_URL", "JOURNAL_DIR",
    "WORKERS", "METRICS_TOKEN", *(f"RATE_{name}" for name in RATES),
})  # fmt: skip


class SettingsError(ValueError):
    """A setting has a value that the house cannot use; the text names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; see the reference for what each is for.

    `worker` and `run_dir` come from no variable: each worker of a host learns its number, and the folder that it
    shares with the others, from the server that started it.
    """

    data_dir: Path
    database_url: str
    root_secret_file: Path
    public_url: str
    database_admin_url: str = field(default="", repr=False)
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = "Lumio <no-reply@localhost>"
    bundle_store: Path = Path("bundles")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    rate_auth_failures: int = 300
    rates: Mapping[str, int] = field(default_factory=lambda: dict(RATES))
    node: str = "node-1"
    region: str = "local"
    lease_seconds: float = 9.5
    pg_failover: str = "none"
    database_replica_url: str | None = field(default=None, repr=False)
    journal_dir: Path = Path("data.journal")
    workers: int = 1
    worker: int = 1
    run_dir: Path | None = None
    metrics_token: str | None = field(default=None, repr=False)
    log_level: str = "info"
    journal_timeout_seconds: float = 5.0
    introspection: bool = False
    popout_admits: tuple[str, ...] = ()
    profiles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def audit_heads(self) -> Path:
        """Where signed heads of the audit log leave the database: beside the journal of revocations."""
        return self.journal_dir / "audit-heads.ndjson"

    @property
    def former_audit_heads(self) -> Path:
        """Where they left to before; what is there is moved."""
        return self.data_dir / "audit-heads.ndjson"

    @property
    def audit_reserve(self) -> Path:
        """Room on the disk for a purge."""
        return self.data_dir / "audit-reserve"

    @property
    def journal_socket(self) -> Path | None:
        """Where several workers find the process that writes the journal's file for them."""
        alone = self.run_dir is None or self.workers == 1
        return None if alone or self.run_dir is None else self.run_dir / "journal.sock"

    @property
    def mail_dir(self) -> Path:
        """Where mails go as files while no SMTP server is set."""
        return self.data_dir / "mail"


def load(environment: Mapping[str, str] | None = None, *, port: int = 8000) -> Settings:
    """Read the settings; the environment wins over the file that `LUMIO_CONFIG` names.

    Args:
        environment: the variables to read; the process's own by default.
        port: where the server will listen, for the default public address.

    Raises:
        SettingsError: a value cannot be used.
    """
    source = os.environ if environment is None else environment
    given, profiles = _from_file(source.get(PREFIX + "CONFIG"))
    given |= {name.removeprefix(PREFIX): value for name, value in source.items() if name.startswith(PREFIX)}
    data_dir = Path(given.get("DATA_DIR", "data")).absolute()
    database_url = given.get("DATABASE_URL", f"sqlite+aiosqlite:///{data_dir / 'lumio.db'}")
    return Settings(
        data_dir=data_dir,
        database_url=database_url,
        database_admin_url=given.get("DATABASE_ADMIN_URL", database_url),
        root_secret_file=Path(given.get("ROOT_SECRET_FILE", str(data_dir / "root.secret"))).absolute(),
        public_url=_public_url(given.get("PUBLIC_URL", f"http://localhost:{port}")),
        smtp_url=given.get("SMTP_URL") or None,
        mail_from=given.get("MAIL_FROM", "Lumio <no-reply@localhost>"),
        bundle_store=Path(given.get("BUNDLE_STORE", str(data_dir / "bundles"))).absolute(),
        trusted_proxies=_networks(given.get("TRUSTED_PROXIES", "")),
        rate_auth_failures=_whole("RATE_AUTH_FAILURES", given.get("RATE_AUTH_FAILURES", "300")),
        rates={name: _whole(f"RATE_{name}", given.get(f"RATE_{name}", str(rate))) for name, rate in RATES.items()},
        node=_node(given.get("NODE", "node-1")),
        region=given.get("REGION", "local"),
        lease_seconds=_lease(given.get("LEASE_SECONDS", "9.5")),
        pg_failover=_one_of("PG_FAILOVER", given.get("PG_FAILOVER", "none"), ("none", "sync")),
        database_replica_url=given.get("DATABASE_REPLICA_URL") or None,
        journal_dir=Path(given.get("JOURNAL_DIR", f"{data_dir}.journal")).absolute(),
        workers=_workers(given.get("WORKERS", "1")),
        metrics_token=_metrics_token(given.get("METRICS_TOKEN")),
        log_level=given.get("LOG_LEVEL", "info").lower(),
        journal_timeout_seconds=float(_whole("JOURNAL_TIMEOUT_SECONDS", given.get("JOURNAL_TIMEOUT_SECONDS", "5"))),
        introspection=_switch("INTROSPECTION", given.get("INTROSPECTION", "off")),
        popout_admits=tuple(filter(None, map(str.strip, given.get("POPOUT_ADMITS", "").split(",")))),
        profiles=profiles,
    )


def _from_file(name: str | None) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Read a TOML file of flat names, `public_url = "…"`, and the table `[profiles]` of lists of permissions.

    An unknown name is a typing error and stops.
    """
    if not name:
        return {}, {}
    content = tomllib.loads(Path(name).read_text("utf-8"))
    profiles = _profiles(name, content.pop("profiles", {}))
    unknown = [key for key in content if key.upper() not in KNOWN]
    if unknown:
        message = f"{name}: unknown setting {unknown[0]!r}"
        raise SettingsError(message)
    return {key.upper(): _plain(value) for key, value in content.items()}, profiles


def _plain(value: object) -> str:
    """Return a value of the file as a variable would have it; a list is separated by commas."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _profiles(name: str, table: object) -> dict[str, tuple[str, ...]]:
    """Return the profiles as they stand in the file; only the house knows which permissions there are."""
    lists: dict[str, Any] = table if isinstance(table, dict) else {"": None}
    for profile, permissions in lists.items():
        if not isinstance(permissions, list) or not all(isinstance(one, str) for one in permissions):
            message = f'{name}: profiles.{profile} must be a list of permissions such as ["extensions:read"]'
            raise SettingsError(message)
    return {profile: tuple(permissions) for profile, permissions in lists.items()}


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        message = "LUMIO_PUBLIC_URL must be an address such as https://lumio.example, without a path"
        raise SettingsError(message)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        message = "LUMIO_PUBLIC_URL must use https away from loopback: browsers drop __Host- cookies on plain http"
        raise SettingsError(message)
    return text.rstrip("/")


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as error:
        message = f"LUMIO_TRUSTED_PROXIES must be a list of addresses or networks: {error}"
        raise SettingsError(message) from None


def _whole(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        message = f"LUMIO_{name} must be a whole number above 0"
        raise SettingsError(message)
    return int(text)


def _node(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,48}", text):  # the log's column has room for a worker's number behind it
        message = "LUMIO_NODE must be 1 to 48 letters, digits, dots, dashes or underscores"
        raise SettingsError(message)
    return text


def _workers(text: str) -> int:
    count = _whole("WORKERS", text)
    if count > WORKERS_MAX:
        message = f"LUMIO_WORKERS must be at most {WORKERS_MAX}"
        raise SettingsError(message)
    return count


def _metrics_token(text: str | None) -> str | None:
    if not text:
        return None
    if len(text) < TOKEN_MIN or not text.isascii() or not text.isprintable() or " " in text:
        message = f"LUMIO_METRICS_TOKEN must have at least {TOKEN_MIN} plain characters, and no space"
        raise SettingsError(message)
    if text.startswith("lm_"):
        message = "LUMIO_METRICS_TOKEN must not look like a credential of Lumio (lm_…): it is none"
        raise SettingsError(message)
    return text


def _lease(text: str) -> float:
    """Return the seconds of a lease; longer ones would break the promise that people read."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not LEASE_SHORTEST <= seconds <= LEASE_LONGEST:
        message = f"LUMIO_LEASE_SECONDS must be a number from {LEASE_SHORTEST:g} to {LEASE_LONGEST:g}"
        raise SettingsError(message)
    return seconds


def _one_of(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        message = f"LUMIO_{name} must be one of: {', '.join(choices)}"
        raise SettingsError(message)
    return text


def _switch(name: str, text: str) -> bool:
    if text.lower() not in {"on", "off"}:
        message = f"LUMIO_{name} must be on or off"
        raise SettingsError(message)
    return text.lower() == "on"


_SERVING_PORT, _SERVING_FOLDER = PREFIX + "SERVING_PORT", PREFIX + "SERVING_FOLDER"


def hand_to_workers(*, port: int, workers: int | None = None, run_dir: Path | None = None) -> None:
    """Let the processes that this one starts read the same settings, and share a folder while they run."""
    os.environ[_SERVING_PORT] = str(port)
    if workers is not None:
        os.environ[PREFIX + "WORKERS"] = str(workers)
    if run_dir is not None:
        os.environ[_SERVING_FOLDER] = str(run_dir)


def load_for_worker() -> Settings:
    """Read the settings as the server that started this process did; the folder that they share comes with them."""
    folder = os.environ.get(_SERVING_FOLDER)
    settings = load(port=int(os.environ.get(_SERVING_PORT, "8000")))
    return replace(settings, run_dir=Path(folder) if folder else None)
