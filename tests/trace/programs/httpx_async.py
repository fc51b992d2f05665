"""Fetch items, eight at once, twice."""

import asyncio
import sys

import httpx


async def main():
    async with httpx.AsyncClient() as client:  # here
        for _ in range(2):
            await asyncio.gather(
                *(client.get(f"{sys.argv[1]}/items/{number}") for number in range(8))
            )


asyncio.run(main())
