"""Everything that can end a command: what happened, why, what to run next, how to ask about it.

Promise: each way to fail has one of the documented exit codes and a code that scripts can test.
"""

from dataclasses import dataclass, field
from enum import IntEnum


class ExitCode(IntEnum):
    """The documented exit codes (spec: api, section 5)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_ALLOWED = 4
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class FieldError:
    """One rejected field: where, and the rule in words."""

    field: str
    message: str


@dataclass(eq=False)
class CommandError(Exception):
    """Ends a command. `what` and `why` make one sentence; `next_step` is what the reader can do about it."""

    what: str
    why: str = ""
    next_step: str = ""
    code: str = "failed"
    exit_code: ExitCode = ExitCode.FAILED
    status: int | None = None
    request_id: str | None = None
    fields: list[FieldError] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the sentence alone."""
        sentence = f"{self.what}: {self.why}" if self.why else self.what
        return sentence if sentence.endswith("?") else f"{sentence}."

    def as_json(self) -> dict[str, object]:
        """Return the object printed with `--json`; parts that are unknown are left out."""
        parts: dict[str, object] = {
            "code": self.code,
            "message": str(self),
            "next": self.next_step,
            "status": self.status,
            "request_id": self.request_id,
            "exit_code": int(self.exit_code),
            "errors": [{"field": each.field, "message": each.message} for each in self.fields],
        }
        return {"error": {name: part for name, part in parts.items() if part not in ("", None, [])}}


def usage_error(what: str, why: str = "", next_step: str = "") -> CommandError:
    """Make the error for a command that was called wrongly (exit code 2)."""
    return CommandError(what, why, next_step, code="usage", exit_code=ExitCode.USAGE)


def not_signed_in(what: str, why: str, next_step: str) -> CommandError:
    """Make the error for a command that has no usable key (exit code 4)."""
    return CommandError(what, why, next_step, code="not_signed_in", exit_code=ExitCode.NOT_ALLOWED)


def unreachable(origin: str, why: str) -> CommandError:
    """Make the error for a server that did not answer."""
    next_step = "Check that the server runs and that --server or LUMIO_SERVER names it"
    return CommandError(f"{origin} could not be reached", why, next_step, code="unreachable")
