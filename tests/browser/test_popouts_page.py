"""Account → Tokens in a browser, before a real server: make, use, edit, revoke; and what a Member is shown."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, StorageState, expect

from lumio.access.policy import Role
from lumio.settings import load
from tests.support.accessibility import contrasts, findings, overflow
from tests.support.browser import fresh_context, seat, sign_in
from tests.support.serving import LiveServer, live_server
from tests.support.world import OPERATOR, PASSWORD, make_template, opened

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("popouts-page")]

ADDRESS = "/dashboard/account/tokens"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with the Owner Robin and the Member Mo in one account."""
    folder = tmp_path_factory.mktemp("popouts")
    asyncio.run(_two_people(folder))
    with live_server({"LUMIO_DATA_DIR": str(folder)}) as running:
        yield running


async def _two_people(folder: Path) -> None:
    await make_template("sqlite", folder, None)
    async with opened(load({"LUMIO_DATA_DIR": str(folder)})) as world:
        robin = await world.sign_in()
        await world.new_person("mo@example.com", Role.MEMBER, await world.account_id(robin))


@pytest.fixture(scope="module")
def robin(installation: LiveServer) -> Iterator[httpx2.Client]:
    """The Owner as a program, signed in once for the module: it takes less than the quarter of an hour."""
    with installation.client() as client:
        form = {"email": OPERATOR, "password": PASSWORD}
        signed_in = client.post("/v1/auth/login", json=form).json()["data"]["access_token"]
        client.headers["Authorization"] = f"Bearer {signed_in}"
        yield client


@pytest.fixture
def server(installation: LiveServer, robin: httpx2.Client) -> Iterator[LiveServer]:
    """The same, with no popout token in it after the test."""
    yield installation
    for one in robin.get("/v1/tokens").json()["data"]:
        robin.delete(f"/v1/tokens/{one['id']}")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owners_seat(browser: Browser, installation: LiveServer) -> StorageState:
    """What a browser keeps in which the Owner has signed in."""
    return await seat(browser, installation.base_url, OPERATOR, PASSWORD, ADDRESS)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, server: LiveServer, owners_seat: StorageState) -> AsyncIterator[Page]:
    """The Owner's page of popout tokens in a fresh context, signed in."""
    async with fresh_context(browser, owners_seat) as context:
        page = await context.new_page()
        await page.goto(server.base_url + ADDRESS)
        yield page


async def _make(page: Page, label: str, *words: str) -> str:
    """Make a popout token with the default right and those that `words` name; return the text for an address."""
    await page.get_by_role("button", name="New Popout Token").click()
    dialog = page.get_by_role("dialog", name="New Popout Token")
    await dialog.get_by_label("Label").fill(label)
    for one in words:
        await dialog.get_by_role("checkbox", name=one).check()
    await page.keyboard.press("Enter")
    reveal = page.get_by_role("dialog", name="Popout Token Created — Save It Now")
    await expect(reveal).to_be_visible()
    text = (await reveal.locator(".key").inner_text()).strip()
    await reveal.get_by_role("button", name="Dismiss").click()
    await expect(reveal).to_be_hidden()
    return text


def _row(page: Page, label: str) -> Locator:
    return page.locator("tr[data-id]").filter(has_text=label)


async def test_a_popout_token_is_made_used_edited_and_revoked_by_a_person(page: Page, server: LiveServer) -> None:
    await expect(page.get_by_text("0 token(s)", exact=True)).to_be_visible()
    await expect(page.get_by_role("heading", name="No popout tokens yet")).to_be_visible()
    text = await _make(page, "stream-overlay", "See who is in the account")
    assert text.startswith("?token=lm_pop_")
    assert len(text) == len("?token=") + 64
    assert text not in await page.content()
    await expect(page.get_by_text("1 token(s)", exact=True)).to_be_visible()
    row = _row(page, "stream-overlay")
    await expect(row).to_contain_text("members:read")
    with httpx2.Client(base_url=server.base_url, trust_env=False) as overlay:
        told = overlay.get(f"/v1/tokens/me{text}").json()["data"]
        assert told["permissions"] == ["extensions:read", "members:read"]

        await row.get_by_role("button", name="Edit").click()
        dialog = page.get_by_role("dialog", name="Edit this popout token")
        await expect(dialog.get_by_label("Label")).to_have_value("stream-overlay")
        await dialog.get_by_label("Label").fill("chat-overlay")
        await dialog.get_by_role("checkbox", name="See who is in the account").uncheck()
        await dialog.get_by_role("button", name="Save Changes").click()
        row = _row(page, "chat-overlay")
        await expect(row).not_to_contain_text("members:read")
        assert overlay.get(f"/v1/tokens/me{text}").json()["data"]["permissions"] == ["extensions:read"]

        await row.get_by_role("button", name="Revoke").click()
        question = page.get_by_role("dialog", name="Revoke this popout token?")
        await expect(question).to_contain_text("chat-overlay")
        await expect(question.get_by_role("button", name="Cancel")).to_be_focused()
        await question.get_by_role("button", name="Revoke Token").click()
        await expect(page.get_by_text("0 token(s)", exact=True)).to_be_visible()
        assert overlay.get(f"/v1/tokens/me{text}").status_code == 401
    await page.reload()
    await expect(page.get_by_role("heading", name="No popout tokens yet")).to_be_visible()


async def test_nothing_ticked_is_told_beside_the_boxes_and_the_input_is_kept(page: Page, server: LiveServer) -> None:
    await page.get_by_role("button", name="New Popout Token").click()
    dialog = page.get_by_role("dialog", name="New Popout Token")
    await expect(dialog.get_by_label("Label")).to_be_focused()
    await dialog.get_by_label("Label").fill("stream-overlay")
    await dialog.get_by_role("checkbox", name="See extensions").uncheck()
    await dialog.get_by_role("button", name="Create Token").click()
    await expect(dialog.locator('[data-error-for="permissions"]')).to_have_text("Choose at least one.")
    await expect(dialog.get_by_label("Label")).to_have_value("stream-overlay")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="New Popout Token")).to_be_focused()
    await expect(page.get_by_text("0 token(s)", exact=True)).to_be_visible()


async def test_one_is_bound_to_a_member_and_ends_on_a_day(page: Page, server: LiveServer) -> None:
    await page.get_by_role("button", name="New Popout Token").click()
    dialog = page.get_by_role("dialog", name="New Popout Token")
    choice = dialog.get_by_label("Acts with the role of")
    await expect(choice.locator("option").first).to_have_text("Robin Vale (you)")
    await dialog.get_by_label("Label").fill("for-mo")
    await choice.select_option(label="Mo")
    await dialog.get_by_label("Expires").select_option(label="In 30 days")
    await dialog.get_by_role("button", name="Create Token").click()
    await page.get_by_role("button", name="Dismiss").click()
    await page.reload()
    row = _row(page, "for-mo")
    await expect(row.locator('[data-th="Acts as"]')).to_have_text("Mo")
    await expect(row.locator('[data-th="Expires"]')).to_contain_text("4 weeks")


async def test_a_member_is_offered_themselves_only_and_sees_their_own(
    context: BrowserContext, server: LiveServer
) -> None:
    page = await context.new_page()
    await sign_in(page, server.base_url, "mo@example.com", PASSWORD, ADDRESS)
    await page.get_by_role("button", name="New Popout Token").click()
    dialog = page.get_by_role("dialog", name="New Popout Token")
    await expect(dialog.get_by_label("Acts with the role of")).to_have_count(0)
    await expect(dialog.get_by_role("checkbox")).to_have_count(3)
    await page.keyboard.press("Escape")
    await _make(page, "mine")
    await expect(page.get_by_text("1 token(s)", exact=True)).to_be_visible()


async def test_a_stale_proof_is_asked_for_and_the_creation_goes_on_by_itself(
    context: BrowserContext, server: LiveServer
) -> None:
    page = await context.new_page()  # signed in by itself: a proof gives the session another cookie
    await sign_in(page, server.base_url, OPERATOR, PASSWORD, ADDRESS)
    refusals = iter([{"code": "step_up_required", "detail": "Prove it.", "status": 403}])

    async def once_refused(route: Route) -> None:
        problem = next(refusals, None)
        if route.request.method != "POST" or problem is None:
            await route.continue_()
        else:
            await route.fulfill(status=403, content_type="application/problem+json", body=json.dumps(problem))

    await page.route("**/api/tokens", once_refused)
    await page.get_by_role("button", name="New Popout Token").click()
    await page.get_by_role("dialog").get_by_label("Label").fill("stream-overlay")
    await page.keyboard.press("Enter")
    await page.get_by_role("dialog", name="Confirm that it is you").get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Popout Token Created — Save It Now")).to_be_visible()


async def test_the_page_and_its_dialogs_have_no_finding_and_never_scroll_sideways(
    page: Page, server: LiveServer
) -> None:
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    await page.reload()
    await _make(page, "<img src=x onerror=alert(1)>\u202egnp.exe")
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 800})
        wrong += await _findings(page)
        for name in ("New Popout Token", "Edit", "Revoke"):
            await page.get_by_role("button", name=name).first.click()
            wrong += await _findings(page)
            await page.keyboard.press("Escape")
    assert not wrong


async def _findings(page: Page) -> list[str]:
    await page.emulate_media(color_scheme="light")
    found = await findings(page)
    await page.emulate_media(color_scheme="dark")
    found += await contrasts(page)
    return [*found, *(["scrolls sideways"] if await overflow(page) > 0 else [])]
