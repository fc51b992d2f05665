"""Poll with a session that keeps connections for a fifth of a second."""

import asyncio
import sys

import aiohttp


async def main():
    connector = aiohttp.TCPConnector(keepalive_timeout=0.2)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(3):
            async with session.get(f"{sys.argv[1]}/news") as answer:  # here
                await answer.read()
            await asyncio.sleep(0.6)


asyncio.run(main())
