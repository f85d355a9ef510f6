"""People and credentials of a fleet, made over HTTP as any client would.

Promise: nothing here knows more of the product than its addresses and shapes (spec: api).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.api.rest.mailbox import MailFolder, code
from tests.support.fleet import Fleet, Node
from tests.support.verdict import Revocation
from tests.support.world import OPERATOR, PASSWORD

MAIL_SECONDS = 20
CLOCK_SECONDS = 0.01
"""How far the two clocks of this machine may move against each other in a test."""
COMMITTED = """
SELECT seq, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM revocation
WHERE seq > CAST(:'after' AS bigint) ORDER BY seq DESC LIMIT 1;
"""
COMMITTED_KEY = """
SELECT seq, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM revocation
WHERE subject_kind = 'key' AND subject_id = :'id' AND effect = 'ended' ORDER BY seq LIMIT 1;
"""
WRITTEN_AFTER = """
SELECT count(*) FROM extension e, revocation r
WHERE r.seq = CAST(:'seq' AS bigint) AND e.category = :'category'
  AND pg_xact_commit_timestamp(e.xmin) > pg_xact_commit_timestamp(r.xmin);
"""


@dataclass(frozen=True, slots=True)
class Made:
    """A credential with its row id."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """A call that revokes: its moments on the monotonic clock, its status (0: no answer) and the answer's data."""

    sent: float
    answered: float
    status: int
    said: Mapping[str, Any]

    @property
    def effective(self) -> bool:
        """Whether the answer says that no node accepts the credential any more."""
        return bool(self.said.get("effective"))


class Tenants:
    """Robin, the operator of the fleet, and whoever is invited."""

    def __init__(self, fleet: Fleet) -> None:
        """Work on a fleet that nobody operates yet."""
        self._fleet = fleet
        self.account_id = ""

    def set_up(self) -> None:
        """Make the first operator; of the codes that the nodes printed only the newest counts."""
        form = {"email": OPERATOR, "password": PASSWORD, "display_name": "Robin", "account_name": "Acme"}
        codes = [line.rpartition("/")[2] for node in self._fleet.nodes for line in node.printed.splitlines()]
        with self._fleet.nodes[0].client() as client:
            for found in (one for one in codes if one.startswith("lm_set_")):
                if client.post("/v1/setup", json={"code": found, **form}).status_code == 201:
                    break
        with self.signed_in(self._fleet.nodes[0]) as robin:
            self.account_id = good(robin.get("/v1/users/me"))["account"]["id"]

    def tokens(self, node: Node, email: str = OPERATOR) -> dict[str, str]:
        """Sign in; return access and refresh token."""
        with node.client() as client:
            found: dict[str, str] = good(client.post("/v1/auth/login", json={"email": email, "password": PASSWORD}))
        return found

    def signed_in(self, node: Node, email: str = OPERATOR) -> httpx2.Client:
        """Return a client that has just signed in."""
        return node.client(self.tokens(node, email)["access_token"])

    def key(self, client: httpx2.Client, label: str = "ci") -> Made:
        """Make a developer key."""
        made = good(client.post("/v1/api-keys", json={"label": label}))
        return Made(made["id"], made["key"])

    def system_key(self, client: httpx2.Client) -> Made:
        """Make a system key."""
        made = good(client.post("/v1/admin/system-keys", json={"label": "bot", "profile": "service"}))
        return Made(made["id"], made["key"])

    def popout(self, client: httpx2.Client) -> Made:
        """Make a popout token."""
        made = good(client.post("/v1/tokens", json={"label": "overlay"}))
        return Made(made["id"], made["token"])

    def member(self, node: Node, email: str, role: str) -> str:
        """Let somebody sign up, be invited and accept; return the id of the membership."""
        with node.client() as nobody, self.signed_in(node) as robin:
            form = {"email": email, "password": PASSWORD, "display_name": email.partition("@")[0]}
            nobody.post("/v1/auth/signup", json=form).raise_for_status()
            nobody.post("/v1/auth/verify-email", json={"code": self._mailed(email, 1)}).raise_for_status()
            invites = f"/v1/accounts/{self.account_id}/invites"
            robin.post(invites, json={"email": email, "role": role}).raise_for_status()
            with self.signed_in(node, email) as guest:
                joined = good(guest.post(f"/v1/invites/{self._mailed(email, 2)}/accept"))
        return str(joined["member_id"])

    def acting(self, node: Node, email: str) -> httpx2.Client:
        """Return a client of somebody who has just signed in and acts in Robin's account."""
        with self.signed_in(node, email) as guest:
            switched = good(guest.post(f"/v1/accounts/{self.account_id}/activate"))
        return node.client(switched["tokens"]["access_token"])

    def revoke(self, client: httpx2.Client, path: str, *, wait: int | None = None, method: str = "DELETE") -> Revoked:
        """End something; an answer that never comes is one too."""
        headers = {} if wait is None else {"Prefer": f"wait={wait}"}
        sent = time.monotonic()
        try:
            answer = client.request(method, path, headers=headers)
        except httpx2.TransportError:
            return Revoked(sent, time.monotonic(), 0, {})
        answered = time.monotonic()
        said = answer.json().get("data", {}) if answer.content else {}
        return Revoked(sent, answered, answer.status_code, said)

    def newest(self) -> int:
        """Return the number of the newest revocation."""
        return int(self._fleet.ask("SELECT n FROM revocation_counter;")[0][0])

    def committed(self, after: int) -> tuple[int, float] | None:
        """Return the newest revocation above a number, and when it was committed by the monotonic clock.

        The database notes the moment just before the commit is flushed and visible, so C is not before it.
        """
        return _moment(self._fleet.ask(COMMITTED, after=str(after)))

    def committed_key(self, key_id: str) -> tuple[int, float] | None:
        """Return the same for the end of one key."""
        return _moment(self._fleet.ask(COMMITTED_KEY, id=key_id))

    def placed(self, question: str, after: int, calls: Sequence[Revoked]) -> Revocation:
        """Return where C of a revocation lies: one of the calls committed it, and the last one was answered."""
        found, call = self.committed(after), calls[-1]
        assert found is not None, f"nothing was committed for {question}: {calls}"
        assert calls[0].sent - CLOCK_SECONDS <= found[1] <= call.answered + CLOCK_SECONDS, (calls, found)
        effective_at = call.answered if call.effective else None
        return Revocation(question, max(calls[0].sent, found[1]), call.answered, effective_at)

    def written_after(self, seq: int, category: str) -> int:
        """Count extensions of a category that were committed after revocation `seq` was."""
        return int(self._fleet.ask(WRITTEN_AFTER, seq=str(seq), category=category)[0][0])

    def _mailed(self, address: str, count: int) -> str:
        """Return the code in the newest of `count` mails to an address, whichever node sent it."""
        deadline = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < deadline:
            mails = [
                mail
                for node in self._fleet.nodes
                for mail in MailFolder(node.folder / "data" / "mail").all()
                if mail["To"] == address
            ]
            if len(mails) >= count:
                codes = [code(mail) for mail in mails]
                return codes[-1] if count == 1 else next(one for one in codes if one.startswith("lm_inv_"))
            time.sleep(0.05)
        message = f"no mail number {count} came for {address}"
        raise TimeoutError(message)


def _moment(rows: list[list[str]]) -> tuple[int, float] | None:
    """Return number and moment of a revocation: wall and monotonic clock are those of one machine."""
    return (int(rows[0][0]), float(rows[0][1]) - (time.time() - time.monotonic())) if rows else None


def good(answer: httpx2.Response) -> dict[str, Any]:
    """Return the data of an answer that must be a success."""
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    found: dict[str, Any] = answer.json()["data"]
    return found
