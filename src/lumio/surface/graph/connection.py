"""The end of a page, as the cursor connections specification of Relay names it (section 5)."""

import strawberry


@strawberry.type(name="PageInfo")
class PageEnd:
    """Where a page begins and ends. Pages are read forward only."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def page_end(cursors: list[str], *, more: bool, after: str | None) -> PageEnd:
    """Return the end of a page.

    Args:
        cursors: those of its items, in order.
        more: whether a next page exists.
        after: the cursor that this page was asked for with.
    """
    return PageEnd(
        has_next_page=more,
        has_previous_page=after is not None,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
