"""Fetch items over HTTP/2, eight at once, twice."""

import asyncio
import sys

import httpx

url, certificate = sys.argv[1:]


async def main():
    async with httpx.AsyncClient(http2=True, verify=certificate) as client:  # here
        for _ in range(2):
            await asyncio.gather(*(client.get(f"{url}/items/{number}") for number in range(8)))


asyncio.run(main())
