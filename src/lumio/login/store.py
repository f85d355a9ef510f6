"""Tables of one-time codes and of guesses; read here and nowhere else."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, String, Table, Text, delete, func, insert, select, update

from lumio.crypto.hashing import Fingerprint
from lumio.kernel import clock, ids
from lumio.login.model import Waiting
from lumio.storage.columns import Moment, fingerprint_columns, id_column, metadata
from lumio.storage.unit import Unit, View

codes = Table(
    "one_time_code",
    metadata,
    id_column(primary_key=True),
    Column("purpose", String(8), nullable=False),
    *fingerprint_columns(),
    id_column("user_id", index=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("display_name", String(100)),
    Column("password_hash", Text),
)

guesses = Table(
    "password_guess",
    metadata,
    id_column(primary_key=True),
    Column("who", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "who", "at"),
)


class LoginStore:
    """Reads and writes codes and guesses."""

    async def add_code(
        self,
        unit: Unit,
        purpose: str,
        lookup_id: str,
        kept: Fingerprint,
        user_id: str | None,
        expires: datetime,
        sign_up: Waiting | None = None,
    ) -> None:
        """Insert a code, and what it confirms where it is that of a sign-up."""
        name, password = (sign_up.display_name, sign_up.password_hash) if sign_up else (None, None)
        await unit.execute(insert(codes), {
            "id": ids.uuid7(), "purpose": purpose, "lookup_id": lookup_id, "pepper_v": kept.pepper_v,
            "digest": kept.digest, "user_id": user_id, "created_at": clock.now(), "expires_at": expires,
            "display_name": name, "password_hash": password,
        })  # fmt: skip

    async def code(self, view: View, purpose: str, lookup_id: str) -> Any | None:
        """Return a code that has been neither used nor outlived."""
        live = select(codes).where(
            codes.c.purpose == purpose,
            codes.c.lookup_id == lookup_id,
            codes.c.used_at.is_(None),
            codes.c.expires_at > clock.now(),
        )
        return (await view.execute(live)).first()

    async def spend(self, unit: Unit, code_id: str) -> bool:
        """Use a code up; return False when it was used before, also at the same moment."""
        fresh = update(codes).where(codes.c.id == code_id, codes.c.used_at.is_(None))
        return (await unit.execute(fresh.values(**_spent()))).rowcount == 1

    async def cancel(self, unit: Unit, purpose: str, user_id: str | None) -> None:
        """Use up every other code of a person, or of nobody, for one purpose."""
        whose = codes.c.user_id.is_(None) if user_id is None else codes.c.user_id == user_id
        open_ones = update(codes).where(codes.c.purpose == purpose, whose, codes.c.used_at.is_(None))
        await unit.execute(open_ones.values(**_spent()))

    async def forget_old_codes(self, unit: Unit, before: datetime) -> None:
        """Delete codes that expired before then."""
        await unit.execute(delete(codes).where(codes.c.expires_at < before))

    async def guesses_since(self, view: View, who: str, since: datetime, address: str | None = None) -> int:
        """Count guesses of one name since then, from one address when given."""
        counted = select(func.count()).select_from(guesses).where(guesses.c.who == who, guesses.c.at > since)
        if address is not None:
            counted = counted.where(guesses.c.address == address)
        return int((await view.execute(counted)).scalar_one())

    async def add_guess(self, unit: Unit, who: str, address: str) -> None:
        """Insert a guess."""
        row = {"id": ids.uuid7(), "who": who, "address": address, "at": clock.now()}
        await unit.execute(insert(guesses), row)

    async def forget_guesses(self, unit: Unit, who: str, address: str | None = None) -> None:
        """Delete the guesses of one name, of one address when given."""
        mine = delete(guesses).where(guesses.c.who == who)
        await unit.execute(mine if address is None else mine.where(guesses.c.address == address))

    async def forget_old_guesses(self, unit: Unit, before: datetime) -> None:
        """Delete guesses that no limit counts any more."""
        await unit.execute(delete(guesses).where(guesses.c.at < before))


def _spent() -> dict[str, Any]:
    """Return the values of a used code; a password that it carried does not outlive it."""
    return {"used_at": clock.now(), "password_hash": None}
