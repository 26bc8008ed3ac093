#!/usr/bin/python3
"""A fleet of container engines that cost nearly nothing: one process, many sockets, scripted containers.

usage: fleet.py DIRECTORY NODES CONTAINERS

Serves DIRECTORY/n000.sock, n001.sock, ... each an engine with so many
containers, and prints "ready".  Then takes commands, a line each:

    rate N         N events a second from now on, over all nodes in turn: containers die and start
    touch I        the next container of node I changes now; prints its name and its new state
    asked          prints how many requests came from each program since the last time, as JSON

All of it is deterministic: the same commands give the same containers and events.
"""

import asyncio
import contextlib
import hashlib
import itertools
import json
import os
import re
import socket
import struct
import sys
import time
import urllib.parse

IMAGES = ("registry.example/team/train:2.4", "postgres:16", "redis:7", "registry.example/web/front:1.31")


def caller(writer):
    """The program at the other end, by the process that connected."""
    peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    with contextlib.suppress(OSError):
        with open(f"/proc/{struct.unpack('3i', peer)[0]}/comm") as f:
            return f.read().strip()
    return "?"


class Node:
    def __init__(self, directory, number, containers, asked):
        self.name = f"n{number:03}"
        self.path = os.path.join(directory, f"{self.name}.sock")
        self.asked = asked
        self.followers = set()
        self.containers = [self.container(number, i) for i in range(containers)]
        self.by_id = {c["Id"]: c for c in self.containers}
        self.turn = itertools.cycle(self.containers)

    def container(self, number, i):
        image = IMAGES[i % len(IMAGES)]
        return {"Id": hashlib.sha256(f"{number}/{i}".encode()).hexdigest(), "Names": [f"/{self.name}-job{i:04}"], "Image": image,
                "ImageID": f"sha256:{i % len(IMAGES):064x}", "Command": "sleep 1000000", "Created": 1750000000 + i,
                "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8000 + i, "Type": "tcp"}] if i % 4 == 3 else [],
                "Labels": {"com.docker.compose.project": f"job{i // 4}", "com.docker.compose.service": f"part{i % 4}"},
                "State": "running", "Status": "Up 3 hours", "HostConfig": {"NetworkMode": "none"},
                "NetworkSettings": {"Networks": {}}, "Mounts": []}

    def inspect(self, c):
        running = c["State"] == "running"
        return {"Id": c["Id"], "Name": c["Names"][0], "Image": c["ImageID"], "Created": "2025-06-15T12:00:00Z",
                "State": {"Status": c["State"], "Running": running, "Paused": False, "Restarting": False,
                          "OOMKilled": False, "Dead": False, "Pid": 1000 if running else 0,
                          "ExitCode": 0 if running else 1, "Error": "", "StartedAt": "2025-06-15T12:00:01Z",
                          "FinishedAt": "0001-01-01T00:00:00Z" if running else "2025-06-15T13:00:00Z"},
                "Config": {"Image": c["Image"], "Labels": c["Labels"], "Env": ["PATH=/bin"], "Cmd": ["sleep"]},
                "HostConfig": {"PidMode": "", "DeviceRequests": None, "RestartPolicy": {"Name": "no"}},
                "NetworkSettings": {"Networks": {}, "Ports": {}}, "Mounts": []}

    def change(self):
        """The next container dies or starts, and whoever follows hears of it."""
        c = next(self.turn)
        running = c["State"] == "running"
        c["State"], c["Status"] = ("exited", "Exited (1) 1 second ago") if running else ("running", "Up 1 second")
        action = "die" if running else "start"
        now = time.time_ns()
        event = json.dumps({"status": action, "id": c["Id"], "from": c["Image"], "Type": "container", "Action": action,
                            "Actor": {"ID": c["Id"], "Attributes": {"image": c["Image"], "name": c["Names"][0][1:]}},
                            "scope": "local", "time": now // 10**9, "timeNano": now}).encode() + b"\n"
        for writer in self.followers:
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
        return c

    # ---- HTTP

    def answer(self, path, query):
        """Status and body."""
        if path == "/_ping":
            return 200, b"OK"
        if path == "/version":
            return 200, {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux",
                         "Components": [{"Name": "Engine", "Version": "20.10.24"}]}
        if path == "/containers/json":
            ids = json.loads(query.get("filters", ["{}"])[0]).get("id")
            listed = self.containers if ids is None else [self.by_id[i] for i in ids if i in self.by_id]
            every = ids is not None or query.get("all", ["0"])[0] in ("1", "true")
            return 200, [c for c in listed if every or c["State"] == "running"]
        if m := re.fullmatch(r"/containers/([^/]+)/json", path):
            c = self.by_id.get(m[1])
            return 200 if c else 404, self.inspect(c) if c else {"message": "No such container"}
        if re.fullmatch(r"/images/[^/]+/json", path):
            return 200, {"Config": {"Labels": {}}}
        return 404, {"message": "page not found"}

    async def serve(self, reader, writer):
        program = caller(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, target = head.split(b" ", 2)[:2]
                if m := re.search(rb"(?i)\r\ncontent-length: *(\d+)", head):
                    await reader.readexactly(int(m[1]))
                self.asked[program] = self.asked.get(program, 0) + 1
                url = urllib.parse.urlsplit(target.decode())
                path = re.sub(r"^/v1\.\d+", "", url.path)
                if path == "/events":
                    await self.follow(reader, writer)
                    return
                status, body = self.answer(path, urllib.parse.parse_qs(url.query))
                text = body if isinstance(body, bytes) else json.dumps(body).encode()
                writer.write(b"HTTP/1.1 %d X\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Type: application/json\r\n"
                             b"Content-Length: %d\r\n\r\n" % (status, len(text)) + (b"" if method == b"HEAD" else text))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def follow(self, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.followers.add(writer)
        try:
            await reader.read()
        finally:
            self.followers.discard(writer)


class Fleet:
    def __init__(self, directory, nodes, containers):
        self.asked = {}
        self.nodes = [Node(directory, i, containers, self.asked) for i in range(nodes)]
        self.rate = 0
        self.changed = asyncio.Event()

    async def events(self):
        """At the rate in the mean, whatever one turn took."""
        turn = itertools.cycle(self.nodes)
        while True:
            if not self.rate:
                await self.changed.wait()
            rate, begun, done = self.rate, time.monotonic(), 0
            self.changed.clear()
            while rate == self.rate and rate:
                for _ in range(int((time.monotonic() - begun) * rate) - done):
                    next(turn).change()
                    done += 1
                await asyncio.sleep(0.005)

    async def commands(self):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            word, *rest = line.decode().split()
            if word == "rate":
                self.rate = int(rest[0])
                self.changed.set()
            elif word == "touch":
                c = self.nodes[int(rest[0])].change()
                print(c["Names"][0][1:], c["State"], flush=True)
            elif word == "asked":
                print(json.dumps(self.asked), flush=True)
                self.asked.clear()

    async def run(self):
        for node in self.nodes:
            await asyncio.start_unix_server(node.serve, node.path, backlog=512)
            os.chmod(node.path, 0o666)
        print("ready", flush=True)
        events = asyncio.create_task(self.events())
        await self.commands()
        events.cancel()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    asyncio.run(Fleet(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run())
