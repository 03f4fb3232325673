"""Print a plan as text that a person can judge."""

from graphql import FieldNode, OperationDefinitionNode, parse

from router.planner.plan import (
    AT_ANY_TIME,
    Alternatives,
    BatchFetch,
    BatchPart,
    Condition,
    ContextVariable,
    Defer,
    DeferredBlock,
    EntityTarget,
    Fetch,
    Flatten,
    KeyElement,
    KeyRename,
    ListElement,
    OperationKind,
    Parallel,
    Plan,
    PlanNode,
    RepresentationField,
    RepresentationFragment,
    RepresentationSelection,
    ResponsePath,
    Sequence,
    TypeElement,
)


def format_plan(plan: Plan) -> str:
    """Return the plan as text, one node a line, what runs inside a node below it.

    A path has `@` for a list's items and `|A,B|` for objects of these types only. An entity fetch reads: what is sent
    `=>` what is asked; a batch has a line for each part, with all paths of its objects. `name: key` in what is sent
    means: the field *name*, copied from the response key *key*. `$name: ../{ key }` is a variable that has the value of
    the object one response key above each.
    """
    if plan.root is None:
        return "Nothing"
    lines: list[str] = []
    _format_node(plan.root, "", lines)
    return "\n".join(lines)


def count_fetches(node: PlanNode | None) -> int:
    """Return how many requests a plan makes at most, those of both branches of a condition included once."""
    match node:
        case None:
            return 0
        case Fetch():
            return 1
        case Flatten() | BatchFetch():
            return 1
        case Sequence(nodes) | Parallel(nodes):
            return sum(count_fetches(one) for one in nodes)
        case Condition(_, then, otherwise):
            return max(count_fetches(then), count_fetches(otherwise))
        case Defer(primary, blocks):
            return count_fetches(primary) + sum(count_fetches(block.node) for block in blocks)


def measure_depth(node: PlanNode | None) -> int:
    """Return how many requests wait for each other in the longest chain; what is deferred waits for what it needs."""
    match node:
        case None:
            return 0
        case Fetch() | Flatten() | BatchFetch():
            return 1
        case Sequence(nodes):
            return sum(measure_depth(one) for one in nodes)
        case Parallel(nodes):
            return max(measure_depth(one) for one in nodes)
        case Condition(_, then, otherwise):
            return max(measure_depth(then), measure_depth(otherwise))
        case Defer(primary, blocks):
            ends: list[int] = []
            _note_ends(primary, 0, ends)
            for block in blocks:
                _note_ends(block.node, max((ends[number - 1] for number in block.waits_for), default=0), ends)
            return max(ends, default=0)


def measure_documents(node: PlanNode | None) -> int:
    """Return how many characters the documents of a plan's requests have, as often as they stand in it."""
    match node:
        case None:
            return 0
        case Fetch(document=document) | BatchFetch(document=document) | Flatten(fetch=Fetch(document=document)):
            return len(document)
        case Sequence(nodes) | Parallel(nodes):
            return sum(measure_documents(one) for one in nodes)
        case Condition(_, then, otherwise):
            return measure_documents(then) + measure_documents(otherwise)
        case Defer(primary, blocks):
            return measure_documents(primary) + sum(measure_documents(block.node) for block in blocks)


def _note_ends(node: PlanNode | None, start: int, ends: list[int]) -> int:
    """Note for each request, in the order of the plan, how many are through when it is; return the last one's."""
    match node:
        case None | Defer():
            return start
        case Fetch() | Flatten() | BatchFetch():
            ends.append(start + 1)
            return start + 1
        case Sequence(nodes):
            for one in nodes:
                start = _note_ends(one, start, ends)
            return start
        case Parallel(nodes):
            return max(_note_ends(one, start, ends) for one in nodes)
        case Condition(_, then, otherwise):
            return max(_note_ends(then, start, ends), _note_ends(otherwise, start, ends))


def print_path(path: ResponsePath) -> str:
    """Return a path as text: `orders.@.|Book,Film|.author`."""
    parts: list[str] = []
    for element in path:
        match element:
            case KeyElement(response_key):
                parts.append(response_key)
            case ListElement():
                parts.append("@")
            case TypeElement(type_names):
                parts.append(f"|{','.join(type_names)}|")
    return ".".join(parts)


def _format_node(node: PlanNode, indent: str, lines: list[str]) -> None:
    match node:
        case Fetch():
            lines.append(indent + _format_fetch(node))
        case Flatten(path, fetch):
            lines.append(f"{indent}Flatten({print_path(path)})")
            lines.append(f"{indent}  {_format_fetch(fetch)}")
        case BatchFetch(subgraph, document, parts):
            lines.append(f"{indent}BatchFetch({subgraph})")
            asked = _entity_selections(document)
            lines.extend(f"{indent}  {_format_part(part, asked[part.answer_key])}" for part in parts)
        case Sequence(nodes) | Parallel(nodes):
            lines.append(f"{indent}{type(node).__name__}")
            for one in nodes:
                _format_node(one, indent + "  ", lines)
        case Condition(variable, then, otherwise):
            if then is not None:
                lines.append(f"{indent}If(${variable})")
                _format_node(then, indent + "  ", lines)
            if otherwise is not None:
                lines.append(f"{indent}Unless(${variable})")
                _format_node(otherwise, indent + "  ", lines)
        case Defer(primary, blocks):
            lines.append(f"{indent}Defer")
            if primary is not None:
                lines.append(f"{indent}  Primary")
                _format_node(primary, indent + "    ", lines)
            for block in blocks:
                lines.append(f"{indent}  {_format_block(block)}")
                _format_node(block.node, indent + "    ", lines)


def _format_block(block: DeferredBlock) -> str:
    uses = " & ".join(
        f"{one.number}{f' {one.label!r}' if one.label is not None else ''} at {'.'.join(one.path) or 'the root'}"
        for one in block.deferrals
    )
    waits = f" after fetch {', '.join(map(str, block.waits_for))}" if block.waits_for else ""
    return f"Deferred({uses}){waits}"


def _format_fetch(fetch: Fetch) -> str:
    definition = parse(fetch.document).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    node = definition.selection_set
    if fetch.targets:
        entities = node.selections[0]
        node = getattr(entities, "selection_set", node)
    assert node.loc is not None
    asked = fetch.document[node.loc.start : node.loc.end]
    kind = "" if fetch.kind is OperationKind.QUERY else f"{fetch.kind.value} "
    sent = f"{_format_targets(fetch.targets)}{_format_contexts(fetch.contexts)} => " if fetch.targets else ""
    return f"Fetch({fetch.subgraph}) {kind}{sent}{asked}{_format_renames(fetch.renames)}"


def _entity_selections(document: str) -> dict[str, str]:
    """Return what is selected on entities, by the response key under which they are asked for."""
    definition = parse(document).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    found: dict[str, str] = {}
    for field in definition.selection_set.selections:
        assert isinstance(field, FieldNode)
        assert field.selection_set is not None
        assert field.selection_set.loc is not None
        key = field.alias.value if field.alias else field.name.value
        found[key] = document[field.selection_set.loc.start : field.selection_set.loc.end]
    return found


def _format_part(part: BatchPart, asked: str) -> str:
    paths = ", ".join(map(print_path, part.paths))
    condition = f" if {_format_alternatives(part.runs_if)}" if part.runs_if != AT_ANY_TIME else ""
    sent = f"{_format_targets(part.targets)}{_format_contexts(part.contexts)}"
    return f"Flatten({paths}){condition} {sent} => {asked}{_format_renames(part.renames)}"


def _format_alternatives(alternatives: Alternatives) -> str:
    return " | ".join(
        " & ".join(f"${variable}" if value else f"!${variable}" for variable, value in alternative)
        for alternative in alternatives
    )


def _format_renames(renames: tuple[KeyRename, ...]) -> str:
    return "".join(
        f" rename {print_path((*one.path, KeyElement(one.fetched_key)))} to {one.response_key}" for one in renames
    )


def print_context(variable: ContextVariable) -> str:
    """Return a variable from an object above as text: `$Order_total_locale: ../{ locale }`."""
    selected = f"{{{_format_representation(variable.selections)} }}" if variable.selections else "null"
    return f"${variable.name}: {'../' * variable.levels}{selected}"


def _format_contexts(contexts: tuple[ContextVariable, ...]) -> str:
    return "".join(f" {print_context(variable)}" for variable in contexts)


def _format_targets(targets: tuple[EntityTarget, ...]) -> str:
    if len(targets) == 1 and targets[0].type_names == (targets[0].sent_typename,):
        return f"{{ __typename{_format_representation(targets[0].selections)} }}"
    parts: list[str] = []
    for target in targets:
        sent = "" if target.type_names == (target.sent_typename,) else f" as {target.sent_typename}"
        inner = _format_representation(target.selections)
        parts.append(f"... on {'|'.join(target.type_names)}{sent} {{ __typename{inner} }}")
    return f"{{ {' '.join(parts)} }}"


def _format_representation(selections: tuple[RepresentationSelection, ...]) -> str:
    text = ""
    for selection in selections:
        match selection:
            case RepresentationField(name, response_key, inner):
                text += f" {name}" if name == response_key else f" {name}: {response_key}"
            case RepresentationFragment(type_names, inner):
                text += f" ... on {'|'.join(type_names)}"
        if inner:
            text += f" {{{_format_representation(inner)} }}"
    return text
