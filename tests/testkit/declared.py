"""What a supergraph declares about who may see what, and where it should have: read from its SDL."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    ObjectTypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    value_from_ast_untyped,
)
from graphql.language.ast import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode

ROOTS = frozenset({"Query", "Mutation", "Subscription"})

# A field with one of these words in its name shows a person, or a secret of theirs. New ones belong here
PERSONAL_WORDS = frozenset(
    {
        *("email", "mail", "phone", "mobile", "address", "recipient", "street", "line1", "line2", "city", "region"),
        *("postal", "zip", "location", "birth", "birthday", "gender", "passport", "tax", "note", "reason", "tracking"),
        *("token", "secret", "password", "code", "codes", "totp", "recovery", "otp", "cookie", "signature"),
        *("iban", "card", "cvv", "bank", "balance", "salary", "income", "ip", "agent", "actor", "webhook", "pay"),
    }
)
# Names of other things are no person's
PERSON_TYPES = frozenset({"User"})
MONEY_TYPES = frozenset({"Money"})

# What the router enforces by itself, for a field or for all fields of a type
ENFORCED = frozenset({"requiresScopes", "policy"})
RULES = ENFORCED | {"owned", "public"}
ROOT_RULES = RULES | {"authenticated"}

# Whoever was let in to a list was let in to what is in it
_PASSES_ON = {"Connection": frozenset({"edges", "nodes"}), "Edge": frozenset({"node"})}


@dataclass(frozen=True, slots=True)
class DeclaredField:
    """A field of an object type that clients see. *rules* are the names of its directives."""

    type_name: str
    name: str
    returns: str
    rules: frozenset[str]
    arguments: tuple[tuple[str, object], ...] = ()

    @property
    def coordinate(self) -> str:
        return f"{self.type_name}.{self.name}"

    def argument(self, name: str) -> object:
        """Return an argument of its `@owned`; None where it has none."""
        return dict(self.arguments).get(name)


class Declarations:
    """The fields of one supergraph, and which of them need a rule."""

    def __init__(self, supergraph_sdl: str) -> None:
        document = parse(supergraph_sdl, no_location=True)
        objects = [node for node in document.definitions if isinstance(node, ObjectTypeDefinitionNode)]
        visible = [node for node in objects if not _has(node.directives, {"inaccessible"})]
        self.fields = tuple(field for node in visible for field in _fields_of(node))
        self._enforced_types = {node.name.value for node in visible if _has(node.directives, ENFORCED)}
        self._owned_types = self._find_owned_types(document)

    def undeclared(self) -> list[str]:
        """Return the coordinates of fields that show money or a person and say nothing about who may see them."""
        return sorted(
            field.coordinate for field in self.sensitive() if not field.rules & RULES and not self._is_enforced(field)
        )

    def undeclared_roots(self) -> list[str]:
        """Return the coordinates of root fields that say nothing about who may use them."""
        return sorted(
            field.coordinate
            for field in self.fields
            if field.type_name in ROOTS and not field.rules & ROOT_RULES and not self._is_enforced(field)
        )

    def sensitive(self) -> Iterator[DeclaredField]:
        """Return the fields that show money or a person, or an object in which such a field is somebody's own."""
        for field in self.fields:
            if field.type_name in MONEY_TYPES or _passes_on(field) or field.type_name.endswith("Problem"):
                continue
            if field.returns in MONEY_TYPES | self._owned_types | self._enforced_types or _is_personal(field):
                yield field

    def _is_enforced(self, field: DeclaredField) -> bool:
        return bool({field.type_name, field.returns} & self._enforced_types)

    def _find_owned_types(self, document: DocumentNode) -> set[str]:
        owned = {field.type_name for field in self.fields if "owned" in field.rules} - ROOTS
        unions = {
            node.name.value: {member.name.value for member in node.types or ()}
            for node in document.definitions
            if isinstance(node, UnionTypeDefinitionNode)
        }
        while True:
            found = {name for name, members in unions.items() if members & owned}
            found |= {field.type_name for field in self.fields if _passes_on(field) and field.returns in owned}
            if found <= owned:
                return owned
            owned |= found


def _fields_of(node: ObjectTypeDefinitionNode) -> Iterator[DeclaredField]:
    for field in node.fields or ():
        directives = field.directives or ()
        if _has(directives, {"inaccessible"}):
            continue
        owned = [argument for each in directives if each.name.value == "owned" for argument in each.arguments or ()]
        yield DeclaredField(
            type_name=node.name.value,
            name=field.name.value,
            returns=_named(field.type),
            rules=frozenset(each.name.value for each in directives),
            arguments=tuple((argument.name.value, value_from_ast_untyped(argument.value)) for argument in owned),
        )


def _passes_on(field: DeclaredField) -> bool:
    return any(field.type_name.endswith(end) and field.name in names for end, names in _PASSES_ON.items())


def _is_personal(field: DeclaredField) -> bool:
    words = {word.lower() for word in re.findall(r"[A-Za-z][a-z0-9]*", field.name)}
    return bool(words & PERSONAL_WORDS) or ("name" in words and field.type_name in PERSON_TYPES)


def _has(directives: Iterable[ConstDirectiveNode] | None, names: Iterable[str]) -> bool:
    return any(directive.name.value in set(names) for directive in directives or ())


def _named(type_: TypeNode) -> str:
    while isinstance(type_, ListTypeNode | NonNullTypeNode):
        type_ = type_.type
    assert isinstance(type_, NamedTypeNode)
    return type_.name.value
