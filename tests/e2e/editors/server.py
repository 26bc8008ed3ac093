#!/usr/bin/python3
"""What an editor leaves running in a container: HTTP and WebSocket at one address.

server.py PORT|/PATH --parent-process-id PID.  Port 0 is any.  /alive says which
process this is and whether the one it was told of still is; the rest of the
paths are what an editor's windows do with it.
"""

import asyncio
import http
import os
import pathlib
import sys

import websockets

WHERE, PARENT = sys.argv[1], sys.argv[3]


def parent():
    try:
        return "gone" if ") Z " in pathlib.Path(f"/proc/{PARENT}/stat").read_text() else "there"
    except OSError:
        return "gone"


async def page(path, _headers):
    if path == "/alive":
        return http.HTTPStatus.OK, [], f"{os.getpid()} {parent()}\n".encode()
    if path.startswith("/bytes/"):
        return http.HTTPStatus.OK, [], bytes(range(256)) * (int(path[7:]) // 256)
    return None if path == "/ws" else (http.HTTPStatus.NOT_FOUND, [], b"")


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    options = {"process_request": page, "max_size": None, "compression": None}
    if WHERE.startswith("/"):
        server = await websockets.unix_serve(echo, WHERE, **options)
    else:
        server = await websockets.serve(echo, "127.0.0.1", int(WHERE), **options)
    name = server.sockets[0].getsockname()
    print(f"listening on {name if isinstance(name, str) else name[1]}", flush=True)
    await server.wait_closed()


asyncio.run(main())
