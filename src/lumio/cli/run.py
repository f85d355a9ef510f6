"""One run of a command: its options, its voice, and, when first asked for, its server, key and client.

Promise: nothing is read from disk, keyring or network before a command needs it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lumio.cli import credentials, profiles
from lumio.cli.credentials import Credential
from lumio.cli.errors import CommandError, not_signed_in, usage_error
from lumio.cli.origin import is_loopback, parse_origin
from lumio.cli.output import Output
from lumio.cli.settings import DEFAULT_PROFILE, DEFAULT_SERVER, Surroundings
from lumio.cli.shape import check_credential
from lumio.cli.text import hide_whole_keys, visible

if TYPE_CHECKING:
    from lumio.cli.client import Client
    from lumio.cli.project import Project


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options that every command takes. `key` is what `--token` said: a key, `-`, or nothing."""

    server: str | None = None
    profile: str | None = None
    key: str | None = field(default=None, repr=False)
    as_json: bool = False
    quiet: bool = False
    no_color: bool = False
    debug: bool = False

    def over(self, outer: "GlobalOptions") -> "GlobalOptions":
        """Join with the options given before the command's name; the inner ones win."""
        return GlobalOptions(
            server=self.server or outer.server,
            profile=self.profile or outer.profile,
            key=self.key if self.key is not None else outer.key,
            as_json=self.as_json or outer.as_json,
            quiet=self.quiet or outer.quiet,
            no_color=self.no_color or outer.no_color,
            debug=self.debug or outer.debug,
        )


@dataclass
class Run:
    """What a command is given besides its own arguments."""

    options: GlobalOptions
    around: Surroundings
    out: Output
    read_key: Callable[[], str]
    interactive: bool = False

    @property
    def profile(self) -> str:
        """Return the name of the profile in use."""
        return self.options.profile or DEFAULT_PROFILE

    @cached_property
    def project(self) -> "Project | None":
        """Return the project in the current folder, None where there is no project file."""
        from lumio.cli.project import find_project

        return find_project(Path.cwd())

    @cached_property
    def server(self) -> tuple[str, str]:
        """Return the server's origin and who named it: flag, variable, project file, profile, default."""
        named = [
            (self.options.server, "--server"),
            (self.around.server, "LUMIO_SERVER"),
        ]
        for text, source in named:
            if text:
                return parse_origin(text), source
        if self.project is not None and self.project.server:
            return parse_origin(self.project.server), self.project.path.name
        stored = profiles.server_of(self.profile)
        return (parse_origin(stored), f"profile {self.profile}") if stored else (DEFAULT_SERVER, "default")

    @property
    def origin(self) -> str:
        """Return the server's origin."""
        return self.server[0]

    @cached_property
    def credential(self) -> Credential | None:
        """Return the key in use: flag, then LUMIO_TOKEN, then what is stored for this profile and server."""
        if self.options.key is not None:
            return Credential(self.read_key(), "--token", bound=False)
        if self.around.key:
            return Credential(self.around.key, "LUMIO_TOKEN", bound=False)
        return credentials.load(self.profile, self.origin)

    def signed_in(self) -> Credential:
        """Return the key in use, or raise the error that says how to get one (exit code 4)."""
        credential = self.credential
        if credential is None:
            why = "LUMIO_TOKEN is set but empty" if self.around.key_is_empty else (
                f"profile {self.profile} has no key for it and LUMIO_TOKEN is not set")  # fmt: skip
            raise not_signed_in(f"You are not signed in to {self.origin}", why,
                                "Run lumio login, or set LUMIO_TOKEN in CI")  # fmt: skip
        check_credential(credential.key, credential.source)
        self.check_destination(credential)
        return credential

    def check_destination(self, credential: Credential) -> None:
        """Refuse to send a key that is bound to no server to one that only the project file names.

        A hostile change to that file would otherwise send the CI's key to its author.
        """
        origin, source = self.server
        unbound = not credential.bound
        named_by_project = self.project is not None and source == self.project.path.name
        if not (unbound and named_by_project) or is_loopback(origin):
            return
        raise CommandError(
            f"The key was not sent to {origin}",
            f"only {source} names that server, and whoever changes the file could collect the key",
            f"If it is right, say so outside the file: set LUMIO_SERVER={origin} or pass --server {origin}",
            code="unconfirmed_server",
        )

    @cached_property
    def client(self) -> "Client":
        """Return the client for the server and key in use."""
        return self.client_with(self.signed_in().key)

    def client_with(self, key: str) -> "Client":
        """Return a client for the server in use with another key."""
        from lumio.cli.client import Client

        return Client(self.origin, key, debug=self.out.debug)

    def close(self) -> None:
        """Close what was opened."""
        if "client" in self.__dict__:
            self.client.close()

    @property
    def used_the_server(self) -> bool:
        """Tell whether the command asked the server with the key in use."""
        return "client" in self.__dict__

    def confirm(self, question: str, *, yes: bool, flag: str = "--yes") -> None:
        """Ask before something that cannot be undone; where nobody can answer, demand the flag."""
        if yes:
            return
        question = hide_whole_keys(visible(question))
        if not self.interactive:
            raise usage_error(f"{question} Nobody is there to answer", "", f"Add {flag} to go on without asking")
        import typer

        if not typer.confirm(question, err=True):
            what = "Nothing was changed"
            raise CommandError(what, "you said no", code="declined")
