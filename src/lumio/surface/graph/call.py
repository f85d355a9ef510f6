"""What a resolver works with: the three lines that every one of them has.

Promise: a resolver reaches a service only through `perform`, with the asker that the gate found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import strawberry

from lumio.access.perform import Perform
from lumio.access.principal import Asker

Service = TypeVar("Service")
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Call:
    """The context of one request: who asks, how actions run, and the services by their class."""

    asker: Asker
    perform: Perform
    services: Mapping[type, Any]

    def of(self, kind: type[Service]) -> Service:
        """Return the service of a class."""
        return cast("Service", self.services[kind])


Info = strawberry.Info[Call, None]


def shown(_kind: type[Shown], result: Any) -> Shown:
    """Hand over a result as the GraphQL type that describes it; its fields are read by name, nothing is copied.

    A test compares each such type with its model, field by field.
    """
    return cast("Shown", result)
