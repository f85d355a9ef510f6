"""An action: one use case, declared once, shown on every surface.

A service method becomes an action by its decorator, which names the permission it needs, the event it must
record (None: it only reads) and whether it needs a fresh proof. `perform` is the only way to run it.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, get_type_hints, overload

from lumio.access.context import Context
from lumio.access.principal import Asker, Principal
from lumio.authority.subjects import Subject

Service = TypeVar("Service")
Input = TypeVar("Input")
Output = TypeVar("Output")

Prepare = Callable[[Any, Asker, Any], Awaitable[Any]]
Ends = Callable[[Principal, Any], Iterable[Subject]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an action declares of itself.

    `signed_in`: anonymous askers are refused though no permission is needed. `ends`: the subjects that the
    action ends or changes, locked before rights are read. `creates`: an `Idempotency-Key` is honoured;
    `reveals`: its answer holds a secret, so a repetition never gets it again. `prepare`: slow work done
    before the unit opens, after a first look at the rights; when its result has a `body_digest`, that tells
    repetitions apart instead of the raw body's, and when it has `ends`, those subjects are locked with the others.
    """

    name: str
    permission: str | None = None
    event: str | None = None
    step_up: bool = False
    signed_in: bool = False
    ends: Ends | None = None
    creates: bool = False
    reveals: bool = False
    prepare: Prepare | None = None


@dataclass(frozen=True, slots=True)
class Action(Generic[Input, Output]):
    """An action bound to its service: what surfaces hand to `perform`."""

    terms: Terms
    input_type: type[Input]
    output_type: Any
    run: Callable[[Context, Input], Awaitable[Output]]
    prepare: Callable[[Asker, Input], Awaitable[Any]] | None


class ActionMethod(Generic[Service, Input, Output]):
    """The descriptor behind `@action`: gives the bound action on an instance, itself on the class."""

    def __init__(self, terms: Terms, method: Callable[[Service, Context, Input], Awaitable[Output]]) -> None:
        """Keep both; the types are read when first needed, since models may be defined later."""
        self.terms = terms
        self._method = method
        self._name = method.__name__
        self.__doc__ = method.__doc__

    @property
    def input_type(self) -> type[Input]:
        """The type of the second parameter."""
        hints = get_type_hints(self._method)
        names = [name for name in hints if name.lstrip("_") not in {"context", "return"}]
        found: type[Input] = hints[names[0]]
        return found

    @property
    def output_type(self) -> Any:
        """The type of the result."""
        return get_type_hints(self._method)["return"]

    @overload
    def __get__(self, service: None, owner: type) -> "ActionMethod[Service, Input, Output]": ...
    @overload
    def __get__(self, service: Service, owner: type) -> Action[Input, Output]: ...
    def __get__(
        self, service: Service | None, owner: type
    ) -> "ActionMethod[Service, Input, Output] | Action[Input, Output]":
        """Bind to a service, once: the instance's own attribute stands before this from then on."""
        if service is None:
            return self
        method, prepare = self._method, self.terms.prepare

        async def ready(asker: Asker, form: Input) -> Any:
            return await prepare(service, asker, form) if prepare else None

        run, slow = partial(method, service), ready if prepare else None
        bound = Action(self.terms, self.input_type, self.output_type, run, slow)
        vars(service)[self._name] = bound
        return bound


def action(
    name: str,
    *,
    permission: str | None = None,
    event: str | None = None,
    step_up: bool = False,
    signed_in: bool = False,
    ends: Ends | None = None,
    creates: bool = False,
    reveals: bool = False,
    prepare: Prepare | None = None,
) -> Callable[[Callable[[Service, Context, Input], Awaitable[Output]]], ActionMethod[Service, Input, Output]]:
    """Declare a service method as an action; see `Terms` for what each word means."""
    terms = Terms(name, permission, event, step_up, signed_in, ends, creates, reveals, prepare)

    def declare(
        method: Callable[[Service, Context, Input], Awaitable[Output]],
    ) -> ActionMethod[Service, Input, Output]:
        return ActionMethod(terms, method)

    return declare
