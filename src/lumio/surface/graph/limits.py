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
DEPTH_MAX = 12
ALIASES_MAX = 15
DIRECTIVES_MAX = 15
FIELDS_MAX = 400


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

    def on_validate(self) -> Iterator[None]:
        """Measure the document. Raises Invalid."""
        document = self.execution_context.graphql_document
        if document is not None:
            check(document)
        yield


def check(document: DocumentNode) -> None:
    """Refuse a document that costs too much.

    Raises:
        Invalid: names the limit.
    """
    cost = _Meter(document).total()
    _at_most(cost.directives, DIRECTIVES_MAX, "directives")
    _at_most(cost.aliases, ALIASES_MAX, "aliases")
    _at_most(cost.fields, FIELDS_MAX, "fields")


def _at_most(found: int, limit: int, what: str) -> None:
    if found > limit:
        raise Invalid([FieldError("query", what, f"Must have at most {limit} {what}.")])


class _Meter:
    """Measures one document."""

    def __init__(self, document: DocumentNode) -> None:
        self._document = document
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._measured: dict[str, Cost] = {}

    def total(self) -> Cost:
        """Return the cost of all operations, and of each fragment at least once."""
        cost = Cost()
        for one in self._document.definitions:
            if isinstance(one, OperationDefinitionNode):
                own = len(one.directives or ()) + sum(len(name.directives or ()) for name in one.variable_definitions or ())
                cost = cost.beside(self._set(one.selection_set, 1)).beside(Cost(directives=own))
        for name in self._fragments:
            if name not in self._measured:
                cost = cost.beside(self._fragment(name, 1))
        return cost

    def _set(self, selection_set: SelectionSetNode | None, level: int) -> Cost:
        """Return the cost of what stands in one pair of braces, `level` pairs deep."""
        if selection_set is None:
            return Cost()
        if level > DEPTH_MAX:
            raise Invalid([FieldError("query", "depth", f"Must not be nested more than {DEPTH_MAX} levels deep.")])
        cost = Cost()
        for one in selection_set.selections:
            cost = cost.beside(self._selection(one, level)).beside(Cost(directives=_count(one.directives)))
        return cost._replace(height=cost.height + 1)

    def _selection(self, one: SelectionNode, level: int) -> Cost:
        match one:
            case FieldNode():
                return self._set(one.selection_set, level + 1).beside(Cost(fields=1, aliases=int(one.alias is not None)))
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
        if level + known.height - 1 > DEPTH_MAX:
            raise Invalid([FieldError("query", "depth", f"Must not be nested more than {DEPTH_MAX} levels deep.")])
        return known


def _count(directives: Sequence[DirectiveNode] | None) -> int:
    return len(directives or ())
