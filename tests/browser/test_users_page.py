"""Admin → Users: finding people, giving roles, suspending and reinstating, as an operator does it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, StorageState, expect

from lumio.settings import load
from tests.support.accessibility import contrasts, findings, overflow
from tests.support.browser import seat, sign_in
from tests.support.operators import give, lay_role
from tests.support.serving import LiveServer, live_server
from tests.support.world import OPERATOR, PASSWORD, make_template, opened

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("users-page")]

EXTENSIONS = "/dashboard/extensions"
KIM, EVE = "kim@example.com", "eve@example.com"
WATCHER = {"admin:access", "users:read", "users:edit", "admin-roles:read"}


@dataclass(slots=True)
class Site:
    """A server with Robin the system admin, Eve who may do a part of it, and Kim who may nothing."""

    server: LiveServer
    browser: Browser
    seats: dict[str, StorageState] = field(default_factory=dict)

    @property
    def users(self) -> str:
        return f"{self.server.base_url}/users"

    async def sign_in(self, page: Page, email: str) -> None:
        await sign_in(page, self.server.base_url, email, PASSWORD, EXTENSIONS)

    async def take_seat(self, page: Page, email: str) -> None:
        """Go on where this person signed in once for the module."""
        if email not in self.seats:
            self.seats[email] = await seat(self.browser, self.server.base_url, email, PASSWORD, EXTENSIONS)
        await page.context.set_storage_state(self.seats[email])
        await page.goto(self.server.base_url + EXTENSIONS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Site]:
    """One server for the module: each test leaves people and roles as it found them."""
    folder = tmp_path_factory.mktemp("users")
    asyncio.run(_three_people(folder))
    with live_server({"LUMIO_DATA_DIR": str(folder)}) as server:
        yield Site(server, browser)


async def _three_people(folder: Path) -> None:
    await make_template("sqlite", folder, None)
    async with opened(load({"LUMIO_DATA_DIR": str(folder)})) as world:
        await world.new_person(KIM)
        eve = await world.new_person(EVE)
        await give(world, eve["user_id"], await lay_role(world, "watcher", WATCHER))


def person(page: Page, email: str) -> Locator:
    """Return the row of a person."""
    return page.locator("#people tbody tr").filter(has_text=email)


def role(page: Page, name: str) -> Locator:
    """Return the row of a role."""
    return page.locator(f'#roles tbody tr[data-name="{name}"]')


async def test_a_role_is_made_given_renamed_taken_and_deleted(site: Site, page: Page) -> None:
    await site.take_seat(page, OPERATOR)
    await page.get_by_role("link", name="Users").click()
    await expect(page.get_by_text("2 role(s)", exact=True)).to_be_visible()
    await page.get_by_role("button", name="New Role").click()
    await expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    await page.keyboard.type("Key Keeper")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Must have 2 to 40 lower-case letters")).to_be_visible()
    await page.get_by_role("textbox", name="Name").fill("key-keeper")
    await page.get_by_role("dialog").get_by_label("See the system keys").check()
    await page.get_by_role("button", name="Create Role").click()
    await expect(page.get_by_text("3 role(s)", exact=True)).to_be_visible()
    await expect(role(page, "key-keeper")).to_contain_text("system-keys:read")

    await page.get_by_role("button", name="Roles of Kim").click()
    await page.get_by_role("dialog").get_by_label("key-keeper").check()
    await page.get_by_role("button", name="Save Roles").click()
    await expect(person(page, KIM)).to_contain_text("key-keeper")
    await expect(role(page, "key-keeper").locator("[data-slot=holders]")).to_have_text("1")

    await page.get_by_role("button", name="Delete key-keeper").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete Role").click()
    await expect(page.get_by_role("dialog")).to_contain_text("1 person(s) hold this role")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Edit key-keeper").click()
    await page.get_by_role("textbox", name="Name").fill("keeper")
    await page.get_by_role("button", name="Save Changes").click()
    await expect(person(page, KIM).locator("code")).to_have_text(["keeper"])
    await page.reload()
    await expect(person(page, KIM).locator("code")).to_have_text(["keeper"])

    await page.get_by_role("button", name="Roles of Kim").click()
    await page.get_by_role("dialog").get_by_label("keeper").uncheck()
    await page.get_by_role("button", name="Save Roles").click()
    await page.get_by_role("button", name="Delete keeper").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete Role").click()
    await expect(page.get_by_text("2 role(s)", exact=True)).to_be_visible()


async def test_a_suspended_person_is_out_in_their_own_browser_and_in_again_later(
    site: Site, page: Page, browser: Browser
) -> None:
    await site.take_seat(page, OPERATOR)
    other = await browser.new_context()
    theirs = await other.new_page()
    await site.sign_in(theirs, KIM)
    await page.goto(site.users)
    await page.get_by_role("button", name="Suspend Kim").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(KIM)
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await dialog.get_by_role("button", name="Suspend").click()
    await expect(person(page, KIM)).to_contain_text("Suspended")
    await expect(page.get_by_role("button", name="Reinstate Kim")).to_be_focused()
    await theirs.reload()
    await expect(theirs).to_have_url(f"{site.server.base_url}/login?next=/dashboard/extensions")

    await page.get_by_role("button", name="Reinstate Kim").click()
    await dialog.get_by_role("button", name="Reinstate").click()
    await expect(person(page, KIM)).to_contain_text("Active")
    await site.sign_in(theirs, KIM)
    await other.close()


async def test_what_is_above_the_person_at_the_screen_cannot_be_ticked_and_says_why(site: Site, page: Page) -> None:
    await site.take_seat(page, EVE)
    await page.goto(site.users)
    await expect(page.get_by_role("button", name="New Role")).to_have_count(0)
    await page.get_by_role("button", name="Roles of Kim").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("system_admin")).to_be_disabled()
    await expect(dialog).to_contain_text("Above your own role: you do not hold admin-roles:edit.")
    await expect(dialog.get_by_label("watcher")).to_be_enabled()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Suspend Robin Vale").click()
    await dialog.get_by_role("button", name="Suspend").click()
    await expect(dialog).to_contain_text("The role system_admin is above yours")
    await page.keyboard.press("Escape")
    await expect(person(page, OPERATOR)).to_contain_text("Active")
    await expect(page.get_by_role("button", name="Suspend Eve")).to_have_count(0)


async def test_the_search_works_without_script_and_keeps_its_words(site: Site, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await site.sign_in(page, OPERATOR)
    await page.goto(site.users)
    await expect(page.locator("noscript p")).to_be_visible()
    await page.get_by_label("Mail address or name").fill("KIM")
    await page.get_by_role("button", name="Search").click()
    await expect(page).to_have_url(f"{site.users}?query=KIM")
    await expect(page.locator("#people tbody tr")).to_have_count(1)
    await expect(page.get_by_label("Mail address or name")).to_have_value("KIM")
    await page.get_by_label("Mail address or name").fill("nobody-at-all")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("Nobody found")).to_be_visible()
    await expect(page.get_by_role("button", name="Suspend Kim")).to_have_count(0)
    await context.close()


async def test_page_and_dialogs_have_no_finding_and_never_scroll_sideways(site: Site, page: Page) -> None:
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await site.take_seat(page, OPERATOR)
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(site.users)
        for opener in (None, "Roles of Eve", "Suspend Eve", "New Role", "Edit watcher"):
            if opener:
                await page.get_by_role("button", name=opener).click()
            if await overflow(page) > 0:
                wrong.append(f"{width} {opener}: scrolls sideways")
            await page.emulate_media(color_scheme="light")
            wrong += [f"{width} {opener}: {one}" for one in await findings(page)]
            await page.emulate_media(color_scheme="dark")
            wrong += [f"{width} {opener}, dark: {one}" for one in await contrasts(page)]
            if opener:
                await page.keyboard.press("Escape")
    assert not wrong
