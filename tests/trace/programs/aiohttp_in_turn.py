"""Fetch items one after the other, with one session."""

import asyncio
import sys

import aiohttp


async def main():
    async with aiohttp.ClientSession() as session:
        for number in range(6):
            async with session.get(f"{sys.argv[1]}/items/{number}") as answer:  # here
                await answer.read()


asyncio.run(main())
