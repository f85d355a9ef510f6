"""Whether a new password is good enough (NIST SP 800-63B, section 5.1.1.2: length and guessability, no recipes)."""

import asyncio
from collections.abc import Sequence

from lumio.kernel.errors import FieldError, Invalid

SCORE_NEEDED = 3
SCORED_LENGTH = 72


async def require_strong(password: str, known_words: Sequence[str]) -> None:
    """Refuse a password that is quickly guessed.

    Args:
        password: the new password.
        known_words: what an attacker would try first: name, address, account.

    Raises:
        Invalid: names the field and says what would help.
    """
    advice = await asyncio.to_thread(_advice, password[:SCORED_LENGTH], list(known_words))
    if advice is not None:
        raise Invalid([FieldError("password", "strength", advice)])


def _advice(password: str, known_words: list[str]) -> str | None:
    from zxcvbn import zxcvbn  # noqa: PLC0415 - loads megabytes of word lists, needed here only

    found = zxcvbn(password, user_inputs=known_words)
    if found["score"] >= SCORE_NEEDED:
        return None
    hints = " ".join(found["feedback"]["suggestions"][:1])
    return f"This password is quickly guessed. Four or five unrelated words are better. {hints}".strip()
