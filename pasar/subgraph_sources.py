"""Where composition finds subgraph schemas: files, running subgraphs, or a list of both in YAML."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import yaml

from pasar.problems import SourceProblem, SourceUnusable
from router.composition.model import SubgraphSchema

__all__ = [
    "SourceUnusable",
    "SubgraphSource",
    "fetch_sdl",
    "parse_source",
    "parse_sources",
    "read_schemas",
    "read_source_list",
    "schemas_of",
]

FETCH_TIMEOUT_S = 15
# Many times the largest schema anybody serves: it ends an answer that would never end
MAX_ANSWER_BYTES = 64 * 1024 * 1024
# Of what another server says; the rest of an HTML page helps nobody
MAX_QUOTED_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class SubgraphSource:
    """One subgraph: *location* is a file or a URL whose `_service` is asked, *url* the routing URL."""

    name: str
    location: str
    url: str = ""

    @property
    def is_url(self) -> bool:
        """Tell whether a running subgraph is asked."""
        return self.location.startswith(("http://", "https://"))


def parse_source(text: str) -> SubgraphSource:
    """Read `NAME=FILE`, `NAME=URL` or `NAME=FILE@URL`; raise SourceUnusable for anything else.

    A subgraph that is asked at its URL is also routed to there.
    """
    name, equals, location = text.partition("=")
    if not equals or not name or not location:
        message = f"{text!r} is not NAME=FILE, NAME=URL or NAME=FILE@URL"
        raise SourceUnusable(SourceProblem("SUBGRAPH_ARGUMENT_INVALID", message, text))
    source = SubgraphSource(name, location)
    if source.is_url:
        return SubgraphSource(name, location, location)
    file, at, url = location.rpartition("@")
    return SubgraphSource(name, file, url) if at and url.startswith(("http://", "https://")) else source


def parse_sources(texts: Sequence[str]) -> tuple[SubgraphSource, ...]:
    """Read all of *texts*; raise SourceUnusable with every one that says nothing."""
    sources: list[SubgraphSource] = []
    problems: list[SourceProblem] = []
    for text in texts:
        try:
            sources.append(parse_source(text))
        except SourceUnusable as unusable:
            problems += unusable.problems
    if problems:
        raise SourceUnusable(*problems)
    return tuple(sources)


def read_source_list(file: Path) -> tuple[SubgraphSource, ...]:
    """Read a list in the form that Apollo's rover uses; files are relative to it.

    ```yaml
    subgraphs:
      order:
        routing_url: http://127.0.0.1:4104/graphql
        schema: { file: order.graphql }        # or { subgraph_url: http://... }
    ```

    Raises SourceUnusable with everything that is wrong and where it stands. A name that stands twice is among it: YAML
    would silently keep the last.
    """
    try:
        loader = yaml.SafeLoader(file.read_text("utf-8"))
        root = loader.get_single_node()
    except OSError as error:
        raise SourceUnusable(_list_problem(file, f" cannot be read: {error.strerror}")) from None
    except yaml.MarkedYAMLError as error:
        raise SourceUnusable(_list_problem(file, f" is not YAML: {error.problem}", at=error.problem_mark)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceUnusable(_list_problem(file, f" is not YAML: {' '.join(str(error).split())}")) from None
    except RecursionError:
        raise SourceUnusable(_list_problem(file, " is nested too deeply to be read")) from None
    reader = _ListReader(file, loader)
    sources = reader.read(root)
    if reader.problems:
        raise SourceUnusable(*reader.problems)
    return sources


class _ListReader:
    """The reading of one list. Mutable: collects what is wrong.

    It reads nodes rather than constructed values, because only nodes know where they stand.
    """

    def __init__(self, file: Path, loader: yaml.SafeLoader) -> None:
        self.file = file
        self.loader = loader
        self.problems: list[SourceProblem] = []

    def read(self, root: yaml.Node | None) -> tuple[SubgraphSource, ...]:
        subgraphs = self.entries(self.entries(root).get("subgraphs"))
        if not subgraphs and not self.problems:
            self.note(" has no map `subgraphs`", root)
        sources = [self.read_entry(name, entry) for name, entry in sorted(subgraphs.items())]
        return tuple(source for source in sources if source is not None)

    def read_entry(self, name: str, node: yaml.Node) -> SubgraphSource | None:
        entry = self.entries(node)
        schema = self.entries(entry.get("schema"))
        routing_url = _text(entry.get("routing_url"))
        if path := _text(schema.get("file")):
            return SubgraphSource(name, str(self.file.parent / path), routing_url)
        if url := _text(schema.get("subgraph_url")):
            if url.startswith(("http://", "https://")):
                return SubgraphSource(name, url, routing_url or url)
            self.note(f": subgraph {name}: {url!r} is no http:// or https:// URL", schema["subgraph_url"], name)
            return None
        self.note(f": subgraph {name} needs schema.file or schema.subgraph_url", node, name)
        return None

    def entries(self, node: yaml.Node | None) -> dict[str, yaml.Node]:
        """Return the values of a map by their keys; nothing for what is no map."""
        if not isinstance(node, yaml.MappingNode):
            return {}
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                self.note(f": {key.value} stands twice", key)
            if isinstance(key.value, str):
                seen.add(key.value)
        # Resolves `<<`, whose keys may be overridden
        self.loader.flatten_mapping(node)
        return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}

    def note(self, what: str, node: yaml.Node | None, subgraph: str = "") -> None:
        at = node.start_mark if node is not None else None
        self.problems.append(_list_problem(self.file, what, subgraph=subgraph, at=at))


def _text(node: yaml.Node | None) -> str:
    is_text = isinstance(node, yaml.ScalarNode) and node.tag != "tag:yaml.org,2002:null"
    return str(node.value) if is_text and node is not None else ""


async def read_schemas(sources: Sequence[SubgraphSource]) -> tuple[SubgraphSchema, ...]:
    """Return the schemas of *sources*, asked at once; raise SourceUnusable with all that cannot be read."""
    timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        read = await asyncio.gather(*(_try_to_read(source, session) for source in sources))
    problems = [problem for result in read if not isinstance(result, SubgraphSchema) for problem in result]
    if problems:
        raise SourceUnusable(*problems)
    return tuple(result for result in read if isinstance(result, SubgraphSchema))


async def _try_to_read(
    source: SubgraphSource, session: aiohttp.ClientSession
) -> SubgraphSchema | tuple[SourceProblem, ...]:
    try:
        sdl = await fetch_sdl(source.name, source.location, session) if source.is_url else _read_file(source)
    except SourceUnusable as unusable:
        return unusable.problems
    return SubgraphSchema(source.name, sdl, source.url)


def _read_file(source: SubgraphSource) -> str:
    try:
        return Path(source.location).read_text("utf-8")
    except OSError as error:
        raise _unusable(source.name, source.location, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _unusable(source.name, source.location, f"is not UTF-8 (byte {error.start})") from None
    except ValueError as error:
        # A NUL in the path
        raise _unusable(source.name, source.location, f"cannot be read: {error}") from None


async def fetch_sdl(name: str, url: str, session: aiohttp.ClientSession) -> str:
    """Return the SDL that the subgraph at *url* tells through `_service`; raise SourceUnusable."""
    try:
        async with session.post(url, json={"query": "{ _service { sdl } }"}) as answer:
            text = await _read_answer(answer)
    except TimeoutError:
        raise _unusable(name, url, f"does not answer within {FETCH_TIMEOUT_S} s") from None
    except (aiohttp.ClientError, ValueError) as error:
        raise _unusable(name, url, f"does not answer: {type(error).__name__}") from None
    if text is None:
        raise _unusable(name, url, f"answers with more than {MAX_ANSWER_BYTES} bytes")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        answered = f"answers HTTP {answer.status} with {_quote(answer.content_type)}, not with JSON"
        raise _unusable(name, url, answered) from None
    match body:
        case {"data": {"_service": {"sdl": str(sdl)}}}:
            return sdl
        case {"errors": [{"message": str(message)}, *_]}:
            raise _unusable(name, url, f"does not tell its schema: {_quote(message)}")
        case _:
            raise _unusable(name, url, f"does not tell its schema: HTTP {answer.status}, no data._service.sdl")


async def _read_answer(answer: aiohttp.ClientResponse) -> bytes | None:
    """Return the body, or None for one that is too long."""
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            return None
    return bytes(body)


def _quote(text: str) -> str:
    """Return what another server said as one short line that no terminal takes for a command."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= MAX_QUOTED_CHARACTERS else line[:MAX_QUOTED_CHARACTERS] + "..."


def _unusable(subgraph: str, location: str, what: str) -> SourceUnusable:
    message = f"subgraph {subgraph}: {location} {what}"
    return SourceUnusable(SourceProblem("SUBGRAPH_SOURCE_UNUSABLE", message, location, subgraph))


def _list_problem(file: Path, what: str, *, subgraph: str = "", at: yaml.Mark | None = None) -> SourceProblem:
    # YAML counts from 0
    line, column = (at.line + 1, at.column + 1) if at is not None else (None, None)
    return SourceProblem("SUBGRAPH_LIST_INVALID", f"{file}{what}", str(file), subgraph, line, column)


def schemas_of(sdl: Mapping[str, str], urls: Mapping[str, str] | None = None) -> tuple[SubgraphSchema, ...]:
    """Return the schemas of SDL per subgraph, with the routing *urls* that are known."""
    return tuple(SubgraphSchema(name, text, (urls or {}).get(name, "")) for name, text in sorted(sdl.items()))
