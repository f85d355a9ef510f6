"""What a query may cost, measured on its text before anything of it runs (threat 34).

Promise: the work of measuring grows with the length of the document only: each fragment is measured once,
however often it is used, and a circle of fragments ends at the same depth limit as everything else.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)
from strawberry.extensions import SchemaExtension

from lumio.kernel.errors import FieldError, Invalid

LENGTH_MAX = 16_384
TOKENS_MAX = 1000


class Ceilings(NamedTuple):
    """The most that one document may amount to; aliases and directives count wherever they stand."""

    depth: int = 12
    fields: int = 200
    aliases: int = 15
    directives: int = 15


PRODUCTION = Ceilings()
DEVELOPMENT = Ceilings(depth=24, fields=400)
"""Wide enough for the query by which a tool learns the schema."""


class Cost(NamedTuple):
    """What a set of selections amounts to with its fragments put in place."""

    height: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: "Cost") -> "Cost":
        """Return the cost of both together."""
        return Cost(
            max(self.height, other.height),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
        )


class Limits(SchemaExtension):
    """Refuses what costs too much, between reading the document and validating it."""

    def __init__(self, ceilings: Ceilings = PRODUCTION) -> None:
        """Refuse what exceeds `ceilings`."""
        self._ceilings = ceilings

    def on_validate(self) -> Iterator[None]:
        """Measure the document. Raises Invalid."""
        document = self.execution_context.graphql_document
        if document is not None:
            check(document, self._ceilings)
        yield


def check(document: DocumentNode, ceilings: Ceilings = PRODUCTION) -> None:
    """Refuse a document that costs too much.

    Raises:
        Invalid: names the limit.
    """
    cost = _Meter(document, ceilings.depth).total()
    _at_most(cost.directives, ceilings.directives, "directives")
    _at_most(cost.aliases, ceilings.aliases, "aliases")
    _at_most(cost.fields, ceilings.fields, "fields")


def _at_most(found: int, limit: int, what: str) -> None:
    if found > limit:
        raise Invalid([FieldError("query", what, f"Must have at most {limit} {what}.")])


class _Meter:
    """Measures one document."""

    def __init__(self, document: DocumentNode, depth_max: int) -> None:
        self._document = document
        self._depth_max = depth_max
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._measured: dict[str, Cost] = {}

    def total(self) -> Cost:
        """Return the cost of all operations, and of each fragment at least once."""
        cost = Cost()
        for one in self._document.definitions:
            if isinstance(one, OperationDefinitionNode):
                own = _count(one.directives) + sum(_count(name.directives) for name in one.variable_definitions or ())
                cost = cost.beside(self._set(one.selection_set, 1)).beside(Cost(directives=own))
        for name in self._fragments:
            if name not in self._measured:
                cost = cost.beside(self._fragment(name, 1))
        return cost

    def _set(self, selection_set: SelectionSetNode | None, level: int) -> Cost:
        """Return the cost of what stands in one pair of braces, `level` pairs deep."""
        if selection_set is None:
            return Cost()
        self._not_below(level)
        cost = Cost()
        for one in selection_set.selections:
            cost = cost.beside(self._selection(one, level)).beside(Cost(directives=_count(one.directives)))
        return cost._replace(height=cost.height + 1)

    def _selection(self, one: SelectionNode, level: int) -> Cost:
        match one:
            case FieldNode():
                own = Cost(fields=1, aliases=int(one.alias is not None))
                return self._set(one.selection_set, level + 1).beside(own)
            case InlineFragmentNode():
                return self._set(one.selection_set, level + 1)
            case FragmentSpreadNode():
                return self._fragment(one.name.value, level + 1)
        return Cost()

    def _fragment(self, name: str, level: int) -> Cost:
        """Return the cost of a fragment, measured once; one that does not exist is the validation's to name."""
        fragment = self._fragments.get(name)
        if fragment is None:
            return Cost()
        known = self._measured.get(name)
        if known is None:
            own = Cost(directives=_count(fragment.directives))
            known = self._measured[name] = self._set(fragment.selection_set, level).beside(own)
        self._not_below(level + known.height - 1)
        return known

    def _not_below(self, level: int) -> None:
        if level > self._depth_max:
            message = f"Must not be nested more than {self._depth_max} levels deep."
            raise Invalid([FieldError("query", "depth", message)])


def _count(directives: Sequence[DirectiveNode] | None) -> int:
    return len(directives or ())
