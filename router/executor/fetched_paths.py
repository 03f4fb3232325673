"""Where the requests of a plan meet.

Parts of one answer may be shared by several objects only if no other request is about some of these objects alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from router.planner.plan import (
    BatchFetch,
    BatchPart,
    Condition,
    Defer,
    Fetch,
    Flatten,
    KeyElement,
    Parallel,
    PathElement,
    PlanNode,
    ResponsePath,
    Sequence,
)


@dataclass(slots=True)
class _Place:
    """What the fetched paths have in common so far, and how they go on; grows."""

    below: dict[PathElement, "_Place"] = field(default_factory=dict)
    #: How many of the elements they go on with are no response keys.
    unnamed: int = 0


class FetchedPaths:
    """Knows all paths of a plan at which something is fetched below the root, and who fetches there.

    They are kept as a tree: a batch may have thousands of them, which cannot each be compared with each.
    """

    def __init__(self, root: PlanNode | None) -> None:
        self._root = _Place()
        # For each way of response keys that leads to fetched objects, all on the way too, who fetches there or below.
        self._owners: dict[tuple[str, ...], set[int]] = {}
        # Ways of response keys to objects that a fetch takes a value from, or past, to objects below them.
        self._divided: set[tuple[str, ...]] = set()
        for owner, path in _find_paths(root) if root else ():
            place = self._root
            for element in path:
                if element not in place.below:
                    place.below[element] = _Place()
                    place.unnamed += not isinstance(element, KeyElement)
                place = place.below[element]
            keys = keys_of(path)
            for length in range(len(keys) + 1):
                self._owners.setdefault(keys[:length], set()).add(id(owner))
            for context in (owner.fetch if isinstance(owner, Flatten) else owner).contexts:
                self._divided.update(keys[:length] for length in range(max(len(keys) - context.levels, 0), len(keys)))

    def may_share(self, owner: Flatten | BatchPart, paths: tuple[ResponsePath, ...]) -> bool:
        """Tell whether no other fetch is about some only of the objects at *paths*, or of what is in them.

        With several paths, a fetch at one of them or below it is about some only. So is one that takes values from the
        objects at *paths*, or from above them, to what is in them: it may answer differently for each.
        """
        if any(keys_of(path) in self._divided for path in paths):
            return False
        if len(paths) > 1 and any(self._is_anothers(owner, path) for path in paths):
            return False
        return all(map(self._are_treated_alike, paths))

    def _is_anothers(self, owner: Flatten | BatchPart, path: ResponsePath) -> bool:
        owners = self._owners.get(keys_of(path), set())
        return len(owners) > (id(owner) in owners)

    def _are_treated_alike(self, path: ResponsePath) -> bool:
        """Tell whether each fetch is about all objects at *path*, or about none of them and what is in them.

        One that stays on certain types on the way to *path* could be about some of them only.
        """
        place = self._root
        for element in path:
            # Different keys lead elsewhere; everything else may meet.
            meeting = place.unnamed if isinstance(element, KeyElement) else len(place.below)
            below = place.below.get(element)
            if meeting > (below is not None and not isinstance(element, KeyElement)):
                return False
            if below is None:
                return True
            place = below
        return True


def keys_of(path: ResponsePath) -> tuple[str, ...]:
    """Return the response keys of a path."""
    return tuple(element.response_key for element in path if isinstance(element, KeyElement))


def _find_paths(node: PlanNode) -> Iterator[tuple[Flatten | BatchPart, ResponsePath]]:
    """Yield the paths at which something is fetched below the root, each with what fetches there."""
    match node:
        case Flatten(path=path):
            yield node, path
        case BatchFetch(parts=parts):
            for part in parts:
                for path in part.paths:
                    yield part, path
        case Sequence(nodes=nodes) | Parallel(nodes=nodes):
            for inner in nodes:
                yield from _find_paths(inner)
        case Condition(then=then, otherwise=otherwise):
            for branch in (then, otherwise):
                if branch is not None:
                    yield from _find_paths(branch)
        case Defer(primary=primary, blocks=blocks):
            for part_node in (primary, *(block.node for block in blocks)):
                if part_node is not None:
                    yield from _find_paths(part_node)
        case Fetch():
            return
