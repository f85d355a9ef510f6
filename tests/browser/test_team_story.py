"""A team's story from end to end: invited by mail, joined, deployed, demoted by nobody, removed with the key.

Two browsers, a terminal and a real mail server: what a leaver made is shown before, and dies with the removal.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from lumio.authority.subjects import Subject
from lumio.settings import load
from tests.api.rest.mailbox import MailServer, links, mail_server
from tests.support.serving import LiveServer, live_server
from tests.support.teams import withhold
from tests.support.terminal import Lumio
from tests.support.world import PASSWORD, opened

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KIM = "kim@example.com"
TEAM, KEYS = "/dashboard/account/team", "/dashboard/account/security/api-keys"


@dataclass(slots=True)
class Site:
    """A server that sends its mails to a real mail server."""

    server: LiveServer
    mails: MailServer


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with mail_server() as mails:
        with live_server({"LUMIO_DATA_DIR": str(tmp_path / "data"), "LUMIO_SMTP_URL": mails.url}) as server:
            yield Site(server, mails)


async def test_invited_by_mail_joined_deployed_and_removed_with_the_key(
    site: Site, page: Page, browser: Browser, tmp_path: Path
) -> None:
    home = site.server.base_url
    await _set_up(page, site.server)
    dialog = page.get_by_role("dialog")
    link = await _invite(page, site)
    other = await browser.new_context()
    theirs = await other.new_page()
    await _join(theirs, link)
    await expect(theirs.locator("#people")).to_contain_text("Robin Vale")
    await expect(theirs.get_by_role("button", name="Invite")).to_have_count(0)
    assert (await theirs.goto(link)).status == 404  # type: ignore[union-attr]

    key = await _make_key(theirs, home)
    lumio = _project(tmp_path, home)
    assert lumio("login", "--token", key).code == 0
    assert lumio("extensions", "create", "--name", "Confetti", "--write").code == 0
    deployed = lumio("deploy")
    assert deployed.code == 0, deployed.both
    refused = lumio("publish", "0.1.0")
    assert (refused.code, "Owners and Admins can publish" in refused.both) == (4, True), refused.both

    with site.server.client() as client:
        body = {"email": "robin@example.com", "password": PASSWORD}
        session = client.post("/v1/auth/login", json=body).json()["data"]["access_token"]
    await _withheld_and_confirmed(page, site.server, session, lumio)
    robins = Lumio(tmp_path / "robin", tmp_path, {"LUMIO_SERVER": home, "LUMIO_TOKEN": session})
    plan = robins("team", "departure", KIM)
    assert "developer key\tkims-laptop" in plan.stdout, plan.both

    await page.reload()
    await page.get_by_role("button", name="Remove Kim Low").click()
    await expect(dialog).to_contain_text("1 developer key(s)")
    await expect(dialog).to_contain_text("kims-laptop")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await dialog.get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("1 person(s)", exact=True)).to_be_visible()
    await expect(page.locator("#announce")).to_contain_text("1 key(s) and 0 popout token(s) ended")

    dead = lumio("versions", "list")
    assert (dead.code, "may have been revoked" in dead.both) == (4, True), dead.both
    await theirs.goto(home + TEAM)
    await expect(theirs).to_have_url(f"{home}/login?next={TEAM}")
    await site.mails.wait(2)
    assert "no longer in Acme Overlays" in str(site.mails.mails[1]["Subject"])
    await _sign_in(theirs, KIM)
    await expect(theirs.locator(".account summary")).to_contain_text("Kim Low’s account")
    await other.close()


async def test_a_sub_account_a_second_account_and_billing_on_their_pages(site: Site, page: Page) -> None:
    home = site.server.base_url
    await _set_up(page, site.server)
    await page.goto(home + TEAM)
    await page.get_by_role("button", name="New Sub-Account").click()
    await page.keyboard.type("ci-deploys")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("1 sub-account(s)", exact=True)).to_be_visible()
    await page.get_by_role("button", name="New key for ci-deploys").click()
    await page.get_by_role("dialog").get_by_label("Label").fill("for-ci")
    await page.keyboard.press("Enter")
    reveal = page.get_by_role("dialog", name="API Key Created")
    key = (await reveal.locator(".key").inner_text()).strip()
    await reveal.get_by_role("button", name="Copy Key").click()
    await reveal.get_by_role("button", name="Dismiss").click()
    with site.server.client(key) as client:
        assert client.get("/v1/users/me").json()["data"]["role"] == "member"
        await page.get_by_role("button", name="Delete ci-deploys").click()
        await expect(page.get_by_role("dialog")).to_contain_text("for-ci")
        await page.get_by_role("dialog").get_by_role("button", name="Delete Sub-Account").click()
        await expect(page.get_by_text("0 sub-account(s)", exact=True)).to_be_visible()
        assert client.get("/v1/users/me").status_code == 401

    await page.goto(home + "/dashboard/account/billing")
    for label, text in (
        ("Legal name", "Acme GmbH"),
        ("City", "Köln"),
        ("Country", "de"),
        ("Account", "DE89 3704 0044 0532 0130 01"),
    ):
        await page.get_by_role("textbox", name=label, exact=True).fill(text)
    await page.get_by_role("textbox", name="Address", exact=True).fill("Lange Straße 1")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#billing-payout_account")).to_be_focused()
    await expect(page.get_by_text("a digit of this one is wrong or missing")).to_be_visible()
    await page.get_by_role("textbox", name="Account", exact=True).fill("DE89 3704 0044 0532 0130 00")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Now ••••3000")).to_be_visible()
    await expect(page.locator("#billing-payout_account")).to_have_value("")

    await page.goto(home + TEAM)
    await page.get_by_role("button", name="New Account").click()
    await page.keyboard.type("Overlay Lab")
    await page.keyboard.press("Enter")
    switcher = page.locator(".account summary")
    await expect(switcher).to_contain_text("Overlay Lab")
    await switcher.click()
    await page.locator(".account").get_by_role("button", name="Acme Overlays").click()
    await page.wait_for_url("**/dashboard/extensions")
    await expect(switcher).to_contain_text("Acme Overlays")


async def _invite(page: Page, site: Site) -> str:
    """Invite Kim on the page; return the link that came by mail."""
    await page.get_by_role("link", name="Team").click()
    await page.get_by_role("button", name="Invite").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Owner")).to_be_disabled()
    await expect(dialog).to_contain_text("An Owner is never invited")
    await page.keyboard.type(KIM)
    await expect(dialog.get_by_label("Member")).to_be_checked()
    await page.keyboard.press("Enter")
    await expect(page.locator("#invites")).to_contain_text(KIM)
    await expect(page.get_by_text("1 open", exact=True)).to_be_visible()

    await site.mails.wait(1)
    (link,) = links(site.mails.mails[0])
    assert site.mails.receivers == [KIM]
    assert link.startswith(f"{site.server.base_url}/invite/lm_inv_")
    return link


async def _join(theirs: Page, link: str) -> None:
    """Make an account behind the link."""
    await theirs.goto(link)
    await expect(theirs.get_by_role("heading")).to_have_text("Join Acme Overlays")
    await theirs.get_by_label("Your name").fill("Kim Low")
    await theirs.get_by_label("Password").fill(PASSWORD)
    await theirs.get_by_role("button", name="Join Acme Overlays").click()
    await theirs.wait_for_url("**" + TEAM)


async def _withheld_and_confirmed(page: Page, server: LiveServer, session: str, theirs: Lumio) -> None:
    """Leave Kim's place in doubt, as a restore does; confirm it on the page."""
    with server.client(session) as client:
        account = client.get("/v1/users/me").json()["data"]["account"]["id"]
        members = client.get(f"/v1/accounts/{account}/members").json()["data"]
    kim = next(one["user"]["id"] for one in members if one["user"]["email"] == KIM)
    async with opened(load(server.settings)) as world:
        await withhold(world.house, Subject("role", f"{account},{kim}"))
    assert theirs("versions", "list").code == 4
    await page.reload()
    await expect(page.locator("#withheld-note")).to_contain_text("1 member(s) had their place changed since")
    await page.get_by_role("button", name="Confirm Kim Low").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Kim Low has the role Member here again")
    await dialog.get_by_role("button", name="Confirm Membership").click()
    await expect(page.locator("#announce")).to_have_text("Kim Low is Member here again.")
    assert theirs("versions", "list").code == 0


async def _set_up(page: Page, server: LiveServer) -> None:
    await page.goto(server.set_up_link)
    await page.get_by_label("Your name").fill("Robin Vale")
    await page.get_by_label("Mail address").fill("robin@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("Account name").fill("Acme Overlays")
    await page.get_by_role("button", name="Set up").click()
    await page.wait_for_url("**/dashboard/extensions")


async def _sign_in(page: Page, email: str) -> None:
    await page.get_by_label("Mail address").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def _make_key(page: Page, home: str) -> str:
    await page.goto(home + KEYS)
    await page.get_by_role("button", name="New API Key").click()
    await page.get_by_label("Label").fill("kims-laptop")
    await page.keyboard.press("Enter")
    reveal = page.get_by_role("dialog", name="API Key Created")
    key = (await reveal.locator(".key").inner_text()).strip()
    await reveal.get_by_role("button", name="Dismiss").click()
    return key


def _project(folder: Path, home: str) -> Lumio:
    """Return a terminal in a project with a small build."""
    project = folder / "project"
    (project / ".lumio-dist").mkdir(parents=True)
    (project / ".lumio-dist" / "index.html").write_text("<!doctype html><title>Confetti</title>")
    lumio = Lumio(folder / "kim", project, {"LUMIO_SERVER": home})
    assert lumio("init", "--name", "Confetti", "--target", "layer").code == 0
    return lumio
