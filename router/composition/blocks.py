"""The blocks of a document: each type's definition and extensions together, and which types are the roots."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from graphql import (
    DefinitionNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
)

from router.composition.links import Vocabulary
from router.composition.model import SourceLocation
from router.composition.report import Report
from router.composition.specs import BUILT_IN_SCALARS, MACHINERY_TYPES
from router.composition.subgraph import ROOT_NAMES


@dataclass(slots=True)
class Blocks:
    """The definition and the extensions of one type. Mutable: filled while the document is walked."""

    name: str
    base: TypeDefinitionNode | None = None
    extensions: list[TypeExtensionNode] = field(default_factory=list)

    @property
    def all(self) -> list[TypeDefinitionNode | TypeExtensionNode]:
        """Return the definition, if there is one, and the extensions."""
        return [*((self.base,) if self.base is not None else ()), *self.extensions]

    @property
    def first(self) -> TypeDefinitionNode | TypeExtensionNode:
        """Return what stands for the whole: the definition, else the first extension."""
        return self.base if self.base is not None else self.extensions[0]


def group_blocks(
    subgraph: str, definitions: Iterable[DefinitionNode], vocabulary: Vocabulary, report: Report
) -> dict[str, Blocks]:
    """Join the definition and the extensions of each type; types of the machinery are left out."""
    blocks: dict[str, Blocks] = {}
    for node in definitions:
        if not isinstance(node, TypeDefinitionNode | TypeExtensionNode):
            continue
        name = node.name.value
        if name in MACHINERY_TYPES or vocabulary.is_machinery_type(name) or name in BUILT_IN_SCALARS:
            continue
        block = blocks.get(name)
        if block is None:
            block = blocks[name] = Blocks(name)
        elif kind_of(block.first) != kind_of(node):
            report.error(
                "INVALID_GRAPHQL",
                f"[{subgraph}] Type {name!r} is a {kind_of(block.first)} and cannot be extended or defined"
                f" again as a {kind_of(node)}.",
                locate(subgraph, block.first),
                locate(subgraph, node),
            )
            continue
        if isinstance(node, TypeExtensionNode):
            block.extensions.append(node)
        elif block.base is not None:
            report.error(
                "INVALID_GRAPHQL",
                f"[{subgraph}] There can be only one type named {name!r}.",
                locate(subgraph, block.base),
                locate(subgraph, node),
            )
        else:
            block.base = node
    return blocks


def find_roots(
    subgraph: str,
    schema_nodes: Sequence[SchemaDefinitionNode | SchemaExtensionNode],
    blocks: dict[str, Blocks],
    report: Report,
) -> dict[str, str]:
    """Return the type of each operation as the subgraph names it."""
    definitions = [node for node in schema_nodes if isinstance(node, SchemaDefinitionNode)]
    if len(definitions) > 1:
        report.error(
            "INVALID_GRAPHQL",
            f"[{subgraph}] There can be only one schema definition.",
            *(locate(subgraph, node) for node in definitions),
        )
    roots: dict[str, str] = {}
    for node in schema_nodes:
        for operation in node.operation_types or ():
            kind, name = operation.operation.value, operation.type.name.value
            if kind in roots:
                report.error(
                    "INVALID_GRAPHQL",
                    f"[{subgraph}] There can be only one {kind} type in the schema.",
                    locate(subgraph, operation),
                )
            elif name not in blocks:
                report.error(
                    "INVALID_GRAPHQL",
                    f"[{subgraph}] The {kind} type {name!r} is not defined.",
                    locate(subgraph, operation),
                )
            elif not isinstance(blocks[name].first, ObjectTypeDefinitionNode | ObjectTypeExtensionNode):
                report.error(
                    "INVALID_GRAPHQL",
                    f"[{subgraph}] The {kind} type {name!r} must be an object type.",
                    locate(subgraph, operation),
                )
            elif name in roots.values():
                report.error(
                    "INVALID_GRAPHQL",
                    f"[{subgraph}] {name!r} is the root type of two operations.",
                    locate(subgraph, operation),
                )
            else:
                roots[kind] = name
    for kind, default in ROOT_NAMES.items():
        if kind in roots and roots[kind] != default and default in blocks:
            report.error(
                f"ROOT_{kind.upper()}_USED",
                f"[{subgraph}] Type {default!r} exists, but {roots[kind]!r} is the {kind} type.",
                locate(subgraph, blocks[default].first),
            )
            del roots[kind]
        elif (
            kind not in roots
            and default in blocks
            and isinstance(blocks[default].first, ObjectTypeDefinitionNode | ObjectTypeExtensionNode)
        ):
            # Without a schema definition the default names count; with one, federation wants them unused.
            if any(node.operation_types for node in definitions):
                report.error(
                    f"ROOT_{kind.upper()}_USED",
                    f"[{subgraph}] Type {default!r} exists, but the schema names no {kind} type.",
                    locate(subgraph, blocks[default].first),
                )
            else:
                roots[kind] = default
    return roots


def locate(subgraph: str, node: Node) -> SourceLocation:
    """Return where *node* begins; a described definition begins at its name, not at its description."""
    name = getattr(node, "name", None)
    loc = name.loc if isinstance(name, Node) and name.loc is not None else node.loc
    if loc is None:
        return SourceLocation(subgraph, 1, 1)
    return SourceLocation(subgraph, loc.start_token.line, loc.start_token.column)


def kind_of(node: TypeDefinitionNode | TypeExtensionNode) -> str:
    """Return `object` for both ObjectTypeDefinitionNode and ObjectTypeExtensionNode, and so on."""
    return node.kind.removesuffix("_definition").removesuffix("_extension").replace("_type", "").replace("_", " ")
