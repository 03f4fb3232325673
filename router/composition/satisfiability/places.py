"""Places, and what can be read at one."""

from dataclasses import dataclass

from router.composition.annotations import Coordinate, read_fields_argument
from router.composition.field_sets import FieldSet, SelectedField, SelectedFragment
from router.composition.landscape import FieldSource, Landscape, Member
from router.composition.subgraph import InterfaceType, ObjectType, directives_named
from router.composition.type_refs import named_type


@dataclass(frozen=True, slots=True)
class Place:
    """A type in a subgraph (*member* is its index), with what `@provides` makes readable on this path."""

    member: int
    type_name: str
    provided: FieldSet = ()


@dataclass(frozen=True, slots=True)
class Resolver:
    """A field that can be read at a place. *requires* must be gathered first; () when nothing must."""

    source: FieldSource
    requires: FieldSet
    target: Place

    @property
    def depends_on_label(self) -> bool:
        """Tell whether a progressive override decides, request by request, if the field is read here."""
        overrides = (self.source.override, self.source.overridden_by)
        return any(each is not None and each.is_active and each.label is not None for each in overrides)


class Resolvers:
    """Finds what can be read at a place.

    *labels_active* says which side of progressive overrides is looked at: with all of them on, or with all of them off.
    """

    def __init__(self, landscape: Landscape, *, labels_active: bool) -> None:
        self._landscape = landscape
        self._labels_active = labels_active
        self._found: dict[tuple[Place, str], Resolver | None] = {}

    def member(self, place: Place) -> Member:
        """Return the subgraph that *place* is in."""
        return self._landscape.members[place.member]

    def find(self, place: Place, field: str) -> Resolver | None:
        """Return how *field* is read at *place*, or None when it cannot be."""
        source = self.source(place, field)
        return self.resolve(place, source) if source is not None else None

    def resolve(self, place: Place, source: FieldSource) -> Resolver | None:
        """Return how the field that *source* declares is read at *place*, which is in the same subgraph."""
        key = (place, source.field.name)
        if key not in self._found:
            self._found[key] = self._resolve(place, source)
        return self._found[key]

    def source(self, place: Place, field: str) -> FieldSource | None:
        """Return the declaration of *field* at *place*, resolvable or not."""
        sources = self._landscape.field_sources(place.type_name).get(field, ())
        return next((source for source in sources if source.member.index == place.member), None)

    def _resolve(self, place: Place, source: FieldSource) -> Resolver | None:
        given = [
            selection
            for selection in applicable_selections(self.member(place), place.type_name, place.provided)
            if selection.name == source.field.name
        ]
        if source.is_external and not given:
            return None
        if source.overridden_by is not None and (source.overridden_by.label is None or self._labels_active):
            return None
        override = source.override
        if override is not None and override.label is not None and override.is_active and not self._labels_active:
            return None
        provided: FieldSet = tuple(selection for each in given for selection in each.selections)
        for use in directives_named(source.field, "provides"):
            provided = (*provided, *(read_fields_argument(use) or ()))
        requires: FieldSet = ()
        if not given:
            for use in directives_named(source.field, "requires"):
                requires = read_fields_argument(use) or ()
        target = Place(place.member, named_type(source.field.type), tuple(dict.fromkeys(provided)))
        return Resolver(source, requires, target)


def applicable_selections(member: Member, type_name: str, selections: FieldSet) -> list[SelectedField]:
    """Return the fields that *selections* selects on an object of *type_name*."""
    found: list[SelectedField] = []
    for selection in selections:
        match selection:
            case SelectedField():
                found.append(selection)
            case SelectedFragment():
                if is_of_type(member, type_name, selection.type_condition):
                    found.extend(applicable_selections(member, type_name, selection.selections))
    return found


def is_of_type(member: Member, type_name: str, condition: str | None) -> bool:
    """Tell whether, in this subgraph, an object of *type_name* passes the type condition."""
    if condition is None or condition == type_name:
        return True
    return type_name in member.annotations.implementations.get(condition, ())


def is_abstract(landscape: Landscape, name: str) -> bool:
    """Tell whether *name* is an interface or a union of the supergraph."""
    definitions = landscape.types[name]
    if isinstance(definitions[0][1], ObjectType | InterfaceType):
        return landscape.is_interface(name)
    return True


def is_interface_object(member: Member, type_name: str) -> bool:
    """Tell whether *type_name* is an interface object in this subgraph."""
    return type_name in member.annotations.interface_objects


CoordinateInMember = tuple[int, Coordinate]
"""A field of one subgraph: the guard against requirements that require themselves."""
