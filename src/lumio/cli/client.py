"""The REST client: one server, one key, and no way for the key to reach any other address.

Promise: the `Authorization` header is set on requests to the pinned origin only, redirects are not followed,
and only requests that may safely be repeated are.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lumio.cli.answer import Answer, read_answer
from lumio.cli.errors import CommandError, unreachable
from lumio.cli.origin import is_loopback
from lumio.cli.refusals import Explanations, refusal

if TYPE_CHECKING:
    import httpx2

_ATTEMPTS = 4
_PAUSES = (0.2, 0.8, 2.0)  # seconds before the second, third and fourth attempt
_LONGEST_WAIT = 10.0  # seconds a server may ask us to wait before we hand that advice to the caller instead
_BUSY = frozenset({429, 502, 503, 504})
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `again` says that a second copy does no harm: it reads, or carries an idempotency key."""

    method: str
    path: str
    again: bool
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Client:
    """A connection to `origin` with `key`. `sleep` and `debug` are the caller's."""

    origin: str
    key: str = field(repr=False)
    debug: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep
    attempts: int = _ATTEMPTS
    answer_seconds: float = _ANSWER_SECONDS

    @cached_property
    def _wire(self) -> "httpx2.Client":
        import ssl

        import httpx2

        here = is_loopback(self.origin)
        # This machine is reached directly: a proxy from the environment would be a stranger on the way.
        # Plain http loads no authorities, so a TLS handshake by mistake fails instead of trusting anybody.
        plain = self.origin.startswith("http://")
        return httpx2.Client(
            follow_redirects=False,
            trust_env=not here,
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,
            timeout=httpx2.Timeout(self.answer_seconds, connect=min(_CONNECT_SECONDS, self.answer_seconds)),
            headers={"User-Agent": "lumio-cli", "Accept": "application/json"},
        )

    def close(self) -> None:
        """Close the connection, if there is one."""
        if "_wire" in self.__dict__:
            self._wire.close()

    def get(
        self, path: str, query: Mapping[str, str | int] | None = None, explain: Explanations | None = None
    ) -> Answer:
        """Read. Raises CommandError for every answer that is no success, as the other verbs do."""
        return self.send(Call("GET", path, again=True, query=query or {}), explain)

    def download(self, path: str, query: Mapping[str, str], take: Callable[[bytes], object]) -> None:
        """Read a file and hand its pieces to `take`, once: what came already cannot be taken back."""
        import httpx2

        url = self._address(path)
        self.debug(f"GET {url.path}")
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "*/*"}
        try:
            with self._wire.stream("GET", url, params=dict(query) or None, headers=headers) as response:
                if not response.is_success:
                    response.read()
                    answer = read_answer(response.status_code, response.headers, response.content)
                    raise refusal(answer, self.origin, None)
                for piece in response.iter_bytes():
                    take(piece)
        except httpx2.TransportError as error:
            raise unreachable(self.origin, _reason(error)) from error

    def post(self, path: str, body: Mapping[str, Any] | None = None, explain: Explanations | None = None) -> Answer:
        """Change something, once: never repeated by itself."""
        return self.send(Call("POST", path, again=False, body={} if body is None else {"json": body}), explain)

    def patch(self, path: str, body: Mapping[str, Any], explain: Explanations | None = None) -> Answer:
        """Change what is there, once."""
        return self.send(Call("PATCH", path, again=False, body={"json": body}), explain)

    def delete(self, path: str, explain: Explanations | None = None, *, wait: int = 0) -> Answer:
        """Remove something, once; ask the server to wait so many seconds until that is so everywhere."""
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        return self.send(Call("DELETE", path, again=False, headers=headers), explain)

    def send(self, call: Call, explain: Explanations | None = None) -> Answer:
        """Send, repeat what may be repeated, and return the answer if it is a success."""
        answer = self._settle(call)
        if not answer.ok:
            raise refusal(answer, self.origin, explain)
        return answer

    def _settle(self, call: Call) -> Answer:
        import httpx2

        for attempt in range(self.attempts):
            last = attempt + 1 == self.attempts
            pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
            try:
                answer = self._once(call)
            except httpx2.TransportError as error:
                if last or not call.again:
                    raise self._unreachable(call, error) from error
                self.debug(f"{type(error).__name__}, again in {pause} s")
            else:
                if last or not self._worth_repeating(call, answer):
                    return answer
                pause = pause if answer.retry_after is None else answer.retry_after
                self.debug(f"answer {answer.status}, again in {pause} s")
            self.sleep(pause)
        raise AssertionError  # the last attempt returns or raises

    def _address(self, path: str) -> "httpx2.URL":
        """Return the full address, after proving that it is one of the pinned origin."""
        import httpx2

        with suppress(httpx2.InvalidURL):
            url = httpx2.URL(self.origin + path)
            if _origin_of(url) == self.origin:
                return url
        what = f"{path} is not an address of {self.origin}"
        raise CommandError(what, "the key was not sent there", code="foreign_address")

    def _once(self, call: Call) -> Answer:
        url = self._address(call.path)
        self.debug(f"{call.method} {url.path}")
        response = self._wire.request(
            call.method,
            url,
            params=dict(call.query) or None,
            headers={**call.headers, "Authorization": f"Bearer {self.key}"},
            **call.body,
        )
        answer = read_answer(response.status_code, response.headers, response.content)
        self.debug(f"{answer.status}, request id {answer.request_id}")
        return answer

    @staticmethod
    def _worth_repeating(call: Call, answer: Answer) -> bool:
        running_elsewhere = answer.status == 409 and answer.retry_after is not None  # noqa: PLR2004 - RFC 9110
        if not call.again or not (answer.status in _BUSY or running_elsewhere):
            return False
        if answer.status == 429 and answer.retry_after is None:  # noqa: PLR2004 - RFC 6585
            return False
        return answer.retry_after is None or answer.retry_after <= _LONGEST_WAIT

    def _unreachable(self, call: Call, error: Exception) -> CommandError:
        unknown = "" if call.again or call.method == "GET" else ". It is not known whether the server did it"
        return unreachable(self.origin, f"{_reason(error)}{unknown}")


def _origin_of(url: "httpx2.URL") -> str:
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}" + ("" if url.port is None else f":{url.port}")


def _reason(error: Exception) -> str:
    import httpx2

    if isinstance(error, httpx2.ConnectTimeout):
        return "it did not answer the knock in time"
    if isinstance(error, httpx2.TimeoutException):
        return "it did not answer in time"
    if isinstance(error, httpx2.ConnectError):
        return f"no connection ({str(error) or 'refused'})"
    return f"the connection broke ({type(error).__name__})"
