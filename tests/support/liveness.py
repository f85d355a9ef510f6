"""Revocations on a fleet without a fault, one after the other through every node, and how soon each was seen.

Promise: nobody is refused for any other reason. A time is that of the slowest node: from the commit at its earliest
to the moment at which the first request that was refused was sent, for an answer takes what the machine lets it.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.support.fleet import Fleet
from tests.support.observer import Observer
from tests.support.tenants import Tenants
from tests.support.trial import READY_SECONDS, me
from tests.support.verdict import judge
from tests.support.windows import Record, note

SETTLED_SECONDS = 5.0
"""How long is waited for a refusal; a second is what is promised."""


def undisturbed(servers: Fleet, tenants: Tenants, record: Record, many: int) -> list[float]:
    """Revoke so many keys through all nodes in turn; return how long each was still accepted somewhere, sorted."""
    session = tenants.tokens(servers.nodes[0])["access_token"]
    one_by_one = threading.Lock()  # so that the newest revocation is the one that was asked for

    def end(number: int) -> float:
        name, node = f"key-{number}", servers.nodes[number % len(servers.nodes)]
        with node.client(session) as robin:
            key = tenants.key(robin, name)
            with Observer(servers, [me(name, key)], every=0.05) as observer:
                observer.wait_everywhere(name, {200}, 0, READY_SECONDS)
                with one_by_one:
                    newest = tenants.newest()
                    call = tenants.revoke(robin, f"/v1/api-keys/{key.id}")
                    revocation = tenants.placed(name, newest, [call])
                firsts = observer.wait_everywhere(name, {401}, revocation.earliest, SETTLED_SECONDS)
        verdict = judge(observer.seen, revocation, servers.bound)
        note(record, verdict.window, servers.bound, "no fault")
        assert not verdict.breaches, verdict.told(revocation.earliest)
        assert {one.status for one in observer.seen} == {200, 401}
        return max(one.sent for one in firsts) - revocation.earliest

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(end, range(many)))
