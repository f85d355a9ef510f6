"""What the tests of popout tokens share: making one, and presenting it where it travels."""

from typing import Any

import httpx2

from lumio.crypto import opaque
from tests.support.world import World

POPOUTS = "/v1/tokens"
LABEL = "stream-overlay"


async def mint(client: httpx2.AsyncClient, *permissions: str, **fields: Any) -> dict[str, Any]:
    """Make a popout token; return the answer's data with the secret."""
    chosen = {"permissions": list(permissions)} if permissions else {}
    answer = await client.post(POPOUTS, json={"label": LABEL, **chosen, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["data"]
    return made


def carrying(world: World, secret: str, ip: str = "203.0.113.7") -> httpx2.AsyncClient:
    """Return a client whose every address carries a popout token."""
    client = world.client(ip)
    client.params = client.params.set("token", secret)
    return client


async def rights(world: World, secret: str) -> list[str]:
    """Return what a popout token may do now, by its own word."""
    answer = await carrying(world, secret).get(f"{POPOUTS}/me")
    assert answer.status_code == 200, answer.text
    found: list[str] = answer.json()["data"]["permissions"]
    return found


def with_wrong_secret(text: str) -> str:
    """Return a well-formed key with the prefix and lookup id of `text` and another secret."""
    cut = opaque.PREFIX_LENGTH + opaque.LOOKUP_LENGTH
    other = opaque.mint(opaque.POPOUT_TOKEN).text
    body = text[:cut] + other[cut : -opaque.CHECKSUM_LENGTH]
    return body + opaque.checksum(body)
