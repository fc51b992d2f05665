"""Give up requests that take too long."""

import asyncio
import sys

import httpx


async def main():
    async with httpx.AsyncClient() as client:  # here
        for number in range(3):
            try:
                await asyncio.wait_for(client.get(f"{sys.argv[1]}/items/{number}"), 0.3)
            except asyncio.TimeoutError:
                print("too slow")


asyncio.run(main())
