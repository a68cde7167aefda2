#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Requests over HTTP with asyncio, each from another address of a prefix:
#   ip -6 route add local 2001:db8:5::/64 dev lo
#   requests-asyncio.py 2001:db8:c::2 2001:db8:5:: 10000
import asyncio
import sys


async def request(server, source):
    reader, writer = await asyncio.open_connection(server, 80, local_addr=(source, 0))
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    status = await reader.readline()
    writer.close()
    await writer.wait_closed()
    if b" 200 " not in status:
        sys.exit(status.decode())


async def main(server, prefix, count):
    for n in range(1, int(count) + 1):
        await request(server, f"{prefix}{n:x}")


asyncio.run(main(*sys.argv[1:]))
