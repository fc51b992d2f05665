"""Fetch items with a connector that closes each connection."""

import asyncio
import sys

import aiohttp


async def main():
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        for number in range(5):
            async with session.get(f"{sys.argv[1]}/items/{number}") as answer:  # here
                await answer.read()


asyncio.run(main())
