"""What arrived by mail: the folder of `.eml` files, and a real SMTP server on loopback.

Promise: a mail is read as its receiver would read it, headers decoded and link taken from the text.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

PATIENCE_SECONDS = 20
_LINK = re.compile(r"https?://\S+")


def links(mail: EmailMessage) -> list[str]:
    """Return the addresses in a mail's text."""
    return _LINK.findall(mail.get_content())


def code(mail: EmailMessage) -> str:
    """Return the one-time code at the end of a mail's first link."""
    return links(mail)[0].rpartition("/")[2]


class MailFolder:
    """The folder that takes mails while no SMTP server is set."""

    def __init__(self, folder: Path) -> None:
        """Read `folder`; what is in it already counts as well."""
        self._folder = folder

    def all(self) -> list[EmailMessage]:
        """Return every mail, the oldest first."""
        return [_read(path.read_bytes()) for path in sorted(self._folder.glob("*.eml"))]

    async def to(self, address: str, count: int = 1) -> list[EmailMessage]:
        """Wait until `count` mails went to `address`; return them, the oldest first."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            # A folder tells nobody that a file came.
            while len(found := [mail for mail in self.all() if mail["To"] == address]) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found

    async def newest_to(self, address: str, count: int = 1) -> EmailMessage:
        """Wait for `count` mails to `address`; return the newest."""
        return (await self.to(address, count))[-1]


@dataclass(slots=True)
class MailServer:
    """A mail server that keeps what it takes, and can refuse for a while."""

    url: str = ""
    refusing: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - the server's name
        """Take one message."""
        if self.refusing:
            return "451 try again later"
        content = envelope.original_content or b""
        self.mails.append(_read(content))
        self.receivers.extend(envelope.rcpt_tos)
        self.came.set()
        return "250 taken"

    async def wait(self, count: int) -> None:
        """Wait until `count` messages were taken."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.mails) < count:
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """Run a mail server on a free port of loopback while the block runs."""
    made = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(made, hostname="mail.example"), "127.0.0.1", 0)
    made.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


def _read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message
