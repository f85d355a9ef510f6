"""Fixtures of the REST tests."""

import pytest

from lumio.kernel import clock
from tests.api.rest.mailbox import MailFolder
from tests.support.world import World


@pytest.fixture
def mail(world: World) -> MailFolder:
    """The mails that the house wrote to its folder."""
    return MailFolder(world.house.settings.mail_dir)


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the limiter's clock still, so that no minute ends in the middle of a count."""
    monkeypatch.setattr(clock, "monotonic", lambda: 60_000.0)
