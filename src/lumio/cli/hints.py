"""The reminder that a key is old: seed rule "rotate every 90 days".

Promise: at most one question to the server and one line on stderr a day and key, and never a reason to fail.
"""

from contextlib import suppress
from datetime import date
from typing import Any

from lumio.cli import private_file, settings
from lumio.cli.errors import CommandError
from lumio.cli.refusals import KEYS_PAGE
from lumio.cli.run import Run
from lumio.crypto import opaque
from lumio.kernel import clock

ROTATE_AFTER_DAYS = 90
_PATIENCE_SECONDS = 3.0
_REMEMBERED = 50  # keys; the ones asked about longest ago are dropped first


def _due(lookup_id: str, today: date) -> bool:
    """Tell whether this key was not asked about today, and note that it is now."""
    path = settings.state_folder() / "hints.json"
    asked = private_file.read(path).get("asked")
    days: dict[str, Any] = asked if isinstance(asked, dict) else {}
    if days.get(lookup_id) == today.isoformat():
        return False
    days[lookup_id] = today.isoformat()
    newest = sorted(days.items(), key=lambda entry: str(entry[1]))[-_REMEMBERED:]
    private_file.write(path, {"version": 1, "asked": dict(newest)})
    return True


def _age_and_label(run: Run) -> tuple[int, str] | None:
    client = run.client_with(run.signed_in().key)
    client.attempts, client.answer_seconds = 1, _PATIENCE_SECONDS
    try:
        me = client.get("/v1/users/me").content()
        if not isinstance(me, dict) or not isinstance(me.get("credential_id"), str):
            return None
        item = client.get(f"/v1/api-keys/{me['credential_id']}").content()
    finally:
        client.close()
    age = item.get("age_days") if isinstance(item, dict) else None
    return (age, str(item.get("label", ""))) if isinstance(age, int) else None


def mention_age(run: Run) -> None:
    """Print one line when the key in use is older than 90 days; any trouble on the way stays unsaid."""
    key = opaque.parse(run.signed_in().key, opaque.DEVELOPER_KEY)
    if key is None:
        return
    with suppress(CommandError):
        if not _due(key.lookup_id, clock.now().date()):
            return
        found = _age_and_label(run)
        if found is None or found[0] <= ROTATE_AFTER_DAYS:
            return
        age, label = found
        run.out.note(
            f"Hint: the key {label} is {age} days old. Keys should be rotated every {ROTATE_AFTER_DAYS} days:"
            f" {run.origin}{KEYS_PAGE}"
        )
