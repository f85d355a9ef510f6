"""Threat 43: what every answer carries, whatever made it."""

import re

from lumio.kernel.ids import is_uuid
from tests.support.world import World

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}
PAGES = ("/login", "/signup", "/reset", "/verify/x", "/reset/x", "/setup/x", "/nowhere")
SIGNED_IN = ("/dashboard/account/security/api-keys", "/dashboard/account/security/audit-log")


async def test_every_answer_of_programs_carries_them_errors_included(world: World) -> None:
    robin = await world.sign_in()
    tries = [
        (200, await robin.get("/v1/users/me")),
        (201, await robin.post("/v1/api-keys", json={"label": "ci"})),
        (204, await (await world.sign_in()).post("/v1/auth/logout")),
        (400, await robin.post("/v1/api-keys", content=b"{", headers={"Content-Type": "application/json"})),
        (401, await world.anonymous().get("/v1/users/me")),
        (401, await world.bearer("nonsense").get("/v1/users/me")),
        (404, await robin.get("/v1/nowhere")),
        (404, await robin.get("/v1/api-keys/x")),
        (405, await robin.put("/v1/api-keys")),
        (413, await robin.post("/v1/api-keys", content=b'"' + b"x" * 2_000_000 + b'"', headers=JSON)),
        (422, await robin.post("/v1/api-keys", json={})),
    ]
    for status, answer in tries:
        assert answer.status_code == status, answer.text
        assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE, status
        assert answer.headers["cache-control"] == "private, no-store"
        assert is_uuid(answer.headers["x-request-id"])
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


JSON = {"Content-Type": "application/json"}


async def test_every_error_is_a_problem_document_with_the_id_of_its_request(world: World) -> None:
    robin = await world.sign_in()
    tries = {
        "unauthorized": await world.anonymous().get("/v1/users/me"),
        "not_found": await robin.get("/v1/nowhere"),
        "method_not_allowed": await robin.patch("/v1/api-keys"),
        "validation_error": await robin.post("/v1/api-keys", json={}),
        "payload_too_large": await robin.post("/v1/api-keys", content=b"x" * 2_000_000, headers=JSON),
    }
    for code, answer in tries.items():
        problem = answer.json()
        assert answer.headers["content-type"].startswith("application/problem+json"), code
        assert {"type", "title", "status", "detail", "code", "request_id"} <= set(problem)
        assert problem["code"] == code
        assert problem["status"] == answer.status_code
        assert problem["request_id"] == answer.headers["x-request-id"]


async def test_every_page_forbids_frames_foreign_scripts_and_storage_errors_included(world: World) -> None:
    page = await world.page_client()
    answers = [await world.anonymous().get(path) for path in PAGES] + [await page.get(path) for path in SIGNED_IN]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert answer.headers["content-type"].startswith("text/html"), answer.url
        assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE, answer.url
        assert answer.headers["cache-control"] == "private, no-store"
        for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
            assert part in policy, answer.url
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy


async def test_no_page_has_a_script_or_a_style_in_it(world: World) -> None:
    page = await world.page_client()
    for path in SIGNED_IN:
        text = (await page.get(path)).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style|javascript:", text), path


async def test_cookies_are_bound_to_this_host_and_out_of_reach_of_scripts(world: World) -> None:
    client = world.client(Origin="https://lumio.example")
    form = await client.get("/login")
    token = re.search(r'name="_csrf" value="([^"]+)"', form.text)
    assert token is not None
    proof = {"email": "robin@example.com", "password": "violet-otter-sings-9-times", "_csrf": token[1]}
    signed_in = await client.post("/api/login", data=proof)
    cookies = form.headers.get_list("set-cookie") + signed_in.headers.get_list("set-cookie")
    assert len(cookies) >= 2
    for cookie in cookies:
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert cookie.startswith("__Host-")
        assert {"httponly", "secure", "path=/", "samesite=lax"} <= parts
        assert not [part for part in parts if part.startswith("domain")]


async def test_no_answer_allows_another_origin_to_read_it(world: World) -> None:
    robin = await world.sign_in()
    robin.headers["Origin"] = "https://evil.example"
    for answer in (await robin.get("/v1/users/me"), await robin.options("/v1/api-keys")):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_a_method_override_is_ignored(world: World) -> None:
    robin = await world.sign_in()
    made = await world.mint_key(robin)
    override = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}
    await robin.get(f"/v1/api-keys/{made['id']}?_method=DELETE", headers=override)
    assert (await robin.get(f"/v1/api-keys/{made['id']}")).status_code == 200


async def test_the_request_id_is_ours_and_not_the_senders(world: World) -> None:
    answer = await world.client(**{"X-Request-Id": "chosen\x7f"}).get("/v1/users/me")
    assert is_uuid(answer.headers["x-request-id"])
