"""Fetch items with aiohttp.request, which makes a session each time."""

import asyncio
import sys

import aiohttp


async def main():
    for number in range(4):
        async with aiohttp.request("GET", f"{sys.argv[1]}/{number}") as answer:  # here
            await answer.read()


asyncio.run(main())
