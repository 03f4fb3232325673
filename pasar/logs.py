"""Where log lines go: standard error, for people in development and as JSON in production."""

import logging
import sys

import structlog

from core.settings import Environment


def configure_logs(environment: Environment, *, source: str = "") -> None:
    """Write structlog's lines and the libraries' warnings to standard error; *source* names the program in each."""
    add_source: list[structlog.typing.Processor] = []
    if source:

        def name_source(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
            return {"source": source, **event}

        add_source.append(name_source)
    if environment is Environment.PRODUCTION:
        rendering: list[structlog.typing.Processor] = [
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(sort_keys=True),
        ]
    else:
        rendering = [
            # Not rich's, which shows the values of variables: secrets among them
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    shared: list[structlog.typing.Processor] = [
        *add_source,
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
