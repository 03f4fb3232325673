import pytest

from router.errors import NotAcceptable, UnsupportedMediaType
from router.server.media import Media, accepts_events, negotiate, prefers_html, require_json_body, require_media

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", Media.JSON),
        ("*/*", Media.JSON),
        ("application/*", Media.JSON),
        ("application/json", Media.JSON),
        ("APPLICATION/JSON; charset=utf-8", Media.JSON),
        ("application/graphql-response+json", Media.GRAPHQL_RESPONSE),
        ("application/graphql-response+json, application/json;q=0.9", Media.GRAPHQL_RESPONSE),
        ("application/json;q=0.9, application/graphql-response+json", Media.GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json", Media.JSON),
        ("text/event-stream", Media.EVENT_STREAM),
        ("application/json, text/event-stream", Media.JSON),
        ("image/png, application/json;q=0.1", Media.JSON),
        (BROWSER, Media.JSON),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=nonsense", None),
    ],
)
def test_the_best_of_our_media_types_is_chosen(accept: str, media: Media | None) -> None:
    assert negotiate(accept) == media


def test_a_client_that_accepts_none_of_ours_is_told_which_there_are() -> None:
    with pytest.raises(NotAcceptable, match="application/graphql-response"):
        require_media("text/html")


@pytest.mark.parametrize(
    ("accept", "is_browser"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("*/*", False),
        ("", False),
        ("application/json, text/html", False),
        ("text/html;q=0.5, application/json", False),
        ("*/*, text/html", True),
    ],
)
def test_a_browser_is_recognised_by_wanting_html_first(accept: str, is_browser: bool) -> None:
    assert prefers_html(accept) is is_browser


def test_the_event_stream_must_be_named() -> None:
    assert accepts_events("application/json, text/event-stream;q=0.5")
    assert not accepts_events("*/*")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_in_utf8_is_read(content_type: str) -> None:
    require_json_body(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/graphql",
        "text/plain; application/json",
    ],
)
def test_any_other_body_is_refused(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType) as refusal:
        require_json_body(content_type)
    assert refusal.value.status == 415
