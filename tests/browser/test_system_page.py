"""Admin → System, as the operator meets it: the card, its dialogs, and the four common scenarios."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, StorageState, expect

from lumio.crypto import opaque
from tests.support.accessibility import contrasts, findings, overflow
from tests.support.browser import faults, fresh_context, seat
from tests.support.serving import LiveServer, live_server
from tests.support.system_keys import KEYS
from tests.support.world import OPERATOR, PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("system-page")]

LABEL = "kick-bot-prod"
TITLE = "API Key Created — Save Your Key"
SENTENCE = "This key will only be shown once. Copy it now and store it securely."
ACCOUNT_LOG = "/dashboard/account/security/audit-log"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A real server whose first operator is Robin."""
    with live_server({"LUMIO_DATA_DIR": str(tmp_path_factory.mktemp("system") / "data")}) as running:
        form = {"email": OPERATOR, "password": PASSWORD, "display_name": "Robin Vale", "account_name": "Acme"}
        with running.client() as client:
            answer = client.post("/v1/setup", json={"code": running.set_up_code, **form})
        assert answer.status_code == 201, answer.text
        yield running


@pytest.fixture(scope="module")
def operator(server: LiveServer) -> Iterator[httpx2.Client]:
    """The operator as a program, signed in once for the module: it takes less than the quarter of an hour."""
    with server.client() as anonymous:
        answer = anonymous.post("/v1/auth/login", json={"email": OPERATOR, "password": PASSWORD})
    with server.client(answer.json()["data"]["access_token"]) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def operators_seat(browser: Browser, server: LiveServer) -> StorageState:
    """What a browser keeps in which the operator has signed in."""
    return await seat(browser, server.base_url, OPERATOR, PASSWORD, "/system")


@pytest.fixture
def robin(operator: httpx2.Client) -> httpx2.Client:
    """The same program; every key is gone before."""
    for key in operator.get(KEYS).json()["data"]:
        operator.delete(f"{KEYS}/{key['id']}")
    return operator


@pytest_asyncio.fixture(loop_scope="session")
async def tab(
    browser: Browser, server: LiveServer, operators_seat: StorageState, robin: httpx2.Client
) -> AsyncIterator[Page]:
    """The operator's browser, signed in; a script error or a broken policy fails the test."""
    assert robin.get(KEYS).json()["data"] == []
    async with fresh_context(browser, operators_seat) as context:
        page = await context.new_page()
        wrong = faults(page)
        await page.goto(server.base_url + "/system")
        yield page
    assert not wrong


def card(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("System API Keys"))


async def create(page: Page, label: str) -> str:
    """Make a key on the page; return what the reveal dialog shows."""
    await page.get_by_role("button", name="Create Key").click()
    await page.get_by_role("dialog", name="Create System API Key").get_by_label("Label").fill(label)
    await page.keyboard.press("Enter")
    reveal = page.get_by_role("dialog", name=TITLE)
    key = (await reveal.locator("[data-key]").inner_text()).strip()
    assert opaque.is_well_formed(key, opaque.SYSTEM_KEY)
    return key


async def dismiss(page: Page) -> None:
    await page.get_by_role("dialog", name=TITLE).get_by_role("button", name="Dismiss").click()


async def labels(page: Page) -> list[str]:
    return [text.strip() for text in await card(page).locator("tbody .first .label").all_inner_texts()]


async def revoke(page: Page, label: str) -> None:
    await page.get_by_role("button", name=f"Revoke {label}").click()
    await page.get_by_role("dialog", name="Revoke this key?").get_by_role("button", name="Revoke Key").click()


def use(server: LiveServer, key: str, account_id: str | None = None) -> int:
    with server.client(key) as bot:
        headers = {} if account_id is None else {"X-Lumio-Account": account_id}
        return bot.get("/v1/users/me", headers=headers).status_code


async def test_the_sidebar_leads_to_the_card_with_its_count_and_five_columns(
    tab: Page, server: LiveServer, robin: httpx2.Client
) -> None:
    await tab.goto(server.base_url + "/dashboard/extensions")
    admin = tab.get_by_role("region", name="Admin", exact=True)
    await admin.get_by_role("link", name="System").click()
    await expect(tab.get_by_role("heading", name="System", exact=True)).to_be_visible()
    await expect(card(tab).get_by_text("0 key(s)", exact=True)).to_be_visible()
    robin.post(KEYS, json={"label": LABEL})
    await tab.reload()
    await expect(card(tab).get_by_text("1 key(s)", exact=True)).to_be_visible()
    heads = [text.strip() for text in await card(tab).get_by_role("columnheader").all_inner_texts()]
    assert heads == ["Label", "Permissions", "Created", "Last used", "Revoke"]
    row = card(tab).get_by_role("row", name=re.compile(LABEL))
    await expect(row.get_by_role("cell").nth(1)).to_have_text(
        re.compile(r"auth:introspect\s*extensions:read\s*members:read\s*system-connections:use")
    )
    await expect(row.get_by_role("cell").nth(3).locator(".dash")).to_have_text("—")


async def test_mint_a_key_for_a_new_bot_worker(tab: Page, server: LiveServer) -> None:
    await tab.get_by_role("button", name="Create Key").click()
    dialog = tab.get_by_role("dialog", name="Create System API Key")
    fields = dialog.locator("input:not([type=hidden]), select, textarea")
    assert await fields.count() == 1
    await expect(dialog.get_by_label("Label")).to_be_focused()
    await expect(dialog.get_by_text("Twitch Bot Key")).to_be_visible()
    await dialog.get_by_label("Label").fill(LABEL)
    async with tab.expect_request("**/api/system-keys") as asked:
        await tab.keyboard.press("Enter")
    request = await asked.value
    assert (request.method, request.post_data_json) == ("POST", {"label": LABEL})
    assert "idempotency-key" in request.headers

    reveal = tab.get_by_role("dialog", name=TITLE)
    await expect(reveal.get_by_text(SENTENCE, exact=True)).to_be_visible()
    assert [text.strip() for text in await reveal.get_by_role("button").all_inner_texts()] == ["Dismiss", "Copy Key"]
    assert await reveal.locator("a, input, code, [data-next]").count() == 0
    key = (await reveal.locator("[data-key]").inner_text()).strip()
    await tab.keyboard.press("Escape")
    await tab.keyboard.press("Escape")
    await expect(reveal).to_be_visible()
    await tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await reveal.get_by_role("button", name="Copy Key").click()
    await expect(reveal.get_by_text("Copied.")).to_be_visible()
    assert await tab.evaluate("navigator.clipboard.readText()") == key
    await dismiss(tab)

    await expect(card(tab).get_by_text("1 key(s)", exact=True)).to_be_visible()
    assert key not in await tab.content()
    assert key[19:] not in await tab.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    await tab.reload()
    assert key[7:19] not in await tab.content()
    assert await labels(tab) == [LABEL]
    assert use(server, key) == 200


async def test_rotate_a_leaked_key(tab: Page, server: LiveServer) -> None:
    leaked = await create(tab, LABEL)
    await dismiss(tab)
    successor = await create(tab, LABEL)
    await dismiss(tab)
    await expect(tab.locator("#announce")).to_contain_text("Another key has this label")
    assert (use(server, leaked), use(server, successor)) == (200, 200)

    old = card(tab).get_by_role("row", name=re.compile(LABEL)).nth(1)
    await old.get_by_role("button", name="Revoke").click()
    prompt = tab.get_by_role("dialog", name="Revoke this key?")
    await expect(prompt).to_contain_text(LABEL)
    await expect(prompt).to_contain_text("in-flight request")
    await expect(prompt.get_by_role("button", name="Cancel")).to_be_focused()
    await tab.keyboard.press("Escape")
    await expect(card(tab).get_by_text("2 key(s)", exact=True)).to_be_visible()
    await old.get_by_role("button", name="Revoke").click()
    await prompt.get_by_role("button", name="Revoke Key").click()
    await expect(card(tab).get_by_text("1 key(s)", exact=True)).to_be_visible()
    assert (use(server, leaked), use(server, successor)) == (401, 200)
    await tab.reload()
    assert await labels(tab) == [LABEL]
    for word in ("enable", "disable", "regenerate"):
        assert await card(tab).get_by_role("button", name=re.compile(word, re.IGNORECASE)).count() == 0


async def test_audit_inactive_keys(tab: Page, server: LiveServer, robin: httpx2.Client) -> None:
    made = {label: robin.post(KEYS, json={"label": label}).json()["data"] for label in ("busy", "idle-a", "idle-b")}
    assert use(server, made["busy"]["key"]) == 200
    busy = card(tab).get_by_role("row", name=re.compile("busy"))

    async def seen() -> bool:
        await tab.reload()
        return await busy.locator("time").count() == 2

    for _ in range(20):  # written at most ten seconds after the use
        if await seen():
            break
        await tab.wait_for_timeout(500)
    await expect(busy.get_by_role("cell").nth(3).locator("time")).to_be_visible()

    column = card(tab).get_by_role("columnheader", name="Last used")
    await column.get_by_role("button").click()
    await expect(column).to_have_attribute("aria-sort", "ascending")
    await expect(tab).to_have_url(f"{server.base_url}/system?sort=last_used_at&order=asc")
    assert (await labels(tab))[-1] == "busy"
    await tab.reload()
    await expect(column).to_have_attribute("aria-sort", "ascending")
    assert (await labels(tab))[-1] == "busy"
    for label in ("idle-a", "idle-b"):
        await revoke(tab, label)
        await expect(tab.get_by_role("button", name=f"Revoke {label}")).to_have_count(0)
    await expect(card(tab).get_by_text("1 key(s)", exact=True)).to_be_visible()
    await expect(tab.get_by_role("button", name="Revoke busy")).to_be_focused()
    assert [item["label"] for item in robin.get(KEYS).json()["data"]] == ["busy"]


async def test_investigate_a_suspicious_request(tab: Page, server: LiveServer, robin: httpx2.Client) -> None:
    made = robin.post(KEYS, json={"label": "ada@example.com"}).json()["data"]
    account_id = robin.get("/v1/users/me").json()["data"]["account"]["id"]
    assert use(server, made["key"], account_id) == 200
    await tab.goto(f"{server.base_url}{ACCOUNT_LOG}?actor=ada@example.com&show_authentications=1")
    row = tab.locator("tr:not(.more)").filter(has_text="auth.succeeded")
    await expect(row).to_contain_text("ada@example.com")
    await expect(row).to_contain_text("system key")
    await expect(row).to_contain_text("127.0.0.1")


async def test_a_label_that_is_missing_is_told_by_its_field_and_nothing_is_made(
    tab: Page, robin: httpx2.Client
) -> None:
    await tab.get_by_role("button", name="Create Key").click()
    dialog = tab.get_by_role("dialog", name="Create System API Key")
    await dialog.get_by_label("Label").fill("   ")
    await tab.keyboard.press("Enter")
    await expect(dialog.locator("[data-error-for=label]")).not_to_be_empty()
    await expect(dialog.get_by_label("Label")).to_be_focused()
    await dialog.get_by_role("button", name="Cancel").click()
    assert robin.get(KEYS).json()["data"] == []


async def test_who_may_not_enter_sees_neither_the_link_nor_the_page(
    page: Page, server: LiveServer, robin: httpx2.Client
) -> None:
    assert robin.get(KEYS).status_code == 200
    answer = await page.goto(server.base_url + "/system")
    assert answer is not None
    assert "/login" in page.url


async def test_the_page_and_its_dialogs_have_no_finding_wide_and_narrow(
    tab: Page, robin: httpx2.Client, tmp_path: Path
) -> None:
    robin.post(KEYS, json={"label": "twitch-bot-staging-with-a-label-that-does-not-end-soon-" + "x" * 40})
    robin.post(KEYS, json={"label": "deploy-health-check", "profile": "probe"})
    for width in (1280, 320):
        await tab.set_viewport_size({"width": width, "height": 800})
        await tab.reload()
        await _sound(tab, tmp_path / f"page-{width}")
        await tab.get_by_role("button", name="Create Key").click()
        await _sound(tab, tmp_path / f"create-{width}")
        await tab.get_by_label("Label").fill(LABEL)
        await tab.keyboard.press("Enter")
        await expect(tab.get_by_role("dialog", name=TITLE)).to_be_visible()
        await tab.locator("[data-key]").evaluate("(box) => { box.textContent = 'lm_sys_' + 'x'.repeat(57); }")
        await _sound(tab, tmp_path / f"reveal-{width}")
        await dismiss(tab)
        await tab.get_by_role("button", name="Revoke deploy-health-check").click()
        await _sound(tab, tmp_path / f"revoke-{width}")
        await tab.keyboard.press("Escape")


async def _sound(tab: Page, picture: Path) -> None:
    """Demand no finding of axe-core and no sideways scroll; keep a picture in both schemes beside the test."""
    await tab.emulate_media(color_scheme="light")
    assert await overflow(tab) <= 0
    assert await findings(tab) == []
    await tab.screenshot(path=picture.with_suffix(".light.png"))
    await tab.emulate_media(color_scheme="dark")
    assert await contrasts(tab) == []
    await tab.screenshot(path=picture.with_suffix(".dark.png"))
