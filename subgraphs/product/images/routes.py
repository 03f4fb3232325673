"""The media endpoint: takes what was announced, and shows pictures. It knows no other files.

What it shows is a picture that was encoded here, is said to be one, and is told never to be taken for anything else.
"""

import re
from collections.abc import AsyncIterator, Mapping

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.errors import BadUserInput, Conflict, NotFound, Unavailable
from subgraphs.product.images.media import CACHE_CONTROL, MEDIA_PATH
from subgraphs.product.images.service import WEBP, ProductImages
from subgraphs.product.images.uploads import TooLarge, Uploads

log = structlog.get_logger(__name__)

# Keys are made of what matches, so no address leads anywhere else
_PICTURE = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"([1-9][0-9]{0,4})\.webp")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_SAFE = {
    "x-content-type-options": "nosniff",
    # Opened by itself it is a page of its own, which may do nothing
    "content-security-policy": "default-src 'none'; sandbox",
    "referrer-policy": "no-referrer",
}
_ANSWER = {**_SAFE, "cache-control": "no-store"}


def media_routes(images: ProductImages, uploads: Uploads) -> tuple[Route, ...]:
    """Return `PUT /media/uploads/<token>` and `GET /media/<picture>/<width>.webp`."""

    async def receive(request: Request) -> Response:
        token = request.path_params["token"]
        if _TOKEN.fullmatch(token) is None:
            return _answer(404, "there is no such upload, or its time is over")
        try:
            await uploads.receive(token, _read_body(request))
        except NotFound as error:
            return _answer(404, error.message)
        except Conflict as error:
            return _answer(409, error.message)
        except TooLarge as error:
            # What is still on its way is not read: whoever sends it is cut off
            return _answer(413, error.message, {"connection": "close"})
        except BadUserInput as error:
            return _answer(400, error.message)
        except ClientDisconnect:
            return _answer(400, "the connection ended before the picture did")
        except Unavailable as error:
            log.error("a picture cannot be kept", reason=error.message)
            return _answer(503, "try again later")
        return Response(status_code=204, headers=_ANSWER)

    async def show(request: Request) -> Response:
        picture_id = request.path_params["picture"]
        file = _FILE.fullmatch(request.path_params["file"])
        if file is None or _PICTURE.fullmatch(picture_id) is None:
            return _answer(404, "there is no such picture")
        # The address says what the content is: whoever has it has it for good
        headers = {**_SAFE, "cache-control": CACHE_CONTROL, "etag": f'"{picture_id}-{file[1]}"'}
        if _has_already(request.headers.get("if-none-match", ""), headers["etag"]):
            return Response(status_code=304, headers=headers)
        try:
            content = await images.read_file(picture_id, int(file[1]))
        except Unavailable as error:
            log.error("a picture cannot be read", reason=error.message)
            return _answer(503, "try again later")
        if content is None:
            return _answer(404, "there is no such picture")
        # A page of another origin may show it
        return Response(content, media_type=WEBP, headers={**headers, "cross-origin-resource-policy": "cross-origin"})

    return (
        Route(f"{MEDIA_PATH}/uploads/{{token}}", receive, methods=["PUT"]),
        Route(f"{MEDIA_PATH}/{{picture}}/{{file}}", show, methods=["GET"]),
    )


async def _read_body(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk


def _has_already(if_none_match: str, etag: str) -> bool:
    return etag in {each.strip().removeprefix("W/") for each in if_none_match.split(",")}


def _answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"message": message}, status_code=status, headers={**_ANSWER, **(headers or {})})
