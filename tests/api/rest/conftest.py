"""Fixtures of the REST tests."""

import pytest

from tests.api.rest.mailbox import MailFolder
from tests.support.world import World


@pytest.fixture
def mail(world: World) -> MailFolder:
    """The mails that the house wrote to its folder."""
    return MailFolder(world.house.settings.mail_dir)
