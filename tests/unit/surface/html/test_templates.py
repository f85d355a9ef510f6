"""Every page keeps the house's promises about markup: nothing inline, nothing from outside, nothing unescaped."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import lumio
from tests.support import preview, preview_samples
from tests.support.preview import Page

PAGES = preview.pages()
VOID = frozenset({"meta", "link", "input", "path", "circle", "br"})


class Markup(HTMLParser):
    """The elements of a page with their attributes, in order, and the balance of its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.inline_script = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            self.inline_script += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _markup(name: str, theme: str = "auto") -> Markup:
    return Markup(next(page for page in PAGES if page.name == name).html(theme))


@every_page
def test_a_page_carries_no_inline_script_style_or_event_attribute(page: Page) -> None:
    markup = Markup(page.html())
    assert not markup.inline_script.strip()
    assert not markup.all("style")
    for tag, attributes in markup.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag


@every_page
def test_a_page_asks_nothing_of_another_host(page: Page) -> None:
    for tag, attributes in Markup(page.html()).elements:
        for name in ("src", "href", "action", "formaction"):
            address = attributes.get(name)
            assert address is None or address.startswith(("/", "#", "?")), (tag, address)
            assert address is None or not address.startswith("//"), (tag, address)


@every_page
def test_the_tags_of_a_page_are_balanced_and_its_ids_are_unique(page: Page) -> None:
    markup = Markup(page.html())
    assert not markup.unbalanced
    assert not markup.open
    ids = [attributes["id"] for _, attributes in markup.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@every_page
def test_every_reference_by_id_has_its_element(page: Page) -> None:
    markup = Markup(page.html())
    ids = {attributes.get("id") for _, attributes in markup.elements}
    for _, attributes in markup.elements:
        for name in ("for", "aria-describedby", "aria-labelledby", "aria-controls", "popovertarget", "list"):
            assert set((attributes.get(name) or "").split()) <= ids, attributes


@every_page
def test_every_form_that_posts_carries_the_proof_of_origin(page: Page) -> None:
    html = page.html()
    for form in re.findall(r'<form method="post".*?</form>', html, re.DOTALL):
        assert f'name="_csrf" value="{page.shell["csrf"]}"' in form
    assert f'<meta name="csrf-token" content="{page.shell["csrf"]}">' in html


@every_page
def test_every_page_has_one_heading_a_skip_link_and_the_chosen_theme(page: Page) -> None:
    markup = Markup(page.html("dark"))
    assert len(markup.all("h1")) == 1
    assert markup.all("a")[0]["href"] == "#main"
    assert markup.all("html")[0]["data-theme"] == "dark"


@every_page
def test_a_hostile_name_is_text_and_nothing_else(page: Page) -> None:
    html = page.html()
    assert "<img" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html


@every_page
def test_a_static_file_that_a_page_names_exists(page: Page) -> None:
    for address in re.findall(r'"/static/preview/([^"]+)"', page.html()):
        assert (preview.STATIC / address).is_file(), address


def test_a_script_writes_no_markup_and_evaluates_no_text() -> None:
    sinks = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    for script in preview.STATIC.glob("*.js"):
        assert not sinks.findall(script.read_text()), script.name


def test_no_script_keeps_anything_in_the_browser_but_the_theme() -> None:
    for script in preview.STATIC.glob("*.js"):
        text = script.read_text()
        assert not re.findall(r"localStorage|sessionStorage|indexedDB|pushState", text), script.name
        assert ("document.cookie" in text) == (script.name == "theme.js"), script.name


def test_only_keys_of_ninety_days_and_more_carry_the_age_mark() -> None:
    html = next(page for page in PAGES if page.name == "keys").html()
    assert html.count('class="mark"') == 1
    assert "Rotate: 118 days old" in html


def test_without_the_right_to_make_or_revoke_there_is_no_control_and_a_sentence_instead() -> None:
    html = next(page for page in PAGES if page.name == "keys-read-only").html()
    assert 'id="new-key"' not in html
    assert "data-action" not in html
    assert "does not allow making keys" in html


def test_a_member_reads_which_roles_may_publish() -> None:
    html = next(page for page in PAGES if page.name == "extension-member").html()
    assert 'data-action="publish"' not in html
    assert "role Owner or Admin" in html


def test_only_a_draft_offers_to_be_published() -> None:
    html = next(page for page in PAGES if page.name == "extension").html()
    assert html.count('data-action="publish"') == 1


def test_an_empty_list_teaches_the_command_to_run() -> None:
    for name, command in (
        ("keys-empty", "lumio login --token &lt;key&gt;"),
        ("extensions-empty", "lumio extensions create"),
        ("extension-empty", "lumio deploy"),
    ):
        assert command in next(page for page in PAGES if page.name == name).html()


def test_the_audit_page_says_how_long_events_are_kept_and_that_authentications_are_hidden() -> None:
    html = next(page for page in PAGES if page.name == "audit").html()
    assert "Kept 90 days" in html
    assert "Successful authentications hidden" in html


def test_older_events_keep_the_filters_of_the_page() -> None:
    audit = next(page for page in PAGES if page.name == "audit")
    filters = {**preview_samples.NO_FILTERS, "event": "api_key.*", "since": "2026-11-21T10:00"}
    values = {**audit.values, "filters": filters, "show_authentications": True}
    html = Page("x", audit.template, "/", values, audit.shell).html()
    pager = html[html.index('class="pager"') :]
    assert 'name="event" value="api_key.*"' in pager
    assert 'name="since" value="2026-11-21T10:00"' in pager
    assert 'name="show_authentications" value="1"' in pager
    assert 'name="cursor" value="MTc2"' in pager
    assert 'name="actor"' not in pager


def test_a_refused_form_keeps_the_input_and_names_the_fields() -> None:
    markup = _markup("set-up-wrong")
    fields = {attributes.get("name"): attributes for attributes in markup.all("input")}
    assert fields["email"]["value"] == "robin@"
    assert fields["email"]["aria-invalid"] == "true"
    assert "autofocus" in fields["email"]
    assert "aria-invalid" not in fields["display_name"]


def test_a_password_never_goes_back_into_a_page() -> None:
    for page in PAGES:
        for field in Markup(page.html()).all("input"):
            if field.get("type") == "password":
                assert field.get("value") == "", page.name


def test_the_blank_row_for_scripts_has_the_same_cells_as_a_row_of_the_page() -> None:
    html = next(page for page in PAGES if page.name == "keys").html()
    row = re.compile(r'<tr role="row"(?: data-id="[^"]+")?.*?</tr>', re.DOTALL)
    body, _, template = html.partition("<tbody")[2].partition('<template id="key-row">')
    first, blank = (Markup(found[0]) for found in (row.findall(body), row.findall(template)))
    titles = [[cell.get("data-th") for cell in part.all("td")] for part in (first, blank)]
    assert titles[0] == titles[1]
    assert len(titles[0]) == 6


def test_a_button_that_a_script_serves_says_so_and_is_not_to_be_seen_before_the_script_ran() -> None:
    """Others stand in what a script opens or shows, belong to a group that says so, or need the browser alone."""
    elsewhere = (
        "popovertarget=", "data-close", "data-dismiss", "data-copy-key", "data-hide>", "data-theme-choice=",
    )  # fmt: skip
    found = 0
    for template in sorted(Path(lumio.__file__).parent.glob("**/templates/**/*.html")):
        for button in re.findall(r'<button type="button".*?>(?=\{|\w|<)', template.read_text("utf-8")):
            found += 1
            if not any(mark in button for mark in elsewhere):
                assert re.search(r'class="[^"]*\bneeds-script\b', button), (template.name, button)
    assert found > 40
