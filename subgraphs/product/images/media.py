"""Where pictures are kept: in a folder, or in a bucket of S3 or what speaks its language. One interface for both."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from core.errors import Unavailable
from core.settings import Settings

if TYPE_CHECKING:
    # Not there at run time
    from obstore.store import ClientConfig, RetryConfig, S3Config

# Where the endpoint is below the store's own address
MEDIA_PATH = "/media"
# The folder of the data folder
MEDIA = "media"
# Somebody waits: rather an error than minutes of trying again
_CLIENT: "ClientConfig" = {"timeout": "20s", "connect_timeout": "3s"}
_RETRIES: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}
# Who keeps a bucket's files for readers lets them keep them, too
CACHE_CONTROL = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class MediaAddresses:
    """Where pictures are sent to, and where they are seen; without a slash at the end."""

    upload_url: str
    public_url: str

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the addresses of the media endpoint, or of what stands before it."""
        endpoint = (settings.media_url or f"{settings.base_url}{MEDIA_PATH}").rstrip("/")
        return cls(f"{endpoint}/uploads", (settings.media_cdn_url or endpoint).rstrip("/"))


class MediaStore(Protocol):
    """Keeps files by key. Its methods raise Unavailable when it does not answer."""

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Keep *content*, as a whole or not at all, in place of what was there."""
        ...

    async def get(self, key: str) -> bytes | None:
        """Return what is kept under *key*, None if that is nothing."""
        ...

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete what is kept under *keys*; what is not there is deleted."""
        ...


class FolderMedia:
    """Files below a folder, which is made when the first is put there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _store(self) -> LocalStore:
        try:
            return LocalStore(self._folder, mkdir=True, automatic_cleanup=True)
        except (BaseError, OSError) as error:
            raise Unavailable(f"the folder of pictures cannot be used: {error}") from error

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Write a file beside its place, and rename it."""
        try:
            await obstore.put_async(self._store, key, content, use_multipart=False)
        except BaseError as error:
            raise Unavailable(f"the folder of pictures cannot be written: {error}") from error

    async def get(self, key: str) -> bytes | None:
        """Read a file."""
        return await _get(self._store, key)

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete files, and folders that are empty then."""
        await _delete(self._store, keys)


class BucketMedia:
    """Objects of a bucket. Without keys, those of the environment or of the machine are used."""

    def __init__(
        self, bucket: str, *, endpoint: str = "", region: str = "", key_id: str = "", secret_key: str = ""
    ) -> None:
        config: S3Config = {"region": region or "us-east-1"}
        if endpoint:
            # Servers of one's own seldom have a name for each bucket
            config |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
        if key_id:
            config |= {"access_key_id": key_id, "secret_access_key": secret_key}
        client: ClientConfig = {**_CLIENT, "allow_http": endpoint.startswith("http://")}
        self._store = S3Store(bucket, config=config, client_options=client, retry_config=_RETRIES)

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Put an object; readers of the bucket itself are told what it is."""
        about = {"Content-Type": content_type, "Cache-Control": CACHE_CONTROL}
        try:
            await obstore.put_async(self._store, key, content, attributes=about, use_multipart=False)
        except BaseError as error:
            raise Unavailable(f"the bucket of pictures cannot be written: {error}") from error

    async def get(self, key: str) -> bytes | None:
        """Get an object."""
        return await _get(self._store, key)

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete objects."""
        await _delete(self._store, keys)


def open_media(settings: Settings) -> MediaStore:
    """Return the bucket of *settings*, or the folder."""
    if settings.media_bucket:
        return BucketMedia(
            settings.media_bucket,
            endpoint=settings.media_s3_endpoint,
            region=settings.media_s3_region,
            key_id=settings.media_s3_access_key_id,
            secret_key=settings.media_s3_secret_access_key.get_secret_value(),
        )
    return FolderMedia(settings.media_folder or settings.data / MEDIA)


async def _get(store: LocalStore | S3Store, key: str) -> bytes | None:
    try:
        found = await obstore.get_async(store, key)
        return bytes(await found.bytes_async())
    except FileNotFoundError:
        return None
    except BaseError as error:
        raise Unavailable(f"pictures cannot be read: {error}") from error


async def _delete(store: LocalStore | S3Store, keys: Iterable[str]) -> None:
    async def delete(key: str) -> None:
        try:
            await obstore.delete_async(store, key)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise Unavailable(f"pictures cannot be deleted: {error}") from error

    await asyncio.gather(*map(delete, keys))
