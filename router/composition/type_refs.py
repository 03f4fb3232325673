"""Type references (`[Product!]!`) as values, and the subtype relation that merging is built on."""

from collections.abc import Callable
from dataclasses import dataclass

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode


@dataclass(frozen=True, slots=True)
class Named:
    """A type by its name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of *of*."""

    of: "TypeRef"

    def __str__(self) -> str:
        return f"[{self.of}]"


@dataclass(frozen=True, slots=True)
class NonNull:
    """*of*, never null."""

    of: "Named | ListOf"

    def __str__(self) -> str:
        return f"{self.of}!"


TypeRef = Named | ListOf | NonNull


def read_type_ref(node: TypeNode, rename: Callable[[str], str]) -> TypeRef:
    """Turn a type node into a reference, each name passed through *rename*."""
    if isinstance(node, NonNullTypeNode):
        inner = read_type_ref(node.type, rename)
        assert not isinstance(inner, NonNull)  # the grammar has no `T!!`
        return NonNull(inner)
    if isinstance(node, ListTypeNode):
        return ListOf(read_type_ref(node.type, rename))
    assert isinstance(node, NamedTypeNode)
    return Named(rename(node.name.value))


def named_type(ref: TypeRef) -> str:
    """Return the name inside lists and non-nulls."""
    while not isinstance(ref, Named):
        ref = ref.of
    return ref.name


def nullable(ref: TypeRef) -> Named | ListOf:
    """Drop the outermost non-null."""
    return ref.of if isinstance(ref, NonNull) else ref


def contains_list(ref: TypeRef) -> bool:
    """Tell whether any level of *ref* is a list."""
    while not isinstance(ref, Named):
        if isinstance(ref, ListOf):
            return True
        ref = ref.of
    return False


def is_subtype(sub: TypeRef, of: TypeRef, is_named_subtype: Callable[[str, str], bool]) -> bool:
    """Tell whether every value of *sub* is one of *of* (equal types included).

    *is_named_subtype* answers for two different names: is the first an implementation or a member of the second?
    https://spec.graphql.org/draft/#IsValidImplementationFieldType()
    """
    if isinstance(sub, NonNull):
        return is_subtype(sub.of, nullable(of), is_named_subtype)
    if isinstance(of, NonNull):
        return False
    if isinstance(sub, ListOf):
        return isinstance(of, ListOf) and is_subtype(sub.of, of.of, is_named_subtype)
    return isinstance(of, Named) and (sub.name == of.name or is_named_subtype(sub.name, of.name))
