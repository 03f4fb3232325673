"""What a client sent to MongoDB."""

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

# What the driver sends on its own account
_DRIVERS_OWN = frozenset({"hello", "ismaster", "endSessions", "killCursors", "ping"})


class CommandLog(CommandListener):
    """Keeps the commands of a client that was made with `connect(uri, listeners=[log])`. Mutable."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def clear(self) -> None:
        """Forget what was sent so far."""
        self.commands.clear()

    def started(self, event: CommandStartedEvent) -> None:
        """Note `find products`: the command with its collection, or the command alone where it has none."""
        if event.command_name in _DRIVERS_OWN:
            return
        target = event.command.get(event.command_name)
        self.commands.append(f"{event.command_name} {target}" if isinstance(target, str) else event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Do nothing: it was noted when it started."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Do nothing: it was noted when it started."""
