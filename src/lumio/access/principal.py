"""The principal: who is asking, for one operation. Made by a verifier, never changed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from lumio.access.kinds import Kind
from lumio.authority.subjects import Subject
from lumio.kernel.event import ANONYMOUS as ANONYMOUS_ACTOR
from lumio.kernel.event import Actor, Origin

ACCOUNT_HEADER = "X-Lumio-Account"
"""Where a system key, which belongs to no account, names the one that it acts on."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Actor, subjects, ceiling and assurance of one request.

    `carried` is the ceiling of the credential (None: it carries no list of its own); `subjects` are all the
    things that may end under it; `seq` is the revocation feed's number that its status includes;
    `proven_at` is when the person last proved who they are; `page` tells a browser's session from a program's;
    `role` is the holder's in the account, as the check of the credential found it;
    `expires_at` is when the credential ends by itself; `widened` is what the settings admit to its kind beyond the
    table of kinds.
    """

    kind: Kind
    actor: Actor
    subjects: tuple[Subject, ...] = ()
    seq: int = 0
    user_id: str | None = None
    account_id: str | None = None
    member_id: str | None = None
    role: str | None = None
    session_id: str | None = None
    carried: frozenset[str] | None = None
    proven_at: datetime | None = None
    amr: tuple[str, ...] = ()
    page: bool = False
    expires_at: datetime | None = None
    widened: frozenset[str] = frozenset()


ANONYMOUS = Principal(Kind.ANONYMOUS, ANONYMOUS_ACTOR)


@dataclass(frozen=True, slots=True)
class Retry:
    """The client's `Idempotency-Key`, bound to the route and to the body that came with it."""

    key: str
    route: str
    body_digest: str


@dataclass(slots=True)
class Outcome:
    """What became of a request.

    `ended_self`: it ended its own credential, as signing out does. `end_recorded`: its credential was ended by
    another's hand, and the log says so already. `waited`: the seconds for which it was waited until what it ended is
    refused everywhere; None when it ended nothing whose receipt says so.
    """

    ended_self: bool = False
    end_recorded: bool = False
    waited: float | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """A principal, where it asks from, whether this may be a repetition, and what became of it.

    `patience` is how long (seconds) it wants to wait until what it ends is refused everywhere; `left` returns when
    the client has gone, which ends the waiting too.
    """

    principal: Principal
    origin: Origin
    retry: Retry | None = None
    patience: float = 0.0
    left: Callable[[], Awaitable[None]] | None = field(default=None, repr=False)
    outcome: Outcome = field(default_factory=Outcome)
