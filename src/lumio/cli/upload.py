"""Sends a version: manifest, bundle and source in one multipart request that may be repeated without harm.

Promise: the same version of the same build is the same request, byte for byte, so its idempotency key holds.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lumio.cli.answer import Answer
from lumio.cli.client import Call, Client
from lumio.cli.pack import Archive
from lumio.cli.progress import CountedFile, Meter
from lumio.cli.refusals import Explanations

_ARCHIVE_TYPE = "application/gzip"


@dataclass(frozen=True, slots=True)
class Upload:
    """What one deployment sends."""

    manifest: bytes
    bundle: Archive
    source: Archive | None
    description: str | None
    breaking: bool

    @property
    def size(self) -> int:
        """Return the bytes of both archives."""
        return self.bundle.size + (self.source.size if self.source else 0)

    def close(self) -> None:
        """Give the archives' files back."""
        self.bundle.close()
        if self.source is not None:
            self.source.close()

    def idempotency_key(self) -> str:
        """Return the SHA-256 of manifest and bundle, and a short digest of what else is sent.

        Without the second part, a changed description under the same version would be answered as a misuse of
        the key instead of "this version exists".
        """
        build = hashlib.sha256(hashlib.sha256(self.manifest).digest() + bytes.fromhex(self.bundle.sha256))
        rest = repr((self.source.sha256 if self.source else None, self.description, self.breaking))
        return f"{build.hexdigest()}-{hashlib.sha256(rest.encode()).hexdigest()[:16]}"

    def fields(self) -> Mapping[str, str]:
        """Return the plain form fields."""
        described = {} if self.description is None else {"description": self.description}
        return {**described, "breaking": "true" if self.breaking else "false"}

    def files(self, meter: Meter) -> Mapping[str, Any]:
        """Return the parts with content; the archives report what was read of them."""
        parts: dict[str, Any] = {
            "manifest": ("manifest.json", self.manifest, "application/json"),
            "bundle": ("bundle.tar.gz", CountedFile(self.bundle.file, meter.advance), _ARCHIVE_TYPE),
        }
        if self.source is not None:
            counted = CountedFile(self.source.file, meter.advance)
            parts["source"] = ("source.tar.gz", counted, _ARCHIVE_TYPE)
        return parts


def send(client: Client, path: str, upload: Upload, meter: Meter, explain: Explanations) -> Answer:
    """Send the version and return the answer; raises CommandError when it was refused."""
    key = upload.idempotency_key()
    headers = {
        "Idempotency-Key": key,
        "Content-Type": f"multipart/form-data; boundary=lumio-{key[:40]}",
    }
    body = {"data": upload.fields(), "files": upload.files(meter)}
    return client.send(Call("POST", path, again=True, headers=headers, body=body), explain)
