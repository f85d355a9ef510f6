"""The shipped nginx configuration, before a real server and a real application; and a cache that is too keen."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.nginx import mirror, nginx, nginx_path
from tests.support.serving import LiveServer, free_port, live_server
from tests.support.world import OPERATOR, PASSWORD, make_template

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx" / "lumio-forward-auth.conf"
FAILURES = 6

pytestmark = [
    pytest.mark.skipif(nginx_path() is None, reason="there is no nginx: run tools/nginx"),
    pytest.mark.xdist_group("nginx"),  # one server and one nginx for the module
]

CONFIGURATION = """
    upstream lumio {{ server 127.0.0.1:{lumio}; }}
    upstream app {{ server 127.0.0.1:{app}; }}
    server {{
        listen 127.0.0.1:{door};
        include {shipped};
        location / {{ proxy_pass http://app; }}
        location /publish {{ set $lumio_query "?require=extensions:publish"; proxy_pass http://app; }}
        location /bill {{ set $lumio_query "?require=system-keys:read"; proxy_pass http://app; }}
        location /public {{ set $lumio_query "?anonymous=1"; proxy_pass http://app; }}
    }}
    proxy_cache_path cache keys_zone=keen:1m;
    server {{
        listen 127.0.0.1:{cache};
        location / {{
            proxy_pass http://lumio;
            proxy_cache keen;
            proxy_cache_key $uri;
            proxy_cache_valid any 10m;
            add_header X-Cache $upstream_cache_status always;
        }}
    }}
"""


@dataclass(slots=True)
class Site:
    """A server, an application, and an nginx with two doors: the shipped one, and one with a keen cache."""

    lumio: LiveServer
    door: int
    cache: int
    folder: Path
    clients: list[httpx2.Client] = field(default_factory=list)

    def at(self, port: int, credential: str | None = None, **options: Any) -> httpx2.Client:
        """Return a client of one door."""
        headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
        address = f"http://127.0.0.1:{port}"
        return self._kept(httpx2.Client(base_url=address, headers=headers, trust_env=False, **options))

    def directly(self, credential: str | None = None) -> httpx2.Client:
        """Return a client of the server itself."""
        return self._kept(self.lumio.client(credential))

    def through(self, credential: str | None = None, address: str = "127.0.0.1") -> httpx2.Client:
        """Return a client of the shipped door that comes from an address of loopback."""
        return self.at(self.door, credential, transport=httpx2.HTTPTransport(local_address=address))

    def sign_in(self) -> httpx2.Client:
        """Return the operator's client, directly at the server."""
        form = {"email": OPERATOR, "password": PASSWORD}
        answer = self.directly().post("/v1/auth/login", json=form)
        assert answer.status_code == 200, answer.text
        return self.directly(answer.json()["data"]["access_token"])

    def close(self) -> None:
        """Close every client."""
        while self.clients:
            self.clients.pop().close()

    def _kept(self, client: httpx2.Client) -> httpx2.Client:
        self.clients.append(client)
        return client


@contextmanager
def running(folder: Path) -> Iterator[Site]:
    """Start a server on a fresh installation, an application, and nginx before both."""
    asyncio.run(make_template("sqlite", folder, None))
    settings = {
        "LUMIO_DATA_DIR": str(folder), "LUMIO_TRUSTED_PROXIES": "127.0.0.1",
        "LUMIO_RATE_AUTH_FAILURES": str(FAILURES), "LUMIO_RATE_ANONYMOUS": "5000",
    }  # fmt: skip
    door, cache = free_port(), free_port()
    prefix = folder / "nginx"
    prefix.mkdir()
    with live_server(settings) as lumio, mirror() as app:
        inner = CONFIGURATION.format(lumio=lumio.port, app=app, door=door, cache=cache, shipped=SHIPPED)
        with nginx(prefix, inner, [door, cache]):
            yield Site(lumio, door, cache, prefix)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One of each for the whole module."""
    with running(tmp_path_factory.mktemp("nginx")) as found:
        yield found


@pytest.fixture
def site(everything: Site) -> Iterator[Site]:
    """The same, with the clients of the test closed after it."""
    yield everything
    everything.close()


def _key(client: httpx2.Client) -> dict[str, Any]:
    made: dict[str, Any] = client.post("/v1/api-keys", json={"label": "behind-nginx"}).json()["data"]
    return made


def _told(answer: httpx2.Response) -> dict[str, list[str]]:
    """Return the X-Lumio headers that reached the application, however they were spelt."""
    assert answer.status_code == 200, answer.text
    headers: dict[str, list[str]] = answer.json()["headers"]
    return {name: value for name, value in headers.items() if "lumio" in name}


def test_the_application_learns_who_asks_and_nothing_that_the_client_says_of_itself(site: Site) -> None:
    robin = site.sign_in()
    key = _key(robin)
    me = robin.get("/v1/users/me").json()["data"]
    forged = {
        "X-Lumio-Kind": "session", "X-Lumio-Subject": "somebody", "X-Lumio-Account": "theirs",
        "X-Lumio-Permissions": "admin:access", "X-Lumio-Credential": "none", "X_Lumio_Kind": "session",
    }  # fmt: skip
    for method in ("GET", "POST"):
        answer = site.through(key["key"]).request(method, "/app", headers=forged)
        told = _told(answer)
        assert told.pop("x-lumio-permissions")[0].split() == sorted(told_by(site, key["key"]))
        assert told == {
            "x-lumio-kind": ["api_key"], "x-lumio-subject": [me["user"]["id"]],
            "x-lumio-account": [me["account"]["id"]], "x-lumio-credential": [key["id"]],
        }  # fmt: skip
        assert answer.json()["method"] == method


def told_by(site: Site, key: str) -> list[str]:
    """Return the rights of a key by the server's own word."""
    found: list[str] = site.directly(key).get("/v1/auth/verify").json()["permissions"]
    return found


def test_an_anonymous_request_passes_where_nobody_is_welcome_and_carries_no_forged_name(site: Site) -> None:
    forged = {"X-Lumio-Subject": "somebody", "X-Lumio-Permissions": "admin:access", "X-Lumio-Account": "theirs"}
    refused = site.through().get("/app", headers=forged)
    assert refused.status_code == 401
    assert "bearer" in refused.headers["www-authenticate"].lower()
    assert _told(site.through().get("/public", headers=forged)) == {"x-lumio-kind": ["anonymous"]}


def test_what_a_location_requires_is_403_without_it(site: Site) -> None:
    key = site.through(_key(site.sign_in())["key"])
    assert key.get("/publish").status_code == 200
    assert key.get("/bill").status_code == 403


def test_a_revoked_key_is_401_from_the_next_request_on(site: Site) -> None:
    robin = site.sign_in()
    key = _key(robin)
    client = site.through(key["key"])
    assert client.get("/app").status_code == 200
    assert robin.delete(f"/v1/api-keys/{key['id']}").status_code == 200
    assert client.get("/app").status_code == 401
    assert client.get("/public").status_code == 401


def test_a_popout_token_in_the_address_passes_and_stays_out_of_the_logs(site: Site) -> None:
    robin = site.sign_in()
    made = robin.post("/v1/tokens", json={"label": "overlay"}).json()["data"]
    told = _told(site.through().get("/overlay", params={"theme": "dark", "token": made["token"]}))
    assert (told["x-lumio-kind"], told["x-lumio-credential"]) == (["popout_token"], [made["id"]])
    forged = {"X-Forwarded-Uri": f"/?token={made['token']}", "X-Original-URI": f"/?token={made['token']}"}
    assert site.through().get("/overlay", headers=forged).status_code == 401
    assert site.through(made["token"]).get("/overlay").status_code == 401
    robin.delete(f"/v1/tokens/{made['id']}")
    assert site.through().get("/overlay", params={"token": made["token"]}).status_code == 401
    for log in ("access.log", "error.log"):
        assert made["token"] not in (site.folder / log).read_text(), log
    assert made["token"] not in site.lumio.stdout + site.lumio.stderr


def test_the_log_names_the_address_that_nginx_saw(site: Site) -> None:
    robin = site.sign_in()
    key = _key(robin)
    client = site.through(key["key"], address="127.0.0.7")
    assert client.get("/app", headers={"X-Forwarded-For": "198.51.100.1"}).status_code == 200
    told = robin.get("/v1/audit-log", params={"credential_id": key["id"]}).json()["data"]
    assert {one["ip"] for one in told if one["event"] == "auth.succeeded"} == {"127.0.0.7"}


def test_429_reaches_the_client_and_a_good_key_of_the_same_address_goes_on(site: Site) -> None:
    key = _key(site.sign_in())
    guesser = site.through(secrets.token_hex(16), address="127.0.0.9")
    statuses = [guesser.get("/app").status_code for _ in range(3)]
    assert statuses == [401] * 3
    tries = (guesser.get("/app") for _ in range(2 * FAILURES))  # enough, also where a minute ends among them
    last = next(answer for answer in tries if answer.status_code == 429)
    assert 0 < int(last.headers["retry-after"]) <= 60
    assert site.through(key["key"], address="127.0.0.9").get("/app").status_code == 200


def test_no_cache_keeps_what_belongs_to_a_person_under_any_address(site: Site) -> None:
    robin = site.sign_in()
    key = _key(robin)["key"]
    ours, theirs = site.at(site.cache, key), site.at(site.cache)
    addresses = [
        "/v1/users/me", "/v1/users/me/x.css", "/v1/users/me;x.css", "/v1/users/me%2Fx.css", "/settings/x.css",
        "/v1/api-keys/x.css", "/v1/api-keys?x.css", "/dashboard/account/tokens/x.css",
    ]  # fmt: skip
    strange = {"X-Forwarded-Host": "evil.example", "X-HTTP-Method-Override": "DELETE"}
    for address in addresses:
        first = ours.get(address, headers=strange)
        for answer in (first, theirs.get(address), ours.get(address)):
            assert answer.headers["x-cache"] != "HIT", address
            assert answer.headers["cache-control"] == "private, no-store", address
            assert "evil.example" not in answer.text + answer.headers.get("location", "")
        assert OPERATOR not in theirs.get(address).text
        assert "behind-nginx" not in theirs.get(address).text
    assert ours.get("/v1/users/me").json()["data"]["user"]["email"] == OPERATOR


def test_the_keen_cache_does_cache_what_may_be_cached(site: Site) -> None:
    page = site.directly().get("/login").text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    found = [site.at(site.cache).get(address).headers["x-cache"] for _ in range(2)]
    assert found == ["MISS", "HIT"]


def test_503_reaches_the_client_when_the_server_cannot_answer_safely_or_at_all(tmp_path: Path) -> None:
    with running(tmp_path) as site, closing(site):
        client = site.through(_key(site.sign_in())["key"])
        assert client.get("/app").status_code == 200
        database = tmp_path / "lumio.db"
        database.rename(tmp_path / "away.db")
        unsafe = client.get("/app")
        assert (unsafe.status_code, "retry-after" in unsafe.headers) == (503, True)
        (tmp_path / "away.db").rename(database)
        assert client.get("/app").status_code == 200
        site.lumio.kill()
        assert client.get("/app").status_code == 503
        assert site.through().get("/public").status_code == 503
