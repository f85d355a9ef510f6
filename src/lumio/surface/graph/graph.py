"""The schema, and running a query against it.

Promise: nothing of a query runs unless all of it is within the limits and valid.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError
from msgspec import Meta, Struct
from strawberry.extensions import DisableIntrospection, MaxTokensLimiter, ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext, get_object_definition
from strawberry.types.execution import PreExecutionError

from lumio.access.perform import Perform
from lumio.access.principal import Asker
from lumio.kernel import clock
from lumio.kernel.errors import FieldError, Invalid
from lumio.surface.graph import faults
from lumio.surface.graph.call import Call
from lumio.surface.graph.limits import DEVELOPMENT, LENGTH_MAX, PRODUCTION, TOKENS_MAX, Limits

CACHED_QUERIES = 128

Moment = strawberry.scalar(
    name="DateTime",
    description="A time of RFC 3339 in UTC, such as 2026-11-21T23:38:54.000000Z.",
    serialize=clock.rfc3339,
    parse_value=lambda given: given,
)
"""Times leave in the form of every surface, and arrive as they are: `perform` judges them."""


class Question(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Input: a query as the GraphQL-over-HTTP specification carries it (section 5)."""

    query: Annotated[str, Meta(min_length=1, max_length=LENGTH_MAX)]
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None


class _Schema(strawberry.Schema):
    """The schema; errors are logged where they are shown, and only when they were not foreseen."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave the library's own log alone: it would write down every refusal with a traceback."""


class Graph:
    """Answers questions."""

    def __init__(
        self,
        queries: Sequence[type],
        mutations: Sequence[type],
        services: Sequence[Any],
        perform: Perform,
        *,
        introspection: bool,
    ) -> None:
        """Join the domains' `queries` and `mutations`; resolvers find the `services` by class."""
        self._services: Mapping[type, Any] = {type(service): service for service in services}
        self._perform = perform
        self._schema = _Schema(
            query=merge_types("Query", tuple(map(_described, queries))),
            mutation=merge_types("Mutation", tuple(map(_described, mutations))),
            extensions=[
                lambda: MaxTokensLimiter(max_token_count=TOKENS_MAX),
                lambda: ParserCache(maxsize=CACHED_QUERIES),
                lambda: Limits(DEVELOPMENT if introspection else PRODUCTION),
                lambda: ValidationCache(maxsize=CACHED_QUERIES),
                *([] if introspection else [DisableIntrospection]),
            ],
            config=StrawberryConfig(
                disable_field_suggestions=not introspection, scalar_map={datetime: Moment}, sort_schema=True
            ),
        )
        self.sdl = f"{self._schema.as_str()}\n"

    async def answer(self, question: Question, asker: Asker) -> dict[str, Any]:
        """Return `data` and `errors` of a question.

        Raises:
            Invalid: it names no operation that the document has.
        """
        request_id = asker.origin.request_id or ""
        try:
            result = await self._schema.execute(
                question.query,
                variable_values=question.variables,
                operation_name=question.operation_name,
                context_value=Call(replace(asker, retry=None), self._perform, self._services),
            )
        except CannotGetOperationTypeError as error:
            message = "Must name an operation of the document."
            raise Invalid([FieldError("operationName", "unknown", message)]) from error
        errors = [faults.located(one, request_id) for one in result.errors or ()]
        if isinstance(result, PreExecutionError):
            return {"errors": errors}
        return {"errors": errors, "data": result.data} if errors else {"data": result.data}


def _described(fields: type) -> type:
    """Give each field of a root type its resolver's docstring, as the schema's readers see it."""
    definition = get_object_definition(fields, strict=True)
    for field in definition.fields:
        if field.base_resolver is not None:
            field.description = inspect.getdoc(field.base_resolver.wrapped_func)
    return fields
