"""Fetch items, each with a session of its own."""

import asyncio
import sys

import aiohttp


async def fetch(number):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{sys.argv[1]}/items/{number}") as answer:  # here
            return await answer.read()


async def main():
    for number in range(6):
        await fetch(number)


asyncio.run(main())
