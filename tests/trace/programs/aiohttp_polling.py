"""Ask for news now and then, with aiohttp."""

import asyncio
import sys

import aiohttp


async def main():
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.get(f"{sys.argv[1]}/news") as answer:  # here
                await answer.read()
            await asyncio.sleep(0.8)


asyncio.run(main())
