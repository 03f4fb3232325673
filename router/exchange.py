"""What the pipeline is given and what it answers with, whichever way a request came."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import msgspec

from core.identity import Identity
from router.cookies import SetCookie
from router.errors import (
    RouterError,
)

_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client asks, whichever way it came."""

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as the connection tells. *headers* have lower-case names.

    *identity* is set where somebody else has found out who it is, instead of by a token. *may_mutate* is False for GET.
    *takes_parts* tells whether an answer may come in several parts, as `@defer` allows.
    """

    address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    identity: Identity | None = None
    may_mutate: bool = True
    takes_parts: bool = False


@dataclass(frozen=True)
class Answer:
    """One response. *error* is set when the request was refused as a whole: *body* has no `data` then.

    Several clients may get the same one, so nobody changes *body*.
    """

    body: dict[str, Any]
    error: RouterError | None = None
    set_cookies: tuple[SetCookie, ...] = ()

    @cached_property
    def encoded(self) -> bytes:
        """Return *body* as JSON, which is written once for all clients that get this answer."""
        return _ENCODER.encode(self.body)


@dataclass(frozen=True, slots=True)
class EventStream:
    """The responses of a subscription. Whoever takes it must exhaust or close *events*."""

    events: AsyncGenerator[dict[str, Any], None]


@dataclass(frozen=True, slots=True)
class PartStream:
    """The parts of one response, as `@defer` divides it. Whoever takes it must exhaust or close *parts*."""

    parts: AsyncGenerator[dict[str, Any], None]
    set_cookies: tuple[SetCookie, ...] = ()


Outcome: TypeAlias = Answer | EventStream | PartStream


def refuse(error: RouterError) -> Answer:
    """Return the answer to a request that is refused as a whole."""
    return Answer({"errors": error.to_graphql()}, error)
