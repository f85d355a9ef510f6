"""Every dialog of the team's page: no finding of axe-core, nothing wider than the phone, closed choices say why."""

import pytest
from playwright.async_api import Page, expect

from tests.support.accessibility import OVERFLOW, findings
from tests.support.preview_samples import HOSTILE
from tests.support.preview_server import PreviewServer
from tests.support.preview_team import TEAM

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

OPENERS = (
    "Invite", "New Sub-Account", "Role of Ada Okafor", "Remove Ada Okafor", "Leave", "Hand over ownership",
    "Withdraw the invitation of kim@example.com", "New key for ci-deploys", "Delete ci-deploys", "New Account",
    "Confirm Ada Okafor",
)  # fmt: skip
WIDER = """
[...document.querySelectorAll("dialog[open], dialog[open] *")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline")
  .filter((one) => !one.classList.contains("unseen"))
  .map((one) => one.outerHTML.slice(0, 90))
"""


async def test_no_dialog_of_the_team_has_a_finding_or_is_wider_than_a_phone(tab: Page, site: PreviewServer) -> None:
    wrong: list[str] = []
    await tab.emulate_media(reduced_motion="reduce")  # a dialog that fades in has no contrast yet
    for width in (1280, 320):
        await tab.set_viewport_size({"width": width, "height": 800})
        await tab.goto(site.origin + TEAM)
        for name in OPENERS:
            await tab.get_by_role("button", name=name, exact=True).click()
            await expect(tab.get_by_role("dialog")).to_be_visible()
            wide = await tab.evaluate(WIDER)
            if wide or await tab.evaluate(OVERFLOW) > 0:
                wrong.append(f"{width} {name}: too wide: {wide}")
            wrong += [f"{width} {name}: {what}" for what in await findings(tab)]
            await tab.keyboard.press("Escape")
            await expect(tab.get_by_role("dialog")).to_have_count(0)
            await expect(tab.get_by_role("button", name=name, exact=True)).to_be_focused()
    assert not wrong


async def test_the_plan_shows_what_ends_with_its_last_use_and_escapes_every_label(
    tab: Page, site: PreviewServer
) -> None:
    await tab.goto(site.origin + TEAM)
    await tab.get_by_role("button", name="Remove Ada Okafor").click()
    plan = tab.get_by_role("dialog").locator("[data-plan]")
    await expect(plan.get_by_role("heading")).to_have_text(["2 developer key(s)", "1 popout token(s)"])
    await expect(plan.get_by_role("listitem").first).to_contain_text("from 203.0.113.7")
    await expect(plan.get_by_role("listitem").nth(1)).to_contain_text("never used")
    await expect(plan.get_by_role("listitem").last).to_contain_text("<img src=x onerror=alert(1)>\\x1b[31m\\u202e")
    assert HOSTILE not in await plan.inner_text()


async def test_a_confirmed_place_has_no_mark_and_the_note_counts_those_that_are_left(
    tab: Page, site: PreviewServer
) -> None:
    site.memory.proven = True
    await tab.goto(site.origin + TEAM)
    note = tab.locator("#withheld-note")
    await expect(note).to_contain_text("3 member(s) had their place changed since")
    await expect(tab.get_by_role("button", name="Confirm Max Stern")).to_have_count(0)  # the operator's
    await tab.get_by_role("button", name="Confirm Ada Okafor").click()
    dialog = tab.get_by_role("dialog")
    await expect(dialog).to_contain_text("Ada Okafor has the role Admin here again")
    await dialog.get_by_role("button", name="Confirm Membership").click()
    await expect(tab.locator("#announce")).to_have_text("Ada Okafor is Admin here again.")
    await expect(tab.get_by_role("button", name="Role of Ada Okafor")).to_be_focused()
    await expect(tab.locator("tr", has_text="Ada Okafor")).not_to_contain_text("Withheld")
    await expect(note).to_contain_text("2 member(s)")
    for act, name in (("Remove", "Max Stern"), ("Delete", "ci-deploys")):
        await tab.get_by_role("button", name=f"{act} {name}").click()
        await dialog.get_by_role("button", name=act).click()
        await expect(tab.locator("tr", has_text=name)).to_have_count(0)
    await expect(note).to_have_count(0)
    assert [path for method, path, _, _ in site.memory.asked if method == "POST"] == [
        "/api/accounts/a1/members/m1/confirm"
    ]


async def test_a_choice_above_one_s_own_role_is_closed_and_says_why(tab: Page, site: PreviewServer) -> None:
    await tab.goto(f"{site.origin}{TEAM}/team-admin")
    await tab.get_by_role("button", name="Role of Max Stern").click()
    owner = tab.get_by_role("dialog").get_by_role("radio", name="Owner")
    await expect(owner).to_be_disabled()
    await expect(owner).to_have_accessible_description("Above your own role: only an Owner makes Owners.")
    await expect(tab.get_by_role("dialog").get_by_role("radio", name="Member")).to_be_checked()
    await tab.keyboard.press("Escape")
    await expect(tab.get_by_role("button", name="Role of Robin Vale")).to_have_count(0)
    await tab.goto(f"{site.origin}{TEAM}/team-member")
    await expect(tab.get_by_text("does not include inviting and removing people")).to_be_visible()
    await expect(tab.get_by_role("button", name="Invite")).to_have_count(0)
