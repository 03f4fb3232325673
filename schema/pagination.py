"""Connections as Relay defines them: https://relay.dev/graphql/connections.htm."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import strawberry

from core.paging import Page

T = TypeVar("T")
R = TypeVar("R")

First: TypeAlias = Annotated[int | None, strawberry.argument(description="How many from the start; 20 if not given.")]
After: TypeAlias = Annotated[str | None, strawberry.argument(description="Start after this cursor.")]
Last: TypeAlias = Annotated[int | None, strawberry.argument(description="How many from the end.")]
Before: TypeAlias = Annotated[str | None, strawberry.argument(description="End before this cursor.")]


@strawberry.federation.type(shareable=True, description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = strawberry.field(description="Whether items follow.")
    has_previous_page: bool = strawberry.field(description="Whether items precede.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first item.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last item.")


@strawberry.type(description="An item with its cursor.")
class Edge(Generic[T]):
    """Relay's edge; `Edge[Product]` is `ProductEdge` in the schema."""

    node: T = strawberry.field(description="The item.")
    cursor: str = strawberry.field(description="Where it stands in the list; for `after` and `before`.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Relay's connection; `Connection[Product]` is `ProductConnection` in the schema."""

    edges: list[Edge[T]] = strawberry.field(description="The items with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    nodes: list[T] = strawberry.field(description="The items without their cursors.")


def connection_arguments(page: Page[R], to_node: Callable[[R], T]) -> dict[str, Any]:
    """Return the arguments of a Connection of *page*, for it and for classes derived from it."""
    nodes = [to_node(row) for row in page.rows]
    return {
        "edges": [Edge(node=node, cursor=cursor) for node, cursor in zip(nodes, page.cursors, strict=True)],
        "nodes": nodes,
        "page_info": PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        ),
    }
