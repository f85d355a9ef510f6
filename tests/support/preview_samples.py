"""Sample values for the pages: a small team with an old key, a draft to publish, a hostile name or two."""

import itertools
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from lumio.audit.model import Entry, Head, Target
from lumio.audit.plot import Plot, drawn, first_hour
from lumio.audit.store.counting import Hours
from lumio.extensions.model import ArtifactView, ExtensionView, VersionStatus, VersionView
from lumio.kernel import clock
from lumio.keys.model import KeyView, Party

NOW = datetime(2026, 11, 21, 14, 2, 11, tzinfo=UTC)
REQUEST = "01939f2e-7c1a-7d2e-9a44-3f0c5c0b7a11"
NO_FILTERS = dict.fromkeys(("event", "actor", "result", "ip", "credential_id", "since", "until"), "")
HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202egnp.exe"
SEQ = 7
"""The number of every revocation."""
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_NAV = (
    ("Build", (("Extensions", "extensions", "/dashboard/extensions"),)),
    (
        "Account",
        (("Team", "team", "/dashboard/account/team"), ("Billing", "money", "/dashboard/account/billing")),
    ),
    (
        "Account · Security",
        (
            ("API Keys", "key", "/dashboard/account/security/api-keys"),
            ("Audit Log", "log", "/dashboard/account/security/audit-log"),
        ),
    ),
)


def _signs(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def code(kind: str) -> str:
    """Return something shaped like a one-time code of `kind`, new at each call."""
    return f"lm_{kind}_{_signs(57)}"


def minted(label: str, expires_at: str | None = None) -> dict[str, Any]:
    """Return the answer that a creation gives, with a fresh key that opens nothing."""
    found = _signs(12)
    return {
        "id": secrets.token_hex(16),
        "label": label,
        "key": f"lm_dev_{found}{_signs(45)}",
        "prefix": "lm_dev_",
        "lookup_id": found,
        "created_at": f"{clock.now():%Y-%m-%dT%H:%M:%SZ}",
        "expires_at": expires_at,
    }


def shell(title: str, *crumbs: str, signed_in: bool = True) -> dict[str, Any]:
    """Return the frame's values, except the theme and the addresses of static files."""
    person = {"name": "Robin Vale", "email": "robin@acme.example", "role_label": "Owner", "initial": "R"}
    nav = [
        {
            "heading": heading,
            "items": [
                {"label": label, "icon": icon, "href": href, "current": label == title} for label, icon, href in items
            ],
        }
        for heading, items in _NAV
    ]
    return {
        "title": title,
        "person": person if signed_in else None,
        "account": {"id": "a1", "name": "Acme Overlays", "slug": "acme-overlays"} if signed_in else None,
        "accounts": accounts() if signed_in else [],
        "nav": nav if signed_in else [],
        "csrf": secrets.token_urlsafe(16),
        "crumbs": list(crumbs),
        "request_id": REQUEST,
    }


def departure() -> dict[str, Any]:
    """Return what a removal would end: a key in use, one never used, a popout token with a hostile label."""
    used = {"last_used_at": "2026-11-21T14:00:00Z", "last_used_ip": "203.0.113.7"}
    never = {"last_used_at": None, "last_used_ip": None}
    return {
        "api_keys": [
            {"label": "ci-github-actions", "prefix": "lm_dev_", "lookup_id": _signs(12), **used},
            {"label": "laptop-max", "prefix": "lm_dev_", "lookup_id": _signs(12), **never},
        ],
        "popout_tokens": [{"label": HOSTILE, "prefix": "lm_pop_", "lookup_id": _signs(12), **used}],
    }


def reach(
    *nodes: tuple[str, bool], effective: bool = False, silent: bool = False
) -> Callable[[], tuple[int, dict[str, Any]]]:
    """Return what tells of a revocation, each time it is asked.

    Args:
        nodes: each one's region, and whether it knows the revocation.
        effective: whether no node accepts it any more.
        silent: whether the nodes are heard of only once.
    """
    beats = itertools.count()

    def told() -> tuple[int, dict[str, Any]]:
        until = NOW + timedelta(seconds=9, milliseconds=0 if silent else next(beats))
        rows = [
            {
                "node_id": f"n{number}",
                "region": region,
                "applied_seq": SEQ if knows else SEQ - 1,
                "applied_at": clock.rfc3339(NOW),
                "lease_until": clock.rfc3339(until),
            }
            for number, (region, knows) in enumerate(nodes)
        ]
        subject = {"kind": "key", "id": "key-1"}
        found = {"seq": SEQ, "subject": subject, "revoked_at": clock.rfc3339(NOW)}
        return 200, {"data": {**found, "effective": effective, "nodes": rows}}

    return told


def accounts() -> list[dict[str, Any]]:
    """Return the accounts that a person could switch between."""
    return [
        {"id": "a1", "name": "Acme Overlays", "role": "owner", "active": True},
        {"id": "a2", "name": f"Robin’s account {HOSTILE}", "role": "member", "active": False},
    ]


def keys() -> list[KeyView]:
    """Return keys young and old, used and unused, a finished pair to be, and one with a hostile label."""
    day, now = timedelta(days=1), clock.now()
    made: list[tuple[str, int, timedelta | None, str, str | None, timedelta | None]] = [
        ("ci-github-actions", 0, timedelta(minutes=2), "Robin Vale", "203.0.113.7", None),
        ("ci-gitlab-staging", 71, timedelta(hours=30), "Ada Okafor", "198.51.100.20", 19 * day),
        ("laptop-robin", 118, 22 * day, "Robin Vale", "2001:db8:85a3::8a2e:370:7334", None),
        (HOSTILE, 3, None, "Robin Vale", None, None),
    ]
    return [
        KeyView(
            id=f"key-{number}",
            label=label,
            prefix="lm_dev_",
            lookup_id=_signs(12),
            holder=Party(id="m1", name=maker),
            minter=Party(id="m1", name=maker),
            created_at=now - timedelta(days=age, minutes=7),
            expires_at=None if left is None else now + left,
            last_used_at=None if used is None else now - used,
            last_used_ip=address,
            age_days=age,
            predecessor_id=None,
        )
        for number, (label, age, used, maker, address, left) in enumerate(made)
    ]


def extensions() -> list[ExtensionView]:
    """Return three extensions, one with a hostile name."""
    made = [
        ("Chat Confetti", "chat-confetti", "public", "published", 1284),
        ("Goal Meter", "goal-meter", "private", "draft", 0),
        (HOSTILE, "hostile", "unlisted", "draft", 3),
    ]
    return [
        ExtensionView(
            id=f"ext_{slug.replace('-', '')}",
            slug=slug,
            name=name,
            visibility=visibility,
            status=status,
            install_count=installs,
            current_version_id=None,
            created_at=clock.now() - timedelta(days=200),
            updated_at=clock.now() - timedelta(hours=5),
            description="Confetti over the stream when someone subscribes." if slug == "chat-confetti" else "",
            category=None,
            pricing=None,
        )
        for name, slug, visibility, status, installs in made
    ]


def versions() -> list[VersionView]:
    """Return a draft, the published version and two that were superseded."""
    made: list[tuple[str, VersionStatus, str, bool, timedelta]] = [
        ("2.0.0", "draft", "New particle engine", True, timedelta(minutes=4)),
        ("1.4.2", "published", "Fewer particles on small scenes", False, timedelta(days=9)),
        ("1.4.1", "superseded", "", False, timedelta(days=31)),
        ("1.4.0", "superseded", HOSTILE, False, timedelta(days=64)),
    ]
    return [
        VersionView(
            id=f"ver_{version.replace('.', '')}",
            version=version,
            status=status,
            description=description,
            breaking=breaking,
            artifacts=[ArtifactView(name="bundle", sha256=secrets.token_hex(32), size=1_536_000)],
            deployed_by="ci-github-actions",
            created_at=clock.now() - age,
            published_at=None if status == "draft" else clock.now() - age,
        )
        for version, status, description, breaking, age in made
    ]


def head() -> Head:
    """Return a chain's end."""
    return Head("head", 48_210, "5f" * 32, "2026-11-21T14:02:20.000000Z", "c0" * 64, "d1" * 32)


def plot() -> Plot:
    """Return a day with a busy noon and one bad hour."""
    first = first_hour(NOW)
    amounts = {first + place: (place * place % 41, 7 if place == 17 else 0) for place in range(24)}
    return drawn(Hours(amounts, whole=True), NOW)


def events() -> list[Entry]:
    """Return a morning of one account."""
    start = NOW
    made = [
        ("api_key.created", "robin@acme.example", "user", "203.0.113.7", "success"),
        ("extension.deployed", "ci-github-actions", "api_key", "203.0.113.9", "success"),
        ("auth.failed", "laptop-robin", "api_key", "198.51.100.77", "failure"),
        ("extension.published", "ada@acme.example", "user", "2001:db8:85a3::8a2e:370:7334", "success"),
        ("extension.created", HOSTILE, "api_key", "192.0.2.10", "success"),
        ("api_key.revoked", "robin@acme.example", "user", "203.0.113.7", "success"),
    ]
    return [
        Entry(
            timestamp=start - timedelta(minutes=17 * number),
            event=event,
            actor=actor,
            ip=ip,
            result=result,
            id=f"01939f2e-0000-7000-8000-00000000000{number}",
            actor_type=kind,
            credential_id="01939f2e-1111-7000-8000-000000000001" if kind == "api_key" else None,
            target=Target(type="api_key", id="01939f2e-2222-7000-8000-000000000002") if number else None,
            count=12 if result == "failure" else 1,
            request_id=REQUEST,
            position=None if number == 0 else 48_210 - number,
            user_agent=HOSTILE,
            detail={"reason": "revoked"} if result == "failure" else {},
            last_timestamp=start if result == "failure" else None,
            erased=False,
        )
        for number, (event, actor, kind, ip, result) in enumerate(made)
    ]
