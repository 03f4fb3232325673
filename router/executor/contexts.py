"""Arguments from contexts: what objects above an entity fetch's objects say, and the request for several such values.

Objects whose values differ cannot share a selection of `_entities`, so it is repeated for each combination of values
that occurs, in one request:

    query($r_0: [_Any!]!, $r_1: [_Any!]!, $locale_0: String, $locale_1: String) {
      _e0: _entities(representations: $r_0) { ... on Order { total(locale: $locale_0) } }
      _e1: _entities(representations: $r_1) { ... on Order { total(locale: $locale_1) } }
    }
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from graphql import FieldNode, Node, OperationDefinitionNode, VariableNode, Visitor, parse, visit

from router.executor.objects import CollectObjects, JsonObject, compile_collect
from router.planner.plan import (
    ContextVariable,
    KeyElement,
    RepresentationField,
    RepresentationSelection,
    ResponsePath,
)

#: Values of the variables from contexts, and the objects that they are for.
ContextGroup: TypeAlias = tuple[tuple[Any, ...], list[JsonObject]]

#: Return the objects to ask about, by the values that objects above them give the variables; in the response's order.
#:
#: Passed over are objects below one that lacks a value (the request for it failed): nothing could be asked about them.
CollectGroups: TypeAlias = Callable[[JsonObject], list[ContextGroup]]

_ReadValue: TypeAlias = Callable[[JsonObject], Any]

_encode = msgspec.json.Encoder().encode


def compile_groups(paths: tuple[ResponsePath, ...], contexts: tuple[ContextVariable, ...]) -> CollectGroups:
    """Return a function that collects the objects at all *paths* with the values of *contexts*, in this order."""
    collectors = tuple(_compile_path(path, contexts) for path in paths)

    def collect_groups(root: JsonObject) -> list[ContextGroup]:
        groups: dict[object, ContextGroup] = {}
        for collect in collectors:
            for values, objects in collect(root):
                # 1, 1.0 and True are equal to Python, so only text is compared as it is; the rest as JSON
                are_text = all(value.__class__ is str for value in values)
                key = values if are_text else _encode(values)
                known = groups.get(key)
                if known is None:
                    groups[key] = (values, objects)
                else:
                    known[1].extend(objects)
        return list(groups.values())

    return collect_groups


def _compile_path(path: ResponsePath, contexts: tuple[ContextVariable, ...]) -> Callable[[JsonObject], Any]:
    """Return a function that goes down a path, reads values where it comes by, and yields what it finds with them."""
    keys = [position for position, element in enumerate(path) if isinstance(element, KeyElement)]
    starts = {context.name: keys[len(keys) - context.levels] for context in contexts}
    cuts = sorted(set(starts.values()))
    stages: list[tuple[CollectObjects, tuple[tuple[int, _ReadValue], ...]]] = []
    for begin, end in zip([0, *cuts], cuts, strict=False):
        readers = tuple(
            (number, _compile_value(context)) for number, context in enumerate(contexts) if starts[context.name] == end
        )
        stages.append((compile_collect(path[begin:end]), readers))
    collect_rest = compile_collect(path[cuts[-1] :])
    nothing: tuple[Any, ...] = (None,) * len(contexts)

    def collect(root: JsonObject) -> Iterator[ContextGroup]:
        found: list[tuple[JsonObject, tuple[Any, ...]]] = [(root, nothing)]
        for collect_objects, readers in stages:
            below: list[tuple[JsonObject, tuple[Any, ...]]] = []
            for source, values in found:
                for above in collect_objects(source):
                    known = list(values)
                    try:
                        for number, read in readers:
                            known[number] = read(above)
                    except KeyError:
                        continue
                    below.append((above, tuple(known)))
            found = below
        for above, values in found:
            objects = collect_rest(above)
            if objects:
                yield values, objects

    return collect


def _compile_value(context: ContextVariable) -> _ReadValue:
    """Return a function that reads a variable's value of an object above; it raises KeyError if that lacks it."""
    read = _compile_selections(context.selections)
    if context.may_be_null:
        return read

    def read_present(source: JsonObject) -> Any:
        value = read(source)
        if value is None:
            raise KeyError(context.name)
        return value

    return read_present


def _compile_selections(selections: tuple[RepresentationSelection, ...]) -> _ReadValue:
    """Return a function that reads the one value that *selections* lead to; None where none of them applies."""
    match selections:
        case (RepresentationField(response_key=key, selections=()),):
            return lambda source: source[key]
        case (RepresentationField(response_key=key, selections=inner),):
            read_inner = _compile_selections(inner)

            def read_below(value: Any) -> Any:
                if value.__class__ is dict:
                    return read_inner(value)
                return [read_below(item) for item in value] if value.__class__ is list else None

            return lambda source: read_below(source[key])
    readers = tuple(
        (None if isinstance(one, RepresentationField) else frozenset(one.type_names), _compile_one(one))
        for one in selections
    )

    def read_of_type(source: JsonObject) -> Any:
        for type_names, read in readers:
            if type_names is None or source["__typename"] in type_names:
                return read(source)
        return None

    return read_of_type


def _compile_one(selection: RepresentationSelection) -> _ReadValue:
    return _compile_selections((selection,) if isinstance(selection, RepresentationField) else selection.selections)


@dataclass(frozen=True, slots=True)
class PartNames:
    """What one repetition of a part's selection is called by in a request; *contexts* are in the part's order."""

    answer_key: str
    representations_variable: str
    contexts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContextDocument:
    """A request's document; *names* are, for each part, those of its repetitions."""

    text: str
    names: tuple[tuple[PartNames, ...], ...]


@dataclass(frozen=True, slots=True)
class _PartText:
    """A part's text, cut into pieces where its variables from contexts stand; *places* are these, by their numbers.

    *client_variables* are the other ones in it.
    """

    names: PartNames
    types: tuple[str, ...]
    pieces: tuple[str, ...]
    places: tuple[int, ...]
    client_variables: frozenset[str]

    def write(self, names: PartNames) -> str:
        written = [self.pieces[0]]
        for place, piece in zip(self.places, self.pieces[1:], strict=True):
            written.append(f"${names.contexts[place]}{piece}")
        alias = f"{names.answer_key}: " if names.answer_key != "_entities" else ""
        return f"{alias}_entities(representations: ${names.representations_variable}) {''.join(written)}"


class ContextDocuments:
    """The documents of one entity fetch, by how often each part's selection stands in it.

    Mutable on purpose: it remembers the latest `MAX_DOCUMENTS`. A text that comes again is one that the subgraph, too,
    may know already.
    """

    #: Few values usually occur together, and every number of them makes another document.
    MAX_DOCUMENTS = 16

    def __init__(self, document: str, parts: tuple[tuple[str, str, tuple[ContextVariable, ...]], ...]) -> None:
        """Take a document for one value of each variable, and each part's answer key, variable and contexts."""
        definition = parse(document).definitions[0]
        assert isinstance(definition, OperationDefinitionNode)
        self._kept: OrderedDict[tuple[int, ...], ContextDocument] = OrderedDict()
        self._operation_name = definition.name.value if definition.name else ""
        fields = {
            field.alias.value if field.alias else field.name.value: field
            for field in definition.selection_set.selections
            if isinstance(field, FieldNode)
        }
        self._parts = tuple(
            _read_part(document, fields[key], key, variable, contexts) for key, variable, contexts in parts
        )
        own = {name for part in self._parts for name in (part.names.representations_variable, *part.names.contexts)}
        others = {node.variable.name.value: node for node in definition.variable_definitions or ()}
        self._definitions = {name: _text(document, node) for name, node in others.items() if name not in own}
        self._joint = _find_joint(own, others)

    def of(self, counts: tuple[int, ...]) -> ContextDocument:
        """Return the document with each part's selection standing in it as often as *counts* says."""
        document = self._kept.get(counts)
        if document is None:
            document = self._kept[counts] = self._write(counts)
            if len(self._kept) > self.MAX_DOCUMENTS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(counts)
        return document

    def _write(self, counts: tuple[int, ...]) -> ContextDocument:
        representations: list[str] = []
        contexts: list[str] = []
        selections: list[str] = []
        named: list[tuple[PartNames, ...]] = []
        for part, count in zip(self._parts, counts, strict=True):
            names = tuple(self._repeat(part.names, number, count) for number in range(count))
            named.append(names)
            for one in names:
                representations.append(f"${one.representations_variable}: [_Any!]!")
                contexts.extend(f"${name}: {type_}" for name, type_ in zip(one.contexts, part.types, strict=True))
                selections.append(part.write(one))
        # A variable that no selection is left to use may not be defined
        used = {
            name for part, count in zip(self._parts, counts, strict=True) if count for name in part.client_variables
        }
        client = [text for name, text in self._definitions.items() if name in used]
        definitions = ", ".join((*representations, *client, *contexts))
        head = f"query {self._operation_name}" if self._operation_name else "query"
        return ContextDocument(f"{head}({definitions}) {{ {' '.join(selections)} }}", tuple(named))

    def _repeat(self, names: PartNames, number: int, count: int) -> PartNames:
        if count == 1:
            return names
        key = names.answer_key
        return PartNames(
            f"_e{number}" if key == "_entities" else f"{key}_{number}",
            f"{names.representations_variable}{self._joint}{number}",
            tuple(f"{name}{self._joint}{number}" for name in names.contexts),
        )


def _read_part(
    document: str, field: FieldNode, key: str, variable: str, contexts: tuple[ContextVariable, ...]
) -> _PartText:
    assert field.selection_set is not None
    assert field.selection_set.loc is not None
    numbers = {context.name: number for number, context in enumerate(contexts)}
    variables = _variables_in(field.selection_set)
    found = [node for node in variables if node.name.value in numbers]
    pieces: list[str] = []
    position = field.selection_set.loc.start
    for node in found:
        assert node.loc is not None
        pieces.append(document[position : node.loc.start])
        position = node.loc.end
    pieces.append(document[position : field.selection_set.loc.end])
    return _PartText(
        PartNames(key, variable, tuple(numbers)),
        tuple(context.type for context in contexts),
        tuple(pieces),
        tuple(numbers[node.name.value] for node in found),
        frozenset(node.name.value for node in variables if node.name.value not in numbers),
    )


def _variables_in(node: Node) -> list[VariableNode]:
    """Return the variables in a part of a document, as they stand there."""
    found: list[VariableNode] = []

    class Collecting(Visitor):
        def enter_variable(self, variable: VariableNode, *_: object) -> None:
            found.append(variable)

    visit(node, Collecting())
    return found


def _find_joint(own: set[str], others: Mapping[str, Node]) -> str:
    """Return what can stand between a name and a number, so that it becomes no other variable's name."""
    joint = "_"
    while any(other.startswith(f"{name}{joint}") for name in own for other in others if other != name):
        joint += "_"
    return joint


def _text(document: str, node: Node) -> str:
    assert node.loc is not None
    return document[node.loc.start : node.loc.end]
