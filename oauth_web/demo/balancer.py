"""A load balancer for the demo: round robin over the web processes, skipping those that refuse connections."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import cycle
from threading import Thread

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextmanager
def balancing(ports: list[int]) -> Iterator[int]:
    """Forward connections to these local ports until the end of the block; yields the balancer's port."""
    next_ports = cycle(ports)

    async def connected() -> Streams:
        for _ in ports:
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", next(next_ports))
        raise ConnectionRefusedError

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError, asyncio.CancelledError):
            answers, requests = await connected()
            with closing(requests):
                await asyncio.gather(_copy(reader, requests), _copy(answers, writer))

    with asyncio.Runner() as runner:
        server = runner.run(asyncio.start_server(serve, "127.0.0.1", 0))
        loop = runner.get_loop()
        thread = Thread(target=loop.run_forever)
        thread.start()
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(65_536):
        target.write(chunk)
        await target.drain()
    target.write_eof()
