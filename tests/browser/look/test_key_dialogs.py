"""Making and revealing a key: nothing is sent twice, nothing is lost by accident, nothing is left behind."""

import re

import pytest
from playwright.async_api import Dialog, Page, expect

from tests.support.preview_server import PASSWORD, PreviewServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEYS = "/dashboard/account/security/api-keys"


async def ask_for_key(tab: Page, site: PreviewServer, label: str = "ci-github-actions") -> None:
    await tab.goto(site.origin + KEYS)
    await tab.get_by_role("button", name="New API Key").click()
    await tab.get_by_label("Label").fill(label)
    await tab.keyboard.press("Enter")


async def make_key(tab: Page, site: PreviewServer, label: str = "ci-github-actions") -> str:
    site.memory.proven = True
    await ask_for_key(tab, site, label)
    await expect(tab.get_by_role("heading", name="API Key Created — Save Your Key")).to_be_visible()
    return await tab.locator("[data-key]").inner_text()


async def test_the_dialog_starts_in_its_first_field_and_escape_gives_the_focus_back(
    tab: Page, site: PreviewServer
) -> None:
    await tab.goto(site.origin + KEYS)
    opener = tab.get_by_role("button", name="New API Key")
    await opener.click()
    await expect(tab.get_by_label("Label")).to_be_focused()
    await tab.keyboard.press("Escape")
    await expect(tab.locator("#create-key")).to_be_hidden()
    await expect(opener).to_be_focused()
    assert not site.memory.asked


async def test_a_missing_label_is_said_by_its_field_and_nothing_is_sent(tab: Page, site: PreviewServer) -> None:
    await ask_for_key(tab, site, "")
    field = tab.get_by_label("Label")
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(tab.locator("#key-label-error")).not_to_be_empty()
    assert not site.memory.asked


async def test_a_refusal_is_shown_by_its_field_with_the_input_kept(tab: Page, site: PreviewServer) -> None:
    said = "Must have 1 to 100 characters."
    fields = [{"field": "label", "rule": "max_length", "message": said}]
    site.memory.refuse["POST", "/api/api-keys"] = (422, {"code": "validation_error", "errors": fields})
    await ask_for_key(tab, site, "kept")
    await expect(tab.locator("#key-label-error")).to_have_text(said)
    await expect(tab.get_by_label("Label")).to_be_focused()
    await expect(tab.get_by_label("Label")).to_have_value("kept")


async def test_a_fault_of_the_server_names_the_request_and_lets_try_again_with_the_same_idempotency_key(
    tab: Page, site: PreviewServer
) -> None:
    site.memory.refuse["POST", "/api/api-keys"] = (503, {"code": "unavailable", "detail": "Not now."})
    await ask_for_key(tab, site)
    await expect(tab.locator("#create-key [role=alert]")).to_contain_text(re.compile("Not now.*Request id"))
    submit = tab.get_by_role("button", name="Create Key")
    await expect(submit).to_be_enabled()
    async with tab.expect_response("**/api/api-keys"):
        await submit.click()
    first, second = (headers["Idempotency-Key"] for _, _, headers, _ in site.memory.asked)
    assert first == second
    await tab.get_by_label("Label").fill("another")
    async with tab.expect_response("**/api/api-keys"):
        await submit.click()
    assert site.memory.asked[-1][2]["Idempotency-Key"] != first


async def test_a_fresh_proof_is_asked_once_and_the_act_goes_on_by_itself(tab: Page, site: PreviewServer) -> None:
    await ask_for_key(tab, site)
    field = tab.get_by_label("Password")
    await expect(field).to_be_focused()
    await expect(tab.locator("#step-up")).to_contain_text("10 minutes")
    await field.fill("wrong")
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#step-up-password-error")).to_contain_text("does not match")
    await field.fill(PASSWORD)
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#reveal")).to_be_visible()
    posts = [(path, headers) for method, path, headers, _ in site.memory.asked if path == "/api/api-keys"]
    assert len(posts) == 2
    assert len({headers["Idempotency-Key"] for _, headers in posts}) == 1
    assert all(headers["X-CSRF-Token"] for _, headers in posts)


async def test_turning_away_from_the_proof_keeps_the_label(tab: Page, site: PreviewServer) -> None:
    await ask_for_key(tab, site, "kept")
    await expect(tab.get_by_label("Password")).to_be_focused()
    await tab.keyboard.press("Escape")
    await expect(tab.locator("#step-up")).to_be_hidden()
    await expect(tab.get_by_label("Label")).to_have_value("kept")
    await expect(tab.get_by_role("button", name="Create Key")).to_be_enabled()


async def test_the_button_says_creating_and_cannot_be_pressed_twice(tab: Page, site: PreviewServer) -> None:
    await ask_for_key(tab, site)
    await expect(tab.get_by_label("Password")).to_be_visible()
    waiting = tab.locator("#create-key [type=submit]")
    await expect(waiting).to_have_text("Creating…")
    await expect(waiting).to_be_disabled()


async def test_only_dismiss_closes_the_reveal(tab: Page, site: PreviewServer) -> None:
    await make_key(tab, site)
    for _ in range(3):
        await tab.keyboard.press("Escape")
    await tab.mouse.click(5, 5)
    await expect(tab.locator("#reveal")).to_be_visible()
    await tab.get_by_role("button", name="Dismiss").click()
    await expect(tab.locator("#reveal")).to_be_hidden()


async def test_the_key_leaves_the_page_on_dismiss(tab: Page, site: PreviewServer) -> None:
    key = await make_key(tab, site)
    assert re.fullmatch(r"lm_dev_[0-9A-Za-z]{57}", key)
    await tab.get_by_role("button", name="Dismiss").click()
    await expect(tab.locator("#reveal")).to_be_hidden()
    assert key[7:] not in await tab.content()
    stored = await tab.evaluate("JSON.stringify([localStorage, sessionStorage, history.state, location.href])")
    assert key[7:] not in stored
    await expect(tab.locator("tbody tr").first).to_contain_text(key[:19])


async def test_the_next_step_shows_the_command_with_the_key_masked(tab: Page, site: PreviewServer) -> None:
    key = await make_key(tab, site)
    await expect(tab.locator("[data-next] .command")).to_have_text(f"lumio login --token {key[:19]}…")


async def test_copying_says_so_in_words_and_leaves_with_no_warning(tab: Page, site: PreviewServer) -> None:
    await tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.origin)
    warned: list[str] = []

    async def hear(dialog: Dialog) -> None:
        warned.append(dialog.type)
        await dialog.accept()

    tab.on("dialog", hear)
    key = await make_key(tab, site)
    await tab.reload()
    assert warned == ["beforeunload"]
    key = await make_key(tab, site)
    await tab.get_by_role("button", name="Copy Key").click()
    await expect(tab.locator("[data-copied]")).to_have_text("Copied.")
    assert await tab.evaluate("navigator.clipboard.readText()") == key
    await tab.reload()
    assert warned == ["beforeunload"]


async def test_where_the_clipboard_is_refused_the_key_is_selected_and_the_keys_to_press_are_named(
    tab: Page, site: PreviewServer
) -> None:
    await tab.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))")
    key = await make_key(tab, site)
    await tab.get_by_role("button", name="Copy Key").click()
    await expect(tab.locator("[data-copied]")).to_contain_text("press Ctrl+C")
    assert await tab.evaluate("getSelection().toString()") == key


async def test_the_whole_key_can_be_read_on_a_narrow_phone(tab: Page, site: PreviewServer) -> None:
    await tab.set_viewport_size({"width": 320, "height": 640})
    await make_key(tab, site)
    box = await tab.locator("[data-key]").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert await tab.locator("[data-key]").evaluate("(element) => element.scrollWidth <= element.clientWidth")


async def test_a_chosen_end_is_sent_in_utc_and_never_is_preselected(tab: Page, site: PreviewServer) -> None:
    site.memory.proven = True
    await tab.goto(site.origin + KEYS)
    await tab.get_by_role("button", name="New API Key").click()
    await tab.get_by_label("Label").fill("till-friday")
    await expect(tab.get_by_label("Expires")).to_have_value("")
    await tab.get_by_label("Expires").select_option("date")
    await tab.get_by_label("Last day (UTC)").fill("2099-12-31")
    await tab.get_by_role("button", name="Create Key").click()
    await expect(tab.locator("#reveal")).to_be_visible()
    assert site.memory.asked[-1][3] == {"label": "till-friday", "expires_at": "2100-01-01T00:00:00.000Z"}
