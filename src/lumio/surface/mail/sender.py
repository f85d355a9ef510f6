"""Sends what the outbox holds: by SMTP, or as `.eml` files while no server is set.

Promise: a mail is forgotten only after a server took it or its file is on disk; no log line has its link.
"""

import asyncio
import os
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from lumio.crypto import opaque
from lumio.kernel import clock
from lumio.kernel.errors import Unavailable
from lumio.storage.outbox import Delivery, Outbox

log = structlog.get_logger()

MAIL = "mail"
TIMEOUT_SECONDS = 15


class Post(Protocol):
    """Takes one message away."""

    async def deliver(self, message: EmailMessage, name: str) -> None:
        """Return when somebody else is responsible for the message. Raises OSError or SMTPException."""
        ...


class SmtpPost:
    """A real server: `smtp://`, `smtp+starttls://` or `smtps://`, with user and password when it wants them."""

    def __init__(self, url: str) -> None:
        """Read the address."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps", "smtp+starttls"} or not parts.hostname:
            message = "LUMIO_SMTP_URL must be smtp://host:port, smtps://… or smtp+starttls://…"
            raise ValueError(message)
        self._options: dict[str, Any] = {
            "hostname": parts.hostname,
            "port": parts.port or (465 if parts.scheme == "smtps" else 25),
            "username": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
            "use_tls": parts.scheme == "smtps",
            "start_tls": parts.scheme == "smtp+starttls",
            "timeout": TIMEOUT_SECONDS,
        }

    async def deliver(self, message: EmailMessage, name: str) -> None:  # noqa: ARG002 - files are named, mails not
        """Hand the message over."""
        await aiosmtplib.send(message, **self._options)


class FilePost:
    """A folder of `.eml` files, for an installation without a mail server yet."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder; it is made with the first mail."""
        self._folder = folder

    async def deliver(self, message: EmailMessage, name: str) -> None:
        """Write the file."""
        path = await asyncio.to_thread(self._write, message.as_bytes(policy=SMTP), name)
        log.info("mail written to a file: no LUMIO_SMTP_URL is set", file=str(path), subject=message["Subject"])

    def _write(self, content: bytes, name: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path, part = self._folder / f"{name}.eml", self._folder / f"{name}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return part.replace(path)


class Sender:
    """Empties the outbox."""

    def __init__(self, outbox: Outbox, post: Post, mail_from: str) -> None:
        """Take messages from `outbox`, hand them to `post`."""
        self._outbox = outbox
        self._post = post
        self._from = mail_from

    async def run_once(self) -> int:
        """Send what is due; return how many were taken up."""
        deliveries = await self._outbox.claim()
        for delivery in deliveries:
            if clock.now() >= delivery.until:  # a slow server used the lease up: somebody else has the rest by now
                break
            await self._deliver(delivery)
        return len(deliveries)

    async def _deliver(self, delivery: Delivery) -> None:
        if delivery.kind != MAIL:
            await self._outbox.sent(delivery)
            return
        try:
            await self._post.deliver(self._message(delivery.content), delivery.id)
        except (OSError, ValueError, aiosmtplib.SMTPException, Unavailable) as error:
            kept = await self._outbox.failed(delivery)
            log.warning("mail not sent", error=opaque.mask(str(error)), again=kept, attempt=delivery.attempts)
            return
        await self._outbox.sent(delivery)

    def _message(self, content: Mapping[str, Any]) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._from
        message["To"] = content["to"]
        message["Subject"] = content["subject"]
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(content["text"])
        return message


def choose(smtp_url: str | None, folder: Path) -> Post:
    """Return the way mails go."""
    return SmtpPost(smtp_url) if smtp_url else FilePost(folder)
