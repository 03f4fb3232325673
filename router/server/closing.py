import asyncio


class Closing:
    """Tells long-lived connections that the router is going down. Mutable: it is set once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def has_begun(self) -> bool:
        """Tell whether the router is going down."""
        return self._event.is_set()

    def begin(self) -> None:
        """Let every stream end."""
        self._event.set()

    async def wait(self) -> None:
        """Return when the router goes down."""
        await self._event.wait()
