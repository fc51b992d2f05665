"""Fetch items, each with a client of its own."""

import asyncio
import sys

import httpx


async def fetch(number):
    async with httpx.AsyncClient() as client:
        return await client.get(f"{sys.argv[1]}/items/{number}")  # here


async def main():
    for number in range(6):
        await fetch(number)


asyncio.run(main())
