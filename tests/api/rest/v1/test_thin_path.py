"""The thin path through every layer: sign in, mint, use, revoke, read what happened."""

from tests.support.world import World


async def test_a_key_lives_from_its_making_to_its_revocation_and_the_log_tells_all_of_it(
    world: World,
) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    ci = world.bearer(made["key"])

    assert (await ci.get("/v1/users/me")).json()["data"]["label"] == "ci-github-actions"
    receipt = await robin.delete(f"/v1/api-keys/{made['id']}")
    assert receipt.json()["data"]["effective"] is True
    assert (await ci.get("/v1/users/me")).status_code == 401

    told = [(entry["event"], entry["actor"], entry["result"]) for entry in await world.log(robin)]
    assert ("api_key.created", "robin@example.com", "success") in told
    assert ("auth.succeeded", "ci-github-actions", "success") in told
    assert ("api_key.revoked", "robin@example.com", "success") in told
    assert ("auth.failed", "ci-github-actions", "failure") in told
