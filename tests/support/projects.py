"""A project of an extension as it lies in a folder, and the addresses to which it is deployed."""

import json

from tests.support.terminal import Lumio

EXTENSION = "ext_7f3a"
PATH = f"/developer/v1/extensions/{EXTENSION}/versions"
MADE = {"id": "ver_51c0", "version": "1.2.0", "status": "draft", "artifacts": []}
PROJECT = {"extensionId": EXTENSION, "name": "Clock", "version": "1.2.0", "targets": ["layer"]}


def write_project(lumio: Lumio, **changes: object) -> None:
    """Write the project file into the working folder."""
    (lumio.folder / "lumio.config.json").write_text(json.dumps({**PROJECT, **changes}))
