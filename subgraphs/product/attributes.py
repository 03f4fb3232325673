"""What a category says about the attributes of what stands in it, and values that fit; synchronous, no I/O."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from core.errors import BadUserInput

MAX_DEFINITIONS = 50
MAX_OPTIONS = 200
MAX_LABEL_LENGTH = 100
MAX_UNIT_LENGTH = 20
MAX_VALUE_LENGTH = 100


class AttributeType(StrEnum):
    """What values an attribute has. Its GraphQL description is in category_types.py."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    OPTION = "OPTION"


@dataclass(frozen=True, slots=True)
class ProductAttribute:
    """One property by which products are told apart, such as *name* `colour` with *value* `red`.

    One that is not *filterable* is only shown.
    """

    name: str
    value: str
    filterable: bool = True


@dataclass(frozen=True, slots=True)
class AttributeDefinition:
    """What a category says of an attribute. *options* are the values of one of type OPTION, empty for the others."""

    name: str
    label: str
    type: AttributeType
    options: tuple[str, ...] = ()
    unit: str = ""
    required: bool = False
    filterable: bool = True


def check_attribute_name(name: str, *, field: str) -> None:
    """Raise BadUserInput unless *name* is fit for an attribute: a word for programs, such as `screen_size`."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise BadUserInput(
            "an attribute's name is 1 to 40 lower-case letters, digits and underscores, a letter first", field=field
        )


def check_value(value: str, *, field: str) -> None:
    """Raise BadUserInput unless *value* is a line of text."""
    if not value.strip() or len(value) > MAX_VALUE_LENGTH or not value.isprintable():
        raise BadUserInput(f"a value is a line of 1 to {MAX_VALUE_LENGTH} characters", field=field)


def check_definitions(definitions: Sequence[AttributeDefinition]) -> None:
    """Raise BadUserInput naming the first definition, by its place in `attributes`, that cannot be accepted."""
    if len(definitions) > MAX_DEFINITIONS:
        raise BadUserInput(f"a category has at most {MAX_DEFINITIONS} attributes", field="attributes")
    for position, each in enumerate(definitions):
        at = f"attributes.{position}"
        check_attribute_name(each.name, field=f"{at}.name")
        if not each.label.strip() or len(each.label) > MAX_LABEL_LENGTH or not each.label.isprintable():
            raise BadUserInput(f"a label is a line of 1 to {MAX_LABEL_LENGTH} characters", field=f"{at}.label")
        if len(each.unit) > MAX_UNIT_LENGTH or (each.unit and not each.unit.isprintable()):
            raise BadUserInput(f"a unit has at most {MAX_UNIT_LENGTH} characters", field=f"{at}.unit")
        if (each.type is AttributeType.OPTION) != bool(each.options) or len(each.options) > MAX_OPTIONS:
            raise BadUserInput(
                f"an attribute of type OPTION, and no other, has 1 to {MAX_OPTIONS} options", field=f"{at}.options"
            )
        for number, option in enumerate(each.options):
            check_value(option, field=f"{at}.options.{number}")
        if len(set(each.options)) < len(each.options):
            raise BadUserInput("an option is given twice", field=f"{at}.options")
    if len({each.name for each in definitions}) < len(definitions):
        raise BadUserInput("an attribute is defined twice", field="attributes")


def inherit(definitions: Iterable[Sequence[AttributeDefinition]]) -> tuple[AttributeDefinition, ...]:
    """Return what holds in a category, from those of its path, the top first: the nearest to it wins."""
    nearest = {each.name: each for of_category in definitions for each in of_category}
    return tuple(nearest[name] for name in sorted(nearest))


def fit_attributes(
    attributes: Sequence[ProductAttribute], definitions: Sequence[AttributeDefinition]
) -> tuple[ProductAttribute, ...]:
    """Return *attributes* as *definitions* want them: values in one form, and told whether they are filtered by.

    Where nothing is defined, anything is fine. Required ones may be missing: see `find_missing`.

    Raises:
        BadUserInput: one is not defined, or has a value of another type.
    """
    if not definitions:
        return tuple(attributes)
    known = {each.name: each for each in definitions}
    fitting = []
    for position, attribute in enumerate(attributes):
        definition = known.get(attribute.name)
        if definition is None:
            raise BadUserInput(
                f"{attribute.name} is none of the category's attributes: {', '.join(known)}",
                field=f"attributes.{position}.name",
            )
        value = _read_value(attribute.value, definition, field=f"attributes.{position}.value")
        fitting.append(replace(attribute, value=value, filterable=definition.filterable))
    return tuple(fitting)


def find_missing(attributes: Sequence[ProductAttribute], definitions: Sequence[AttributeDefinition]) -> tuple[str, ...]:
    """Return the names of required attributes that are not there."""
    present = {each.name for each in attributes}
    return tuple(each.name for each in definitions if each.required and each.name not in present)


def _read_value(text: str, definition: AttributeDefinition, *, field: str) -> str:
    match definition.type:
        case AttributeType.TEXT:
            return text.strip()
        case AttributeType.NUMBER:
            if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,10})?", text.strip()):
                raise BadUserInput(f"{definition.name} is {text!r}; it must be a number such as 12.5", field=field)
            # 1.50 and 1.5 are one value, also to those who filter by it
            number = Decimal(text.strip())
            return f"{number.normalize():f}" if number else "0"
        case AttributeType.BOOLEAN:
            if text.strip().lower() not in ("true", "false"):
                raise BadUserInput(f"{definition.name} is {text!r}; it must be true or false", field=field)
            return text.strip().lower()
        case AttributeType.OPTION:
            if text not in definition.options:
                raise BadUserInput(
                    f"{definition.name} is {text!r}; it must be one of {', '.join(definition.options)}", field=field
                )
            return text
