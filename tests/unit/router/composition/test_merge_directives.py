import pytest

from router.composition.merge.directives import Alternatives, conjoin, read_alternatives, write_alternatives


@pytest.mark.parametrize(
    ("requirements", "expected"),
    [
        ([], ()),
        ([(("a",),)], (("a",),)),
        ([(("b",), ("a",)), (("a",), ("b",))], (("b",), ("a",))),
        ([(("a",), ("b",)), (("c", "d"),)], (("a", "c", "d"), ("b", "c", "d"))),
        ([(("p",),), (("q",), ("p",))], (("p",),)),
        ([(("a",),), (("b",),), (("c",),)], (("a", "b", "c"),)),
        ([(("a",),), ()], (("a",),)),
    ],
)
def test_all_requirements_hold_together_and_none_is_redundant(
    requirements: list[Alternatives], expected: Alternatives
) -> None:
    assert conjoin(requirements) == expected


def test_alternatives_are_written_as_they_were_read() -> None:
    alternatives = (("read", "write"), ("admin",))
    assert read_alternatives(write_alternatives(alternatives)) == alternatives
    assert read_alternatives(None) == ()
