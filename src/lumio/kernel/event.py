"""The fact that something happened, as the journal keeps it (spec: audit log, section 1)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from lumio.kernel import clock, ids

Result = Literal["success", "failure"]
ActorType = Literal["user", "api_key", "system_key", "popout_token", "oauth_client", "anonymous", "system"]

LABEL_LIMIT = 320
AGENT_LIMIT = 300


class Actor(NamedTuple):
    """Who did it: typed, with a label that is a snapshot by value."""

    type: ActorType
    id: str | None = None
    label: str = ""
    on_behalf_of: str | None = None
    auth_method: str | None = None
    credential_id: str | None = None


class Origin(NamedTuple):
    """Where the request came from, and its own id."""

    ip: str | None = None
    ip_source: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


class Counted(NamedTuple):
    """Says that an event only raises the count of a shared row: its name, and until when (microseconds) it counts."""

    name: str
    until: int


SYSTEM = Actor("system", label="lumio")
ANONYMOUS = Actor("anonymous", label="anonymous")
NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the journal. `detail` holds plain values and never a secret."""

    event: str
    result: Result
    actor: Actor
    origin: Origin
    account_id: str | None = None
    target_type: str | None = None
    target_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    count: int = 1
    id: str = field(default_factory=ids.uuid7)
    ts: datetime = field(default_factory=clock.now)

    def failed(self, reason: str) -> "Event":
        """Return the same fact as a failure, with a machine-readable reason."""
        return replace(self, result="failure", detail={**self.detail, "reason": reason})

    def row(self, node: str) -> dict[str, Any]:
        """Return the columns of the journal; texts that come from outside are cut to their limits."""
        actor, origin = self.actor, self.origin
        return {
            "id": self.id,
            "account_id": self.account_id,
            "ts": clock.to_micros(self.ts),
            "last_ts": None,
            "event": self.event,
            "result": self.result,
            "actor_type": actor.type,
            "actor_id": actor.id,
            "actor_label": actor.label[:LABEL_LIMIT].replace("\0", "\\0"),
            "on_behalf_of": actor.on_behalf_of,
            "auth_method": actor.auth_method,
            "credential_id": actor.credential_id,
            "ip": origin.ip,
            "ip_source": origin.ip_source,
            "user_agent": (origin.user_agent or "")[:AGENT_LIMIT].replace("\0", "\\0") or None,
            "request_id": origin.request_id,
            "target_type": self.target_type,
            "target_id": self.target_id,
            "detail": json.dumps(self.detail, separators=(",", ":"), sort_keys=True) if self.detail else None,
            "count": self.count,
            "node": node,
        }
