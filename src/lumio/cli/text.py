"""Makes foreign text safe to show: what a server sent cannot steer a terminal, and no key is ever shown.

Promise: the result holds no control character, no escape sequence, no direction override and no whole key.
"""

import re
import unicodedata

from lumio.crypto import opaque

# Control, format (bidirectional overrides, zero width), surrogate, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_WHOLE_KEY = re.compile(rf"lm_[a-z]{{3}}_[0-9A-Za-z]{{{opaque.LENGTH - opaque.PREFIX_LENGTH}}}", re.ASCII)


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - two hexadecimal digits are enough up to here
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits end here


def visible(value: object) -> str:
    """Return `value` as one line of text, with unseen characters written out as their code."""
    text = "" if value is None else str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(each) if unicodedata.category(each) in _UNSEEN else each for each in text)


def hide_whole_keys(text: str) -> str:
    """Cut every whole key down to its prefix; the recognisable start of a key stays readable."""
    return _WHOLE_KEY.sub(lambda found: found.group()[: opaque.PREFIX_LENGTH] + "…", text)


def hide_keys(text: str) -> str:
    """Cut everything that starts like a key down to its prefix, mistyped ones too."""
    return opaque.mask(text)


def json_text(value: object) -> str:
    """Return JSON in ASCII, indented: escapes sent by a server stay escapes."""
    import json

    return json.dumps(value, indent=2, ensure_ascii=True).replace("\x7f", "\\u007f")
