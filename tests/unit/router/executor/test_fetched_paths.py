from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from router.executor.fetched_paths import FetchedPaths, keys_of
from router.planner.plan import (
    BatchFetch,
    BatchPart,
    ContextVariable,
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
contexts = st.lists(st.integers(1, 3).map(lambda levels: ContextVariable("v", "Int", levels, ())), max_size=1).map(
    tuple
)
flattens = st.builds(lambda path, taken: Flatten(path, replace(FETCH, contexts=taken)), paths, contexts)
parts = st.builds(
    lambda at, taken: replace(part_at(*at), contexts=taken), st.lists(paths, min_size=1, max_size=3), contexts
)
batches = st.lists(parts, min_size=1, max_size=3).map(lambda every: BatchFetch("s", "", tuple(every)))


def part_at(*at: ResponsePath) -> BatchPart:
    return BatchPart(at, "_entities", "representations", ())


def contexts_of(owner: Flatten | BatchPart) -> tuple[ContextVariable, ...]:
    return owner.fetch.contexts if isinstance(owner, Flatten) else owner.contexts


def may_share_by_comparing_all(
    every: list[tuple[Flatten | BatchPart, ResponsePath]], owner: object, own: tuple[ResponsePath, ...]
) -> bool:
    """Answer as `FetchedPaths.may_share`, by comparing each path with each."""
    for other, path in every:
        inside = keys_of(path)
        for context in contexts_of(other):
            for keys in map(keys_of, own):
                if inside[: len(keys)] == keys and len(inside) - context.levels <= len(keys) < len(inside):
                    return False
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


def test_objects_may_not_if_those_in_them_get_values_from_them_or_from_above_them() -> None:
    x, y, z = map(KeyElement, "xyz")
    first = Flatten((x, y), FETCH)
    for levels, may in ((1, True), (2, False), (3, False)):
        variable = ContextVariable("locale", "String", levels, ())
        later = Flatten((x, y, TypeElement(("A",)), z, ListElement(), z), replace(FETCH, contexts=(variable,)))
        assert FetchedPaths(Parallel((first, later))).may_share(first, (first.path,)) == may
        # All of those at its own path are sent with the values of theirs
        assert FetchedPaths(Parallel((first, later))).may_share(later, (later.path,))


@given(st.lists(st.one_of(flattens, batches), min_size=1, max_size=4))
def test_the_tree_answers_as_comparing_each_path_with_each(nodes: list[Flatten | BatchFetch]) -> None:
    owners: list[tuple[Flatten | BatchPart, tuple[ResponsePath, ...]]] = []
    for node in nodes:
        match node:
            case Flatten(path=path):
                owners.append((node, (path,)))
            case BatchFetch(parts=parts):
                owners.extend((part, part.paths) for part in parts)
    every = [(owner, path) for owner, own in owners for path in own]
    fetched = FetchedPaths(Parallel(tuple(nodes)))
    for owner, own in owners:
        assert fetched.may_share(owner, own) == may_share_by_comparing_all(every, owner, own)
