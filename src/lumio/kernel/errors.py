"""What can go wrong, in domain words; the surfaces pick the status.

    LumioError
    ├── Unauthenticated      present and bad, or nothing where something is needed
    ├── StepUpRequired       who you are is known, but not proven lately
    ├── Denied               known, proven, not allowed
    ├── NotFound             not there, or hidden
    ├── Invalid              the input breaks a rule; names every field
    │   ├── Malformed        the input cannot even be read
    │   └── TooLarge         the input is longer than the limit
    ├── Conflict             the state forbids it
    ├── Limited              too often
    └── Unavailable          we cannot prove that it is safe to answer

Each carries a code for machines, a public sentence for the asker, and an internal one for the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule of one field: `rule` for machines, `message` for people."""

    field: str
    rule: str
    message: str


class LumioError(Exception):
    """The root: `code` is part of the public interface, `public` may be shown, `internal` may not."""

    code: ClassVar[str] = "internal_error"
    sentence: ClassVar[str] = "Something went wrong on our side."

    def __init__(self, public: str | None = None, *, internal: str = "") -> None:
        """Keep the two sentences apart: what the asker sees and what the log sees."""
        self.public = public or self.sentence
        self.internal = internal or self.public
        self.notes: dict[str, Any] = {}
        super().__init__(self.internal)

    def noted(self, **notes: Any) -> Self:
        """Add what the journal should say of this refusal: `account_id`, `actor`, `reason`, the target.

        `aftermath`, a function of a unit, is what must change *because* of the refusal, beside its event.
        """
        self.notes.update(notes)
        return self


class Unauthenticated(LumioError):
    """All refusals of a credential look like this one from outside; `internal` says why."""

    code = "unauthorized"
    sentence = "A valid credential is needed."


class StepUpRequired(LumioError):
    """The act needs a proof of who is asking that is not older than ten minutes."""

    code = "step_up_required"
    sentence = "Prove again that it is you: this needs a proof not older than 10 minutes."


class Denied(LumioError):
    """The principal lacks the right."""

    code = "forbidden"
    sentence = "You are not allowed to do this."


class NotFound(LumioError):
    """Not there, or not for these eyes: both look the same."""

    code = "not_found"
    sentence = "There is nothing here."


class Invalid(LumioError):
    """The input breaks at least one rule."""

    code = "validation_error"
    sentence = "The input breaks a rule."

    def __init__(self, fields: Sequence[FieldError] = (), public: str | None = None) -> None:
        """Name every broken rule at once, so that nobody mends them one by one."""
        self.fields = tuple(fields)
        super().__init__(public or (self.fields[0].message if self.fields else None))


class Malformed(Invalid):
    """The input is not even of the right form (no JSON, no multipart)."""

    sentence = "The request body cannot be read."


class TooLarge(Invalid):
    """The input is longer than the limit."""

    code = "payload_too_large"
    sentence = "The request is too large."

    def __init__(self, public: str | None = None, fields: Sequence[FieldError] = ()) -> None:
        """Say which limit in `public`."""
        super().__init__(fields, public or self.sentence)


class Conflict(LumioError):
    """The state of things forbids it now."""

    code = "conflict"
    sentence = "This cannot be done in the present state."

    def __init__(
        self, public: str | None = None, *, existing_id: str | None = None, retry_after: int | None = None
    ) -> None:
        """Name what stands in the way, when the asker may know it, and when to try again."""
        super().__init__(public)
        self.existing_id = existing_id
        self.retry_after = retry_after


class Limited(LumioError):
    """Too many in a while; `retry_after` is in whole seconds."""

    code = "rate_limited"
    sentence = "Too many requests. Wait a little."

    def __init__(
        self,
        retry_after: int,
        public: str | None = None,
        *,
        limit: int = 0,
        window: int = 60,
        policy: str = "failures",
    ) -> None:
        """Say how long to wait, and for the headers which policy it was: so many per window of seconds."""
        super().__init__(public)
        self.policy = policy
        self.retry_after = max(1, retry_after)
        self.limit = limit
        self.window = window


class Unavailable(LumioError):
    """We cannot prove that an answer would be right, or cannot record it."""

    code = "unavailable"
    sentence = "The service cannot answer safely right now. Try again shortly."

    def __init__(self, internal: str = "", *, retry_after: int = 2) -> None:
        """Keep the reason for the log; the asker only learns when to come back."""
        super().__init__(internal=internal)
        self.retry_after = retry_after
