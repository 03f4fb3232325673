"""A small SMTP server that keeps what it is sent, or refuses it."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class SmtpServer:
    """Answers RCPT with *recipient_answer*. Mutable: *messages* grows."""

    recipient_answer: str = "250 OK"
    messages: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            self.commands.append(verb)
            match verb:
                case "RCPT":
                    answer = self.recipient_answer
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    self.messages.append(await reader.readuntil(b"\r\n.\r\n"))
                    answer = "250 kept"
                case "QUIT":
                    answer = "221 bye"
                case _:
                    answer = "250 OK"
            writer.write(f"{answer}\r\n".encode())
            await writer.drain()
            if verb == "QUIT":
                break
        writer.close()
