from hypothesis import given
from hypothesis import strategies as st

from router.executor.fetched_paths import FetchedPaths, keys_of
from router.planner.plan import (
    BatchFetch,
    BatchPart,
    Fetch,
    Flatten,
    KeyElement,
    ListElement,
    OperationKind,
    Parallel,
    ResponsePath,
    TypeElement,
)

FETCH = Fetch("s", OperationKind.QUERY, "{ x }")
elements = st.one_of(
    st.sampled_from("xy").map(KeyElement),
    st.just(ListElement()),
    st.sampled_from("AB").map(lambda name: TypeElement((name,))),
)
paths = st.lists(elements, min_size=1, max_size=4).map(tuple)
flattens = paths.map(lambda path: Flatten(path, FETCH))
batches = st.lists(st.lists(paths, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(
    lambda parts: BatchFetch("s", "", tuple(BatchPart(each, "_entities", "representations", ()) for each in parts))
)


def part_at(*at: ResponsePath) -> BatchPart:
    return BatchPart(at, "_entities", "representations", ())


def may_share_by_comparing_all(
    every: list[tuple[object, ResponsePath]], owner: object, own: tuple[ResponsePath, ...]
) -> bool:
    """Answer as `FetchedPaths.may_share`, by comparing each path with each."""
    others = [keys_of(path) for other, path in every if other is not owner]
    if len(own) > 1 and any(other[: len(keys_of(path))] == keys_of(path) for path in own for other in others):
        return False
    for path in own:
        for _, later in every:
            first = next(((one, other) for one, other in zip(later, path, strict=False) if one != other), None)
            if first is not None and not all(isinstance(one, KeyElement) for one in first):
                return False
    return True


def test_objects_of_one_path_may_share_parts() -> None:
    flatten = Flatten((KeyElement("x"), ListElement()), FETCH)
    assert FetchedPaths(flatten).may_share(flatten, (flatten.path,))


def test_objects_of_which_another_fetch_is_about_some_types_only_may_not() -> None:
    first = Flatten((KeyElement("x"), ListElement()), FETCH)
    later = Flatten((KeyElement("x"), ListElement(), TypeElement(("A",)), KeyElement("y")), FETCH)
    other = Flatten((KeyElement("x"), TypeElement(("A",)), KeyElement("y")), FETCH)
    assert FetchedPaths(Parallel((first, later))).may_share(first, (first.path,))
    assert not FetchedPaths(Parallel((first, other))).may_share(first, (first.path,))


def test_objects_at_two_paths_may_share_parts_unless_another_fetch_is_about_one_of_these() -> None:
    part = part_at((KeyElement("x"),), (KeyElement("y"),))
    other = Flatten((KeyElement("x"), KeyElement("z")), FETCH)
    batch = BatchFetch("s", "", (part,))
    assert FetchedPaths(batch).may_share(part, part.paths)
    assert not FetchedPaths(Parallel((batch, other))).may_share(part, part.paths)


@given(st.lists(st.one_of(flattens, batches), min_size=1, max_size=4))
def test_the_tree_answers_as_comparing_each_path_with_each(nodes: list[Flatten | BatchFetch]) -> None:
    owners: list[tuple[Flatten | BatchPart, tuple[ResponsePath, ...]]] = []
    for node in nodes:
        match node:
            case Flatten(path=path):
                owners.append((node, (path,)))
            case BatchFetch(parts=parts):
                owners.extend((part, part.paths) for part in parts)
    every: list[tuple[object, ResponsePath]] = [(owner, path) for owner, own in owners for path in own]
    fetched = FetchedPaths(Parallel(tuple(nodes)))
    for owner, own in owners:
        assert fetched.may_share(owner, own) == may_share_by_comparing_all(every, owner, own)
