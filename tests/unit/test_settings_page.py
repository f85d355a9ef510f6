"""The page about settings names every one of them, and none that is not there."""

import re

from lumio.settings import KNOWN, PREFIX
from tests.house.tree import ROOT


def test_the_page_about_settings_names_exactly_those_that_there_are() -> None:
    page = (ROOT / "docs" / "how-to" / "settings.md").read_text("utf-8")
    assert set(re.findall(r"LUMIO_[A-Z_]+", page)) == {PREFIX + name for name in KNOWN}
