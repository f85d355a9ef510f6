"""The census: every action of every service, for the golden files and the matrix tests."""

from collections.abc import Iterable, Iterator

from lumio.access.action import ActionMethod, Terms


def actions_of(service: type) -> Iterator[tuple[str, Terms]]:
    """Yield the attribute name and the terms of each action of a service class."""
    for name, member in vars(service).items():
        if isinstance(member, ActionMethod):
            yield name, member.terms


def census(services: Iterable[type]) -> list[Terms]:
    """Return the terms of all actions, by name.

    Raises:
        ValueError: two actions share a name.
    """
    found = [terms for service in services for _, terms in actions_of(service)]
    names = [terms.name for terms in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        message = f"declared twice: {sorted(twice)}"
        raise ValueError(message)
    return sorted(found, key=lambda terms: terms.name)
