"""GET /v1/audit-log/head, /v1/admin/audit-log/head, and the keys that their signatures are checked by."""

from lumio.crypto.notary import genuine_under
from tests.support.exports import lively, public_key, seal
from tests.support.world import World


async def test_a_head_is_the_chains_end_under_the_published_key(world: World) -> None:
    robin = await lively(world)
    await seal(world)
    key = await public_key(world.anonymous())
    for path in ("/v1/audit-log/head", "/v1/admin/audit-log/head"):
        head = (await robin.get(path)).json()["data"]
        assert genuine_under(head, (key,))
        assert (head["statement"], len(bytes.fromhex(head["chain"]))) == ("head", 32)
        assert not genuine_under({**head, "position": head["position"] + 1}, (key,))
        assert head["position"] >= 20


async def test_an_operators_head_is_for_operators(world: World) -> None:
    await world.new_person("dana@example.com")
    dana = await world.sign_in("dana@example.com")
    assert (await dana.get("/v1/audit-log/head")).status_code == 200
    assert (await dana.get("/v1/admin/audit-log/head")).status_code == 403
