"""Each syntax rule is shown a violation and something close to it that is allowed.

Promise: a rule that has gone blind, or that has begun to cry at honest code, fails here and not in silence.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.house.rules import calls, names, places, sizes, sql_text
from tests.house.tree import Finding, Source

Rule = Callable[[Source], Iterator[Finding]]
SERVICE = "src/lumio/keys/service.py"
LONG = "def long():\n" + "    x = 1\n" * 60

CAUGHT: list[tuple[Rule, str, str]] = [
    (places.SQL, SERVICE, "import sqlalchemy as sa"),
    (places.SQL, SERVICE, "from sqlalchemy.ext.asyncio import AsyncConnection"),
    (places.SQL, "src/lumio/server/backup.py", "def copy():\n    import sqlite3"),
    (places.SQL, SERVICE, "import importlib\nimportlib.import_module('asyncpg')"),
    (places.SQL, "src/lumio/keys/storefront.py", "import sqlalchemy"),
    (places.WEB, SERVICE, "from litestar import get"),
    (places.WEB, "src/lumio/access/perform.py", "import litestar.exceptions"),
    (places.GRAPH, "src/lumio/keys/rest.py", "import strawberry"),
    (places.CIPHERS, SERVICE, "from argon2 import PasswordHasher"),
    (places.CIPHERS, "src/lumio/surface/http/csrf.py", "import hmac"),
    (places.CIPHERS, "src/lumio/login/service.py", "from joserfc import jwt"),
    (places.TERMINAL, SERVICE, "from rich.console import Console"),
    (
        places.keyed_hashes,
        SERVICE,
        "from hashlib import scrypt as stretch\nstretch(b'', salt=b'', n=2, r=1, p=1)",
    ),
    (places.keyed_hashes, SERVICE, "import hashlib\nhashlib.blake2b(b'', key=b'x')"),
    (places.store_ownership, SERVICE, "from lumio.teams import store"),
    (places.store_ownership, SERVICE, "from lumio.teams.store import TeamStore"),
    (places.store_ownership, "src/lumio/dashboards/pages.py", "import lumio.keys.store as keys"),
    (places.store_ownership, "src/lumio/keys/verify.py", "from ..teams.store import find"),
    (places.kernel_ground, "src/lumio/kernel/ids.py", "import msgspec"),
    (places.kernel_ground, "src/lumio/kernel/ids.py", "from lumio.settings import load"),
    (calls.clocks, SERVICE, "import datetime as dt\ndt.datetime.now(dt.UTC)"),
    (calls.clocks, SERVICE, "from datetime import datetime\nask = datetime.utcnow"),
    (calls.clocks, SERVICE, "from time import monotonic as tick\ntick()"),
    (calls.clocks, "src/lumio/cli/output.py", "import time\ntime.perf_counter()"),
    (calls.environment, SERVICE, "import os\nos.environ['LUMIO_X']"),
    (calls.environment, "src/lumio/cli/main.py", "from os import getenv\ngetenv('CI')"),
    (calls.commits, SERVICE, "async def f(unit):\n    await unit.connection.commit()"),
    (calls.commits, SERVICE, "async def f(engine):\n    async with engine.begin() as c:\n        pass"),
    (calls.commits, "src/lumio/audit/store.py", "def f(c):\n    c.execute('commit;')"),
    (calls.secret_comparisons, SERVICE, "def f(a, b):\n    return a.secret == b"),
    (calls.secret_comparisons, SERVICE, "def f(given, csrf_token):\n    return given != csrf_token.encode()"),
    (sql_text.built_sql, SERVICE, "def f(t):\n    return f'SELECT id FROM {t}'"),
    (sql_text.built_sql, SERVICE, "def f(t):\n    return 'select * from ' + t + ' limit 1'"),
    (sql_text.built_sql, SERVICE, "def f(t):\n    return 'delete from %s' % t"),
    (sql_text.built_sql, SERVICE, "def f(t):\n    return 'INSERT INTO {} VALUES (1)'.format(t)"),
    (sql_text.built_sql, SERVICE, "def f(n):\n    return f'PRAGMA busy_timeout={n}'"),
    (sql_text.built_sql, SERVICE, "def f(c, w):\n    return f'UPDATE {c} SET revoked = true'"),
    (names.banned_names, SERVICE, "def f(data):\n    return data"),
    (names.banned_names, SERVICE, "for obj in []:\n    pass"),
    (names.banned_names, SERVICE, "class KeyManager:\n    pass"),
    (names.banned_names, SERVICE, "async def f(*, token):\n    return token"),
    (names.banned_names, SERVICE, "def date_utils():\n    pass"),
    (sizes.long_functions, SERVICE, LONG),
]

ALLOWED: list[tuple[Rule, str, str]] = [
    (places.SQL, "src/lumio/keys/store.py", "import sqlalchemy"),
    (places.SQL, "src/lumio/storage/hot.py", "import sqlite3, asyncpg"),
    (places.WEB, "src/lumio/keys/rest.py", "from litestar import get"),
    (places.GRAPH, "src/lumio/keys/graph.py", "import strawberry"),
    (places.CIPHERS, "src/lumio/crypto/sealing.py", "from cryptography.exceptions import InvalidTag"),
    (places.keyed_hashes, SERVICE, "import hashlib\nhashlib.sha256(b'')\nhashlib.blake2b(b'')"),
    (places.store_ownership, "src/lumio/keys/service.py", "from lumio.keys import store"),
    (places.store_ownership, "src/lumio/app/services.py", "from lumio.keys.store import KeyStore"),
    (places.store_ownership, SERVICE, "from lumio.teams.service import store_member"),
    (places.kernel_ground, "src/lumio/kernel/ids.py", "import uuid\nfrom lumio.kernel import clock"),
    (calls.clocks, "src/lumio/kernel/clock.py", "import time\ntime.time()"),
    (calls.clocks, SERVICE, "from lumio.kernel import clock\nclock.now()"),
    (calls.clocks, SERVICE, "def f(datetime):\n    return datetime.now()"),
    (calls.environment, "src/lumio/settings.py", "import os\nos.environ.get('X')"),
    (calls.commits, "src/lumio/storage/unit.py", "def f(c):\n    c.commit()"),
    (calls.commits, SERVICE, "async def f(c):\n    await c.begin()"),
    (calls.secret_comparisons, SERVICE, "def f(a):\n    return a.secret is None or a.password != ''"),
    (calls.secret_comparisons, SERVICE, "def f(a, b):\n    return a.secret_version == b.secret_version"),
    (sql_text.built_sql, SERVICE, "Q = 'SELECT id FROM a ' + 'WHERE id = :id'"),
    (sql_text.built_sql, SERVICE, "def f(n):\n    return f'Choose a label for {n} where you find it again.'"),
    (sql_text.built_sql, SERVICE, "def f(n):\n    return f'Create the key {n} first.'"),
    (names.banned_names, "src/lumio/keys/rest.py", "def f(data):\n    return data"),
    (names.banned_names, SERVICE, "def f(popout_token):\n    information = 1"),
    (sizes.long_functions, SERVICE, LONG[: -len("    x = 1\n")]),
]


def _ids(cases: list[tuple[Rule, str, str]]) -> list[str]:
    return [f"{getattr(rule, '__name__', 'place')}-{number}" for number, (rule, _, _) in enumerate(cases)]


@pytest.mark.parametrize(("rule", "path", "code"), CAUGHT, ids=_ids(CAUGHT))
def test_the_rule_finds_a_violation(rule: Rule, path: str, code: str) -> None:
    assert list(rule(Source(path, code)))


@pytest.mark.parametrize(("rule", "path", "code"), ALLOWED, ids=_ids(ALLOWED))
def test_the_rule_lets_honest_code_pass(rule: Rule, path: str, code: str) -> None:
    assert not list(rule(Source(path, code)))


@pytest.mark.parametrize("path", ["src/lumio/keys/utils.py", "src/lumio/core/x.py", "tests/unit/key_helpers.py"])
def test_an_empty_file_name_is_found(path: str) -> None:
    assert list(names.banned_files(path))


def test_a_file_of_400_lines_passes_and_one_more_does_not() -> None:
    assert not list(sizes.long_file("a.py", "x\n" * 400))
    assert list(sizes.long_file("a.py", "x\n" * 401))
    assert list(sizes.long_file("a.py", "x\n" * 400 + "x"))
