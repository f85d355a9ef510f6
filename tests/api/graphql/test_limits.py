"""What a query may cost: each of these is refused before anything runs (threat 34)."""

import pytest

from tests.api.graphql.asking import granted, refused
from tests.support.world import World


def _fragments(count: int, body: str, last: str = "me { kind }") -> str:
    """Chain `count` fragments on the query, each using the next one as `body` says."""
    links = [f"fragment F{n} on Query {{ {body.format(next=f'...F{n + 1}')} }}" for n in range(count)]
    return f"{{ ...F0 }} {' '.join(links)} fragment F{count} on Query {{ {last} }}"


def _made(number: int) -> str:
    return f'a{number}: createApiKey(label: "{number}") {{ key }}'


COSTLY = {
    "16 aliases": ("aliases", f"mutation {{ {' '.join(map(_made, range(16)))} }}"),
    "aliases in a fragment used twice": (
        "aliases",
        "{ me { ...A } x: me { ...A } } fragment A on Me { " + " ".join(f"k{n}: kind" for n in range(8)) + " }",
    ),
    "aliases over two operations": (
        "aliases",
        " ".join(f"query {x} {{ {' '.join(f'{x}{n}: me {{ kind }}' for n in range(8))} }}" for x in "AB"),
    ),
    "aliases in an unused fragment": (
        "aliases",
        "{ me { kind } } fragment A on Me { " + " ".join(f"k{n}: kind" for n in range(16)) + " }",
    ),
    "depth 50": ("depth", "{ " + "me { " * 49 + "kind" + " }" * 50),
    "depth 13 by inline fragments": ("depth", "{ " + "... { " * 12 + "me { kind }" + " }" * 13),
    "depth by a chain of fragments": ("depth", _fragments(100, "{next}")),
    "a fragment that is shallow at its first place and deep at its second": (
        "depth",
        "{ ...A " + "... { " * 7 + "...A" + " }" * 8 + " fragment A on Query { ... { ... { ... { me { kind } } } } }",
    ),
    "a circle of fragments": ("depth", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"),
    "a circle that no operation enters": ("depth", "{ me { kind } } fragment A on Query { ...A }"),
    "fragments that double 9 times": ("fields", _fragments(9, "{next} {next}")),
    "fragments that grow twentyfold 9 times": ("fields", _fragments(9, "{next} " * 20)),
    "200 directives on one field": ("directives", "{ me { kind " + "@include(if: true) " * 120 + "} }"),
    "16 directives over many fields": ("directives", "{ me { " + "kind @skip(if: false) " * 16 + "} }"),
    "directives on an operation": ("directives", "query " + "@a " * 16 + "{ me { kind } }"),
    "one field 201 times": ("fields", "{ me { " + "kind " * 200 + "} }"),
}  # fmt: skip


@pytest.mark.parametrize("name", COSTLY)
async def test_a_costly_query_is_refused_and_nothing_of_it_runs(world: World, name: str) -> None:
    rule, query = COSTLY[name]
    robin = await world.sign_in()
    told = await refused(robin, query)

    assert told["code"] == "validation_error"
    assert [(one["field"], one["rule"]) for one in told["errors"]] == [("query", rule)]
    assert (await granted(robin, "{ apiKeys { id } }"))["apiKeys"] == []


async def test_ten_thousand_aliases_are_refused_by_their_length_alone(world: World) -> None:
    robin = await world.sign_in()
    query = f"mutation {{ {' '.join(map(_made, range(10_000)))} }}"
    answer = await robin.post("/v1/gql", json={"query": query})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["extensions"]["errors"][0]["rule"] == "length"
    assert (await granted(robin, "{ apiKeys { id } }"))["apiKeys"] == []


TALKATIVE = ("{ " + "a " * 1001 + "}", "{ me(" + "[" * 999 + "}", "#\n" * 1001 + "{ me { kind } }")


@pytest.mark.parametrize("text", TALKATIVE)
async def test_more_than_a_thousand_words_are_not_read_to_their_end(world: World, text: str) -> None:
    told = await refused(await world.sign_in(), text)
    assert told["code"] == "validation_error"


async def test_what_is_just_within_the_limits_runs(world: World) -> None:
    robin = await world.sign_in()
    many = await granted(robin, f"{{ {' '.join(f'a{n}: me {{ kind }}' for n in range(15))} }}")
    assert len(many) == 15
    wide = await granted(robin, "{ me { " + "kind " * 199 + "} }")
    assert wide == {"me": {"kind": "session"}}
    deep = await granted(robin, "{ " + "... { " * 10 + "me { kind }" + " }" * 11)
    assert deep == {"me": {"kind": "session"}}
    marked = await granted(robin, "{ me { " + "kind @include(if: true) " * 15 + "} }")
    assert marked == {"me": {"kind": "session"}}
