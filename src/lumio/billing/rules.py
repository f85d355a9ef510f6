"""The rules of billing details that no type can say: payout accounts, countries, and what is shown of a secret.

Promise: of what is masked, at most the last four signs can be read, and never more than a third.
"""

import re
import unicodedata

from lumio.accounts.model import MAIL
from lumio.kernel.errors import FieldError, Invalid

SHOWN = 4
MASK = "••••"
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_DISGUISES = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_COUNTRIES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRIES.split())
"""ISO 3166-1, alpha-2."""


def plain(field: str, text: str, *, needed: bool) -> str:
    """Return a line of an address without outer space.

    Raises:
        Invalid: it has control, direction or line characters, or nothing is left where something must be.
    """
    cleaned = unicodedata.normalize("NFKC", text).strip()
    if any(unicodedata.category(letter) in _DISGUISES for letter in cleaned) or (needed and not cleaned):
        raise Invalid([FieldError(field, "characters", "Must be visible text on one line.")])
    return cleaned


def known_country(code: str) -> str:
    """Return the code of a country. Raises Invalid for any other two letters."""
    if code not in COUNTRIES:
        raise Invalid([FieldError("country", "choice", "There is no country with this code (ISO 3166-1).")])
    return code


def payout_account(method: str, text: str) -> str:
    """Return the account that money goes to, in the form in which it is kept.

    Raises:
        Invalid: a bank transfer needs an IBAN with sound check digits (ISO 13616), PayPal a mail address.
    """
    if method == "paypal":
        cleaned = text.strip()
        if re.fullmatch(MAIL, cleaned) is None:
            message = "PayPal needs the mail address of the PayPal account."
            raise Invalid([FieldError("payout_account", "pattern", message)])
        return cleaned
    iban = re.sub(r"[ -]", "", text).upper()
    if _IBAN.fullmatch(iban) is None or not _sound(iban):
        message = "A bank transfer needs an IBAN; a digit of this one is wrong or missing."
        raise Invalid([FieldError("payout_account", "iban", message)])
    return iban


def _sound(iban: str) -> bool:
    """Tell whether the check digits fit: with them at the end, the number leaves 1 (ISO 7064, MOD 97-10)."""
    digits = "".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])
    return int(digits) % 97 == 1


def masked(text: str | None) -> str | None:
    """Return what is shown of a secret: the last four signs, fewer of a short one; of a mail address its host."""
    if text is None:
        return None
    if "@" in text:
        return MASK + "@" + text.rpartition("@")[2]
    signs = re.sub(r"[^0-9A-Za-z]", "", text)
    return MASK + signs[-min(SHOWN, len(signs) // 3) :] if len(signs) > SHOWN else MASK
