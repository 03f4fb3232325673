"""Small questions about a type's text, such as "[Review!]!"."""


def named_type(text: str) -> str:
    """Return the named type inside lists and non-nulls."""
    return text.strip("[]!")


def is_list(text: str) -> bool:
    """Tell whether the outermost nullable type is a list."""
    return text.startswith("[")
