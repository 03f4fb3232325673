"""Reactions to other subgraphs' events: the catalogue needs none."""

from collections.abc import Mapping

from core.events import EventHandler

HANDLERS: Mapping[str, EventHandler] = {}
