"""fastapi-users behind the smallest FastAPI there can be: one route that wants a signed-in user.

`python fastapi_keys.py MANY` makes the database in the folder `PEER_FOLDER` with so many users, and writes a token of
each into `keys` there: of the strategy that `PEER_STRATEGY` names, `jwt` or `database`. `fastapi_keys:app` is what an
ASGI server serves. Best configuration: SQLite in WAL mode without waiting for the disk, tokens that live for a day,
no documentation routes, an answer that needs no encoding.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Response
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import (
    SQLAlchemyAccessTokenDatabase,
    SQLAlchemyBaseAccessTokenTableUUID,
)
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

FOLDER = Path(os.environ["PEER_FOLDER"])
STRATEGY = os.environ["PEER_STRATEGY"]
SIGNING = "of a server that lives for seconds only"
DAY = 86400


class Base(DeclarativeBase):
    """The catalogue of tables."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """Somebody."""


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    """What the strategy `database` keeps."""


engine = create_async_engine(f"sqlite+aiosqlite:///{FOLDER / 'fastapi.db'}")
sessions = async_sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine.sync_engine, "connect")
def _tune(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


async def session() -> AsyncIterator[AsyncSession]:
    """Give a session of the database."""
    async with sessions() as opened:
        yield opened


Opened = Annotated[AsyncSession, Depends(session)]


class People(UUIDIDMixin, BaseUserManager):
    """Finds users."""

    reset_password_token_secret = SIGNING
    verification_token_secret = SIGNING


def people(opened: Opened) -> People:
    """Give who finds users."""
    return People(SQLAlchemyUserDatabase(opened, User))


def strategy(opened: Opened) -> Any:
    """Give the chosen strategy."""
    if STRATEGY == "jwt":
        return JWTStrategy(SIGNING, DAY)
    return DatabaseStrategy(SQLAlchemyAccessTokenDatabase(opened, AccessToken), DAY)


backend = AuthenticationBackend("bench", BearerTransport("login"), strategy)
users = FastAPIUsers(people, [backend])
app = FastAPI(openapi_url=None)


@app.get("/verify")
async def verify(_user: Annotated[Any, Depends(users.current_user(active=True))]) -> Response:
    """Say that the token is good."""
    return Response(b'{"valid":true}', media_type="application/json")


async def fill(many: int) -> None:
    """Make the tables, the users and their tokens."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    tokens = []
    async with sessions() as opened:
        for number in range(many):
            row = {"email": f"bench-{number}@example.com", "hashed_password": "!", "is_active": True}
            user = await SQLAlchemyUserDatabase(opened, User).create(row)
            tokens.append(await strategy(opened).write_token(user))
    (FOLDER / "keys").write_text("\n".join(tokens))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[1])))
