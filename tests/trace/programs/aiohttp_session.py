"""Fetch items, eight at once, twice, with one session."""

import asyncio
import sys

import aiohttp


async def fetch(session, number):
    async with session.get(f"{sys.argv[1]}/items/{number}") as answer:  # here
        return await answer.read()


async def main():
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            await asyncio.gather(*(fetch(session, number) for number in range(8)))


asyncio.run(main())
