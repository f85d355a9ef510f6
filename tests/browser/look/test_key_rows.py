"""Rotating and revoking: the list changes only when the server agrees, and the focus never gets lost."""

import pytest
from playwright.async_api import Page, expect

from tests.support.preview_samples import HOSTILE
from tests.support.preview_server import PreviewServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEYS = "/dashboard/account/security/api-keys"


async def test_a_new_row_appears_without_reload_and_the_count_is_announced(tab: Page, site: PreviewServer) -> None:
    site.memory.proven = True
    await tab.goto(site.origin + KEYS)
    await expect(tab.locator("[data-count]")).to_have_text("4 key(s)")
    await tab.get_by_role("button", name="New API Key").click()
    await tab.get_by_label("Label").fill(HOSTILE)
    await tab.keyboard.press("Enter")
    await tab.get_by_role("button", name="Dismiss").click()
    first = tab.locator("tbody tr").first
    await expect(first).to_contain_text("<img src=x onerror=alert(1)>\\x1b[31m\\u202egnp.exe")
    await expect(first).to_contain_text("Robin Vale")
    await expect(tab.locator("[data-count]")).to_have_text("5 key(s)")
    await expect(tab.locator("#announce")).to_contain_text("5 key(s)")
    assert await tab.locator("img").count() == 0


async def test_revoking_names_the_key_and_its_effect_and_starts_on_cancel(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + KEYS)
    row = tab.locator("tr[data-id=key-1]")
    await row.get_by_role("button", name="Revoke").click()
    dialog = tab.locator("#revoke-key")
    await expect(dialog).to_contain_text("ci-gitlab-staging")
    await expect(dialog).to_contain_text("within 30 seconds")
    await expect(dialog).to_contain_text("cannot be restored")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    assert await dialog.get_by_role("button").last.inner_text() == "Revoke Key"
    await tab.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(row).to_be_visible()
    assert not site.memory.asked


async def test_a_revoked_row_goes_and_the_focus_moves_to_the_next_one(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + KEYS)
    await tab.locator("tr[data-id=key-1]").get_by_role("button", name="Revoke").click()
    await tab.get_by_role("button", name="Revoke Key").click()
    await expect(tab.locator("tr[data-id=key-1]")).to_have_count(0)
    await expect(tab.locator("tr[data-id=key-2]").get_by_role("button", name="Revoke")).to_be_focused()
    await expect(tab.locator("#announce")).to_contain_text("3 key(s)")
    assert site.memory.asked[-1][:2] == ("DELETE", "/api/api-keys/key-1")


async def test_a_row_stays_when_the_server_does_not_agree(tab: Page, site: PreviewServer) -> None:
    site.memory.refuse["DELETE", "/api/api-keys/key-1"] = (503, {"detail": "Not now.", "code": "unavailable"})
    await tab.goto(site.origin + KEYS)
    await tab.locator("tr[data-id=key-1]").get_by_role("button", name="Revoke").click()
    await tab.get_by_role("button", name="Revoke Key").click()
    await expect(tab.locator("#revoke-key [role=alert]")).to_contain_text("Not now.")
    await tab.keyboard.press("Escape")
    await expect(tab.locator("tr[data-id=key-1]")).to_be_visible()
    await expect(tab.locator("[data-count]")).to_have_text("4 key(s)")


async def test_the_last_row_leaves_the_lesson_and_the_focus_on_the_button_that_makes_a_key(
    tab: Page, site: PreviewServer
) -> None:
    await tab.goto(site.origin + KEYS)
    for left in (3, 2, 1, 0):
        await tab.locator("tbody tr").first.get_by_role("button", name="Revoke").click()
        await tab.get_by_role("button", name="Revoke Key").click()
        await expect(tab.locator("[data-count]")).to_have_text(f"{left} key(s)")
    await expect(tab.get_by_text("No keys yet")).to_be_visible()
    await expect(tab.locator("#new-key")).to_be_focused()


async def test_a_rotation_reveals_the_successor_shows_both_and_ends_the_old_one_in_one_step(
    tab: Page, site: PreviewServer
) -> None:
    site.memory.proven = True
    await tab.goto(site.origin + KEYS)
    await tab.locator("tr[data-id=key-2]").get_by_role("button", name="Rotate").click()
    await tab.get_by_role("button", name="Create Successor").click()
    await tab.get_by_role("button", name="Dismiss").click()
    dialog = tab.locator("#compare-keys")
    await expect(dialog.locator("[data-side=old]")).to_contain_text("laptop-robin")
    await expect(dialog.locator("[data-side=new] [data-slot=start]")).to_contain_text("lm_dev_")
    await dialog.get_by_role("button", name="Revoke Old Key").click()
    await expect(tab.locator("tr[data-id=key-2]")).to_have_count(0)
    assert [entry[:2] for entry in site.memory.asked if entry[0] != "GET"] == [
        ("POST", "/api/api-keys/key-2/rotate"),
        ("DELETE", "/api/api-keys/key-2"),
    ]
    await expect(tab.get_by_role("button", name="Finish rotation")).to_have_count(0)


async def test_a_rotation_left_for_later_can_be_finished_from_the_row(tab: Page, site: PreviewServer) -> None:
    site.memory.proven = True
    await tab.goto(site.origin + KEYS)
    await tab.locator("tr[data-id=key-2]").get_by_role("button", name="Rotate").click()
    await tab.get_by_role("button", name="Create Successor").click()
    await tab.get_by_role("button", name="Dismiss").click()
    await tab.get_by_role("button", name="Later").click()
    await tab.get_by_role("button", name="Finish rotation").click()
    await expect(tab.locator("#compare-keys [data-side=old]")).to_contain_text("laptop-robin")


async def test_a_column_sorts_in_place_with_its_state_in_the_address(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + KEYS)
    await tab.get_by_role("button", name="Label").click()
    head = tab.get_by_role("columnheader", name="Label")
    await expect(head).to_have_attribute("aria-sort", "ascending")
    await expect(tab.locator("tbody tr .label").nth(1)).to_have_text("ci-github-actions")
    await expect(tab).to_have_url(f"{site.origin}{KEYS}?sort=label&order=asc")
    await tab.get_by_role("button", name="Label").click()
    await expect(head).to_have_attribute("aria-sort", "descending")
    await expect(tab.locator("tbody tr .label").first).to_have_text("laptop-robin")
    await expect(tab.locator("th[aria-sort]")).to_have_count(1)


async def test_publishing_marks_the_new_and_the_former_version_at_once(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + "/dashboard/extensions/ext_confetti")
    await tab.get_by_role("button", name="Publish 2.0.0").click()
    dialog = tab.locator("#publish-version")
    await expect(dialog).to_contain_text("Version 1.4.2 is then superseded.")
    await dialog.get_by_role("button", name="Publish").click()
    await expect(tab.locator("tr[data-id=ver_200]")).to_contain_text("published")
    await expect(tab.locator("tr[data-id=ver_142]")).to_contain_text("superseded")
    await expect(tab.get_by_role("button", name="Publish 2.0.0")).to_have_count(0)
    assert site.memory.asked[-1][1].endswith("/versions/ver_200/publish")


async def test_a_new_extension_opens_its_own_page(tab: Page, site: PreviewServer) -> None:
    await tab.goto(site.origin + "/dashboard/extensions")
    await tab.get_by_role("button", name="New Extension").click()
    await tab.get_by_label("Name").fill("Chat Confetti")
    await tab.get_by_role("button", name="Create Extension").click()
    await expect(tab).to_have_url(f"{site.origin}/dashboard/extensions/ext_confetti")
    assert site.memory.asked[0][3] == {"name": "Chat Confetti"}
