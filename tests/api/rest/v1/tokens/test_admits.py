"""More rights for popout tokens, by name in the settings: given, used, shown, and gone with the setting."""

from dataclasses import replace

import pytest

from lumio.access.policy import POPOUT_ADMITS, Role
from lumio.app import build
from lumio.settings import Settings, SettingsError
from tests.api.rest.outward import fields
from tests.support.popouts import LABEL, POPOUTS, carrying, mint, rights
from tests.support.world import CHEAP, World

MORE = ("audit-log:read", "extensions:deploy", "tokens:create")
LOG, EXTENSIONS = "/v1/audit-log", "/developer/v1/extensions"


async def test_what_the_settings_name_can_be_given_used_and_is_lost_with_the_setting(settings: Settings) -> None:
    async with build(replace(settings, popout_admits=MORE), password_cost=CHEAP).open() as house:
        world = World(house)
        robin = await world.sign_in()
        made = await mint(robin, "audit-log:read", "extensions:read", "extensions:deploy")
        overlay = carrying(world, made["token"])
        assert await rights(world, made["token"]) == ["audit-log:read", "extensions:deploy", "extensions:read"]
        assert (await overlay.get(LOG)).status_code == 200
        assert (await overlay.post(EXTENSIONS, json={"name": "Confetti"})).status_code == 201
        assert (await overlay.get("/v1/api-keys")).status_code == 403
        foreign = await robin.post(POPOUTS, json={"label": LABEL, "permissions": ["billing:read"]})
        assert (foreign.status_code, fields(foreign)) == (422, {"permissions": "admitted"})
        assert "audit-log:read" in foreign.text
        page = await (await world.page_client()).get("/dashboard/account/tokens")
        assert "Read the audit log" in page.text
    async with build(settings, password_cost=CHEAP).open() as house:
        world = World(house)
        assert await rights(world, made["token"]) == ["extensions:read"]
        overlay = carrying(world, made["token"])
        assert (await overlay.get(LOG)).status_code == 403
        assert (await overlay.post(EXTENSIONS, json={"name": "Again"})).status_code == 403
        page = await (await world.page_client()).get("/dashboard/account/tokens")
        assert "Deploy versions of extensions" not in page.text


async def test_a_wider_setting_makes_nobody_more_than_they_are(settings: Settings) -> None:
    async with build(replace(settings, popout_admits=(*MORE, "billing:read")), password_cost=CHEAP).open() as house:
        world = World(house)
        robin = await world.sign_in()
        await world.new_person("mo@example.com", Role.MEMBER, await world.account_id(robin))
        mo = await world.sign_in("mo@example.com")
        refused = await mo.post(POPOUTS, json={"label": LABEL, "permissions": ["billing:read"]})
        assert refused.status_code == 403
        narrow = await mint(robin, *POPOUT_ADMITS)
        assert await rights(world, narrow["token"]) == sorted(POPOUT_ADMITS)
        breeder = await mint(robin, "tokens:create")
        answer = await carrying(world, breeder["token"]).post(POPOUTS, json={"label": LABEL})
        assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")


async def test_a_name_that_cannot_be_stops_the_start(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="there is no permission 'extensions:fly'"):
        build(replace(settings, popout_admits=("extensions:fly",)))
