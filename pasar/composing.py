"""The store's own graph: its subgraphs' SDL, and what composition makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from core.cache import open_cache
from core.clock import SystemClock
from core.errors import PasarError
from core.identity import service_identity
from core.mail import MailboxMailer
from core.mongo import connect
from core.peers import InProcessPeers
from core.settings import Settings
from core.subgraph import Runtime
from pasar.keys import complete_settings
from pasar.problems import format_finding
from pasar.store import SUBGRAPHS, build_subgraph
from pasar.subgraph_sources import schemas_of
from router.composition import compose
from router.composition.model import Diagnostic, SubgraphSchema

SDL_FOLDER = Path(__file__).parent.parent / "schema" / "sdl"


class CompositionFailed(PasarError):
    """The subgraphs do not fit together; *diagnostics* say where."""

    code = "COMPOSITION_FAILED"

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("the subgraphs do not compose:\n" + "\n".join(map(format_finding, diagnostics)))
        self.diagnostics = tuple(diagnostics)


@dataclass(frozen=True, slots=True)
class Composed:
    """A supergraph and what clients see of it."""

    supergraph_sdl: str
    api_sdl: str
    hints: tuple[Diagnostic, ...]


def compose_schemas(schemas: Sequence[SubgraphSchema]) -> Composed:
    """Compose *schemas*; raise CompositionFailed when they do not fit together."""
    result = compose(schemas)
    if result.supergraph_sdl is None or result.api_sdl is None:
        raise CompositionFailed(result.errors)
    return Composed(result.supergraph_sdl, result.api_sdl, result.hints)


def own_schemas() -> tuple[SubgraphSchema, ...]:
    """Return the store's own subgraphs, routed to where docker-compose.yml has them."""
    return schemas_of(read_own_sdl(), {name: f"http://{name}:4001/graphql" for name in SUBGRAPHS})


def render_sdl_files() -> dict[str, str]:
    """Return what belongs into `schema/sdl/`, by file name."""
    schemas = own_schemas()
    composed = compose_schemas(schemas)
    return {
        **{f"{schema.name}.graphql": schema.sdl.strip() + "\n" for schema in schemas},
        "supergraph.graphql": composed.supergraph_sdl,
        "api.graphql": composed.api_sdl,
    }


def read_own_sdl() -> dict[str, str]:
    """Return the SDL of each subgraph of the store, without a database."""
    with TemporaryDirectory() as folder:
        settings = complete_settings(Settings(data=Path(folder)))
        return {name: build_subgraph(name, _runtime_without_database(name, settings)).sdl for name in SUBGRAPHS}


def _runtime_without_database(name: str, settings: Settings) -> Runtime:
    # A client connects with its first command, and a schema needs none
    client = connect("mongodb://127.0.0.1:1/")
    database = client[name]
    return Runtime(
        settings=settings,
        clock=SystemClock(),
        client=client,
        database=database,
        peers=InProcessPeers(service_identity(name), {}),
        cache=open_cache(""),
        mailer=MailboxMailer(database),
    )
