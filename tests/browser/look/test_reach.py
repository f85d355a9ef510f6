"""After a revocation: the row goes at once, and how far it has come is told until it is refused everywhere."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.accessibility import contrasts, findings, overflow
from tests.support.preview_samples import HOSTILE, SEQ, reach
from tests.support.preview_server import PreviewServer
from tests.support.preview_team import TEAM

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEYS = "/dashboard/account/security/api-keys"
EAST_LAGS = (("eu-west", True), ("eu-west", True), ("us-east", True), ("us-east", False))
NONE = reach(("eu-west", False), ("us-east", False))
SOME = reach(*EAST_LAGS)
SILENT = reach(*EAST_LAGS, silent=True)
ALL = reach(("eu-west", True), ("eu-west", True), ("us-east", True), ("us-east", True), effective=True)


def refusing(status: int, code: str) -> Callable[[], tuple[int, dict[str, Any]]]:
    return lambda: (status, {"code": code, "detail": "Not now."})


async def revoke(tab: Page, site: PreviewServer, row: str = "key-1") -> None:
    """Revoke a key of the page."""
    if not tab.url.startswith(site.origin):
        await tab.goto(site.origin + KEYS)
    await tab.locator(f"tr[data-id={row}]").get_by_role("button", name="Revoke").click()
    await tab.get_by_role("button", name="Revoke Key").click()
    await expect(tab.locator(f"tr[data-id={row}]")).to_have_count(0)


async def test_on_one_node_it_is_said_at_once_and_nothing_more_is_asked(tab: Page, site: PreviewServer) -> None:
    await revoke(tab, site)
    said = tab.locator("#announce")
    await expect(said).to_have_text("Key ci-gitlab-staging revoked. It is refused everywhere now. 3 key(s).")
    await expect(tab.locator("#reach")).to_be_hidden()
    assert [path for _, path, _, _ in site.memory.asked] == ["/api/api-keys/key-1"]


async def test_the_progress_is_told_region_by_region_until_it_is_everywhere(tab: Page, site: PreviewServer) -> None:
    site.memory.reach = [NONE, SOME]
    await revoke(tab, site)
    await expect(tab.locator("tr[data-id=key-2]").get_by_role("button", name="Revoke")).to_be_focused()
    await expect(tab.locator("[data-count]")).to_have_text("3 key(s)")
    said = tab.get_by_role("status").filter(has_text="ci-gitlab-staging")
    await expect(said).to_contain_text("Refused in eu-west (2 of 2 nodes), us-east (1 of 2) …")
    assert await said.get_attribute("aria-live") == "polite"
    rows = tab.get_by_role("region", name="Where it is refused").get_by_role("listitem")
    await expect(rows).to_have_text(["eu-west2 of 2 nodes", "us-east1 of 2 nodes"])
    marks = rows.nth(1).locator("[data-state]")
    assert [await mark.get_attribute("data-state") for mark in await marks.all()] == ["refuses", "waits"]
    site.memory.reach = [ALL]
    await expect(said).to_have_text(
        re.compile(r"^Key ci-gitlab-staging revoked\. Refused everywhere, after \d+\.\d s\. 3 key\(s\)\.$")
    )
    await expect(rows.nth(1)).to_have_text("us-east2 of 2 nodes")
    asked = len(site.memory.asked)
    await tab.wait_for_timeout(1200)
    assert len(site.memory.asked) == asked


async def test_before_any_node_has_said_it_the_nodes_are_being_told(tab: Page, site: PreviewServer) -> None:
    site.memory.reach = [NONE]
    await revoke(tab, site)
    await expect(tab.locator("#announce")).to_contain_text("Telling 2 nodes in eu-west, us-east …")


async def test_a_silent_node_is_named_by_its_region_with_how_long_it_can_serve_at_most(
    tab: Page, site: PreviewServer
) -> None:
    site.memory.reach = [SILENT]
    await revoke(tab, site)
    said = tab.locator("#announce")
    await expect(said).to_have_text(
        re.compile(r"us-east \(1 of 2\) … us-east: 1 node silent, serves no more after at most [1-8] s\.$")
    )
    row = tab.locator("#reach li").nth(1)
    await expect(row).to_contain_text("1 node silent")
    site.memory.reach = [SOME]  # heard of again
    await expect(row).not_to_contain_text("silent")
    await expect(said).not_to_contain_text("silent")
    site.memory.reach = [SILENT]
    await expect(row).to_contain_text("1 node silent")
    site.memory.reach = [reach(*EAST_LAGS, silent=True, effective=True)]
    await expect(said).to_contain_text("Refused everywhere, after")
    await expect(row).to_contain_text("1 node silent, out of service")


async def test_a_node_that_has_only_not_said_yet_what_it_knows_is_not_called_silent(
    tab: Page, site: PreviewServer
) -> None:
    site.memory.reach = [SOME, reach(("eu-west", True), ("us-east", False), effective=True)]
    await revoke(tab, site)
    await expect(tab.locator("#announce")).to_contain_text("Refused everywhere, after")
    await expect(tab.locator("#reach li")).to_have_text(["eu-west1 of 1 node", "us-east1 of 1 node"])


async def test_a_second_revocation_is_told_together_with_the_one_under_way(tab: Page, site: PreviewServer) -> None:
    site.memory.reach = [SOME]
    await revoke(tab, site)
    await expect(tab.locator("#announce")).to_contain_text("Refused in eu-west")
    await revoke(tab, site, "key-2")
    await expect(tab.locator("#announce")).to_contain_text(
        "Key ci-gitlab-staging revoked. Key laptop-robin revoked. Refused in eu-west"
    )
    site.memory.reach = [ALL]
    await expect(tab.locator("#announce")).to_contain_text("Key laptop-robin revoked. Refused everywhere, after")
    await expect(tab.locator("#announce")).to_contain_text("2 key(s)")


async def test_a_server_that_cannot_tell_now_is_asked_again_and_one_that_refuses_is_not(
    tab: Page, site: PreviewServer
) -> None:
    away = refusing(503, "unavailable")
    site.memory.reach = [away, away, SOME]
    await revoke(tab, site)
    said = tab.locator("#announce")
    await expect(said).to_contain_text("Refused in eu-west")
    site.memory.reach = [refusing(404, "not_found")]
    await expect(said).to_contain_text("It is refused everywhere within 30 seconds")
    asked = [path for _, path, _, _ in site.memory.asked].count(f"/api/revocations/{SEQ}")
    await tab.wait_for_timeout(1200)
    assert [path for _, path, _, _ in site.memory.asked].count(f"/api/revocations/{SEQ}") == asked


async def test_when_nobody_can_tell_the_promise_stands_after_its_time(tab: Page, site: PreviewServer) -> None:
    site.memory.reach = [refusing(503, "unavailable")]
    await tab.clock.install()
    await tab.goto(site.origin + KEYS)
    await revoke(tab, site)
    for _ in range(40):
        await tab.clock.run_for(1000)
        if "By now" in await tab.locator("#announce").inner_text():
            break
    await expect(tab.locator("#announce")).to_contain_text("By now every node refuses it, or serves nothing")


async def test_the_regions_can_be_hidden_and_the_focus_is_not_lost(tab: Page, site: PreviewServer) -> None:
    site.memory.reach = [SOME]
    await revoke(tab, site)
    panel = tab.get_by_role("region", name="Where it is refused")
    await panel.get_by_role("button", name="Hide").click()
    await expect(tab.locator("#reach")).to_be_hidden()
    await expect(tab.locator("main")).to_be_focused()
    site.memory.reach = [ALL]
    await expect(tab.locator("#announce")).to_contain_text("Refused everywhere, after")
    await expect(tab.locator("#reach")).to_be_hidden()


async def test_a_removal_is_followed_too_and_a_hostile_region_is_text(tab: Page, site: PreviewServer) -> None:
    site.memory.reach = [reach((HOSTILE, True), ("us-east", False))]
    await tab.goto(site.origin + TEAM)
    await tab.get_by_role("button", name="Remove Ada Okafor").click()
    await tab.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(tab.get_by_role("button", name="Remove Ada Okafor")).to_have_count(0)
    said = tab.locator("#announce")
    await expect(said).to_contain_text("1 key(s) and 0 popout token(s) ended. Refused in <img src=x")
    await expect(tab.locator("#reach li").first).to_contain_text(
        "<img src=x onerror=alert(1)>\\x1b[31m\\u202egnp.exe"
    )
    site.memory.reach = [reach((HOSTILE, True), ("us-east", True), effective=True)]
    await expect(said).to_contain_text("Refused everywhere, after")
    assert await tab.locator("img").count() == 0


async def test_the_progress_has_no_finding_hides_no_focus_and_is_no_wider_than_a_phone(
    tab: Page, site: PreviewServer
) -> None:
    many = [
        (f"region-{number}-with-a-long-name-{'x' * 30}", number % 2 == 0) for number in range(3) for _ in range(14)
    ]
    site.memory.reach = [reach(*many, silent=True)]
    await tab.emulate_media(reduced_motion="reduce")
    wrong: list[str] = []
    for width in (1280, 320):
        await tab.set_viewport_size({"width": width, "height": 640})
        await tab.goto(site.origin + KEYS)
        await revoke(tab, site, "key-2")
        await expect(tab.locator("#announce")).to_contain_text("14 nodes silent")
        for scheme in ("light", "dark"):
            await tab.emulate_media(color_scheme=scheme)
            wrong += [f"{width} {scheme}: {what}" for what in await contrasts(tab)]
        wrong += [f"{width}: {what}" for what in await findings(tab)]
        if await tab.evaluate(COVERED):
            wrong.append(f"{width}: what has the focus lies under the progress")
        if await overflow(tab) > 0:
            wrong.append(f"{width}: scrolls sideways")
        await tab.emulate_media(color_scheme="light", forced_colors="active")
        if await tab.locator("#reach [data-state=refuses]").first.evaluate(FILLED) != ["rgb(0, 0, 0)", "7px"]:
            wrong.append(f"{width}: a node that refuses looks like one that does not in forced colours")
        await tab.emulate_media(forced_colors="none")
    assert not wrong


COVERED = """
() => {
  const box = document.activeElement.getBoundingClientRect();
  const shelf = document.querySelector(".shelf").getBoundingClientRect();
  return document.activeElement === document.body || box.bottom > shelf.top;
}
"""
FILLED = "(mark) => { const style = getComputedStyle(mark); return [style.borderLeftColor, style.borderLeftWidth]; }"


async def _becomes(part: Locator, look: str, expected: list[str]) -> bool:
    """Tell whether a part looks as expected, once the page has drawn itself in other colours."""
    for _ in range(40):
        if await part.evaluate(look) == expected:
            return True
        await asyncio.sleep(0.05)
    return False
