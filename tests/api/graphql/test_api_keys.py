"""Developer keys over GraphQL, from making to revoking."""

import pytest

from tests.api.graphql.asking import GRAPHQL, ask, granted, refused
from tests.support.world import World

CREATE = "mutation($label: String!) { createApiKey(label: $label) { key apiKey { id label holder { name } } } }"
REVOKE = "mutation($id: ID!) { revokeApiKey(id: $id) { id revokedAt seq effective } }"
ROTATE = "mutation($id: ID!) { rotateApiKey(id: $id) { key apiKey { id label predecessorId } } }"


async def test_a_key_lives_from_its_making_to_its_revocation(world: World) -> None:
    robin = await world.sign_in()
    made = (await granted(robin, CREATE, label="ci-github-actions"))["createApiKey"]
    ci = world.bearer(made["key"])

    assert made["apiKey"]["label"] == "ci-github-actions"
    assert made["apiKey"]["holder"] == {"name": "Robin Vale"}
    assert (await granted(ci, "{ me { kind label role } }"))["me"] == {
        "kind": "api_key", "label": "ci-github-actions", "role": "owner",
    }  # fmt: skip
    receipt = (await granted(robin, REVOKE, id=made["apiKey"]["id"]))["revokeApiKey"]
    assert receipt["id"] == made["apiKey"]["id"]
    assert receipt["effective"] is True
    assert receipt["revokedAt"].endswith("Z")
    assert (await ci.post("/v1/gql", json={"query": "{ me { kind } }"})).status_code == 401


async def test_a_successor_names_its_predecessor_and_both_keys_work(world: World) -> None:
    robin = await world.sign_in()
    old = await world.mint_key(robin)
    new = (await granted(robin, ROTATE, id=old["id"]))["rotateApiKey"]

    assert new["apiKey"]["predecessorId"] == old["id"]
    for key in (old["key"], new["key"]):
        assert (await granted(world.bearer(key), "{ me { label } }"))["me"]["label"] == "ci-github-actions"


async def test_no_list_and_no_log_holds_the_key(world: World) -> None:
    robin = await world.sign_in()
    made = (await granted(robin, CREATE, label="ci"))["createApiKey"]
    seen = await granted(
        robin,
        "{ apiKeys { id label prefix lookupId } auditLog { edges { node { event actor detail target { id } } } } }",
    )

    assert seen["apiKeys"][0]["id"] == made["apiKey"]["id"]
    assert made["key"].startswith(seen["apiKeys"][0]["prefix"] + seen["apiKeys"][0]["lookupId"])
    assert made["key"] not in str(seen)


async def test_keys_are_read_page_by_page_in_the_order_of_rest(world: World) -> None:
    robin = await world.sign_in()
    for number in range(5):
        await world.mint_key(robin, f"key-{number}")

    labels: list[str] = []
    after: str | None = None
    for _ in range(3):
        page = await granted(
            robin, "query($after: String) { apiKeys(first: 2, after: $after) { label cursor } }", after=after
        )
        labels += [one["label"] for one in page["apiKeys"]]
        after = page["apiKeys"][-1]["cursor"]
    over_rest = (await robin.get("/v1/api-keys")).json()["data"]

    assert labels == [one["label"] for one in over_rest]
    assert labels == ["key-4", "key-3", "key-2", "key-1", "key-0"]


async def test_an_expiry_date_is_kept_to_the_microsecond_and_shown_in_utc(world: World) -> None:
    made = await granted(
        await world.sign_in(),
        'mutation($at: DateTime) { createApiKey(label: "a", expiresAt: $at) { apiKey { expiresAt } } }',
        at="2099-01-01T02:00:00.000001+02:00",
    )
    assert made["createApiKey"]["apiKey"]["expiresAt"] == "2099-01-01T00:00:00.000001Z"


@pytest.mark.parametrize(
    ("arguments", "field", "rule"),
    [
        ('label: ""', "label", "length"),
        ('label: "   "', "label", "length"),
        (f'label: "{"x" * 101}"', "label", "length"),
        ('label: "a\\u0000b"', "label", "characters"),
        ('label: "a", expiresAt: "2020-01-01T00:00:00Z"', "expiresAt", "future"),
        ('label: "a", expiresAt: "2099-01-01T00:00:00"', "expiresAt", "future"),
        ('label: "a", expiresAt: "tomorrow"', "expiresAt", "time"),
        ('label: "a", subAccountId: "0199"', "subAccountId", "unknown"),
    ],
)
async def test_bad_input_is_refused_with_the_field_and_the_rule_and_makes_nothing(
    world: World, arguments: str, field: str, rule: str
) -> None:
    robin = await world.sign_in()
    told = await refused(robin, f"mutation {{ createApiKey({arguments}) {{ key }} }}")

    assert told["code"] == "validation_error"
    assert [(one["field"], one["rule"]) for one in told["errors"]] == [(field, rule)]
    assert (await granted(robin, "{ apiKeys { id } }"))["apiKeys"] == []


@pytest.mark.parametrize(("first", "rule"), [(0, "range"), (-1, "range"), (201, "range")])
async def test_the_size_of_a_page_has_the_limits_of_rest(world: World, first: int, rule: str) -> None:
    told = await refused(await world.sign_in(), "query($n: Int!) { apiKeys(first: $n) { id } }", n=first)
    assert [(one["field"], one["rule"]) for one in told["errors"]] == [("first", rule)]


async def test_aliased_mutations_are_units_of_their_own(world: World) -> None:
    """What failed leaves what came before it in place, and ends the request: the rest does not run."""
    robin = await world.sign_in()
    answer = await ask(
        robin,
        'mutation { a: createApiKey(label: "one") { key } b: createApiKey(label: "") { key } '
        'c: createApiKey(label: "three") { key } }',
    )
    labels = [one["label"] for one in (await granted(robin, "{ apiKeys { label } }"))["apiKeys"]]

    assert answer["data"] is None
    assert [one["path"] for one in answer["errors"]] == [["b"]]
    assert labels == ["one"]


async def test_each_aliased_mutation_is_an_attempt_of_its_own_in_the_log(world: World) -> None:
    robin = await world.sign_in()
    fields = [f'a{n}: createApiKey(label: "k{n}") {{ key }}' for n in range(15)]
    await granted(robin, f"mutation {{ {' '.join(fields)} }}")
    told = [entry["detail"]["label"] for entry in await world.log(robin, event="api_key.created")]
    assert sorted(told) == sorted(f"k{n}" for n in range(15))


async def test_a_key_that_ends_itself_gets_its_receipt(world: World) -> None:
    made = await world.mint_key(await world.sign_in())
    receipt = (await granted(world.bearer(made["key"]), REVOKE, id=made["id"]))["revokeApiKey"]
    assert receipt["effective"] is True


async def test_a_key_that_ends_itself_does_nothing_more_in_the_same_request(world: World) -> None:
    robin = await world.sign_in()
    victim, asking = await world.mint_key(robin, "victim"), await world.mint_key(robin, "asking")
    query = "mutation($own: ID!, $other: ID!) { a: revokeApiKey(id: $own) { id } b: revokeApiKey(id: $other) { id } }"
    variables = {"own": asking["id"], "other": victim["id"]}
    answer = await world.bearer(asking["key"]).post(GRAPHQL, json={"query": query, "variables": variables})

    assert answer.status_code == 401
    assert [one["label"] for one in (await granted(robin, "{ apiKeys { label } }"))["apiKeys"]] == ["victim"]
