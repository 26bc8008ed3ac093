#!/usr/bin/env python3
"""A container engine that does what no real one can be made to do.

usage: fake_engine.py SOCKET SCENARIO [CALL]

Listens on the unix socket SOCKET, prints "ready", and answers every request
by SCENARIO: only those whose path contains CALL (say "/start" or "/resize")
when it is given, and all others like an engine with one running container.
"""

import json
import os
import re
import signal
import socket
import sys
import threading
import time

ID = "0123456789abcdef" * 4
CONTAINER = {"Id": ID, "Names": ["/fake"], "Image": "fake", "ImageID": "sha256:" + ID,
             "State": "running", "Status": "Up 1 hour", "Labels": {}, "Created": 1}
GOOD = [
    (r"/_ping$", 200, None),
    (r"/version$", 200, {"Version": "20.10.24", "ApiVersion": "1.41", "Components": []}),
    (r"/containers/json", 200, [CONTAINER]),
    (r"/containers/[^/]+/json$", 200,
     {"Id": ID, "Name": "/fake", "Image": "sha256:" + ID, "State": {"Status": "running"},
      "Config": {"Image": "fake", "Labels": {}}, "HostConfig": {"PidMode": ""}}),
    (r"/images/", 200, {"Config": {"Labels": {}}}),
    (r"/containers/[^/]+/exec$", 201, {"Id": ID}),
    (r"/exec/[^/]+/start$", 101, None),
    (r"/exec/[^/]+/resize", 200, None),
    (r"/exec/[^/]+/json$", 200, {"Running": True, "Pid": 1, "ExitCode": None}),
]
HEAD = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def good(path):
    """Status and body of an engine that works; None for a hijacked stream."""
    for pattern, status, body in GOOD:
        if re.search(pattern, path.split("?")[0]):
            return status, b"" if body is None else json.dumps(body).encode()
    return 404, b'{"message":"page not found"}'


def answer(c, body, status=200):
    c.sendall(HEAD % (status, len(body)) + body)


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


def send_good(c, path):
    if path.startswith("/events"):  # nothing happens
        c.sendall(EVENTS)
        hang(c, path)
        return
    status, body = good(path)
    if status == 101:
        c.sendall(UPGRADED)
        while c.recv(65536):
            pass
        return
    answer(c, body, status)


def hang(c, path):
    """Takes the request and never answers."""
    while c.recv(65536):
        pass


def cut(c, path):
    """An answer that stops in the middle of its body."""
    _, body = good(path)
    c.sendall(HEAD % (200, len(body) + 100) + body)
    raise ConnectionError


def cut_head(c, path):
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Ty")
    raise ConnectionError


def close(c, path):
    raise ConnectionError


def not_json(c, path):
    body = b"<html><body>It works!</body></html>"
    answer(c, body)


def wrong_types(c, path):
    body = b'{"Id":[],"Version":3,"Running":"no"}'
    if path.startswith("/containers/json"):
        body = b'[{"Id":7,"Names":{"a":[]},"Labels":3,"State":[null]},"x",null,[]]'
    answer(c, body)


def deep(c, path):
    body = b"[" * 1000000
    answer(c, body)


def big_header(c, path):
    """One header line of 1 MiB."""
    c.sendall(b"HTTP/1.1 200 OK\r\nX-Big: " + b"a" * (1 << 20) + b"\r\n\r\n{}")


def many_headers(c, path):
    """1 MiB of small header lines."""
    c.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Small: aaaaaaaaaaaaaaaaaaaaa\r\n" * 32768 + b"\r\n{}")


def big_body(c, path):
    """A body that never ends."""
    c.sendall(b"HTTP/1.1 200 OK\r\n\r\n[")
    while True:
        c.sendall(b'{"Id":"x"},' * 10000)


def slow(c, path):
    """A good answer, one byte every 50 ms."""
    status, body = good(path)
    for i in HEAD % (status, len(body)) + body:
        c.sendall(bytes([i]))
        time.sleep(0.05)


def drip(c, path):
    """A good answer one byte at a time, without waiting: every split of it is seen."""
    status, body = good(path)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    for i in HEAD % (status, len(body)) + body:
        c.sendall(bytes([i]))


def error(c, path):
    body = b'{"message":"driver failed: /var/lib/secret/path: http://10.0.0.1/x"}'
    answer(c, body, 500)


def teapot(c, path):
    answer(c, b"{}", 418)


def old(c, path):
    body = b'{"Version":"1.0","ApiVersion":"1.12"}'
    answer(c, body)


def not_http(c, path):
    c.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 3)
    raise ConnectionError


ODD = "\x1b[31mred\x1b]0;title\x07\u202e\u2066\x9b2J\r\nnew"


def odd_names(c, path):
    """An engine whose every text would take over a terminal; its container is paused."""
    if not path.startswith("/containers/") or not path.split("?")[0].endswith("/json"):
        send_good(c, path)
        return
    said = json.loads(good(path)[1])
    if isinstance(said, list):
        said[0].update(Names=["/odd" + ODD], Image="image" + ODD, Status="Up" + ODD, Labels={"l" + ODD: ODD})
    else:
        said.update(Name="/odd" + ODD, State={"Status": "paused"},
                    Config={"Image": "image" + ODD, "Labels": {"l" + ODD: ODD}})
    answer(c, json.dumps(said).encode())


TAIL = b"".join(b"%07d\n" % i for i in range(160000))
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
streams = []  # when each began


def frame(payload):
    return b"\1\0\0\0" + len(payload).to_bytes(4, "big") + payload


def silent(c, path, seconds, say):
    """An exec whose stream is what say() sends.

    From a second after its start until so many seconds after it nothing is answered about it; then, that it has
    ended with 5.
    """
    if path.endswith("/start"):
        streams.append(time.monotonic())
        c.sendall(UPGRADED)
        say()
        c.shutdown(socket.SHUT_WR)
        c.settimeout(None)
        while c.recv(65536):
            pass
        return
    since = time.monotonic() - streams[-1] if streams else 0
    if since < 1 or not re.search(r"/exec/[^/]+/json$", path):
        send_good(c, path)
        return
    time.sleep(max(0, seconds - since))
    answer(c, json.dumps({"Running": False, "Pid": 1, "ExitCode": 5}).encode())


def tail(c, path):
    """Docker from 24 on: between the end of an exec and an answer about it, it drops what nobody took."""
    def say():
        for at in range(0, len(TAIL), 8192):
            c.settimeout(max(0.01, streams[-1] + 4 - time.monotonic()))
            c.sendall(frame(TAIL[at:at + 8192]))
    silent(c, path, 5, say)


def late(c, path):
    """An engine too busy to say for a while how a process ended whose stream is at its end."""
    def say():
        time.sleep(1)
        c.sendall(frame(b"done\n"))
    silent(c, path, 12, say)


terminals, resizes = [], []


def second_resize(c, path):
    """Fails the first resize; what the next one asks for is written on the stream."""
    if path.endswith("/start"):
        terminals.append(c)
    if "/resize" not in path:
        send_good(c, path)
        return
    resizes.append(path)
    if len(resizes) == 1:
        error(c, path)
        return
    send_good(c, path)
    terminals[-1].sendall(path.encode())


def inspected(c, name):
    """What a look at a container of that name says."""
    answer(c, json.dumps({**json.loads(good("/containers/x/json")[1]), "Name": f"/{name}"}).encode())


def owned(c, path, n=1, image_status=200):
    """n containers, each of an image of its own and owned by alice; the images are good or not to be had."""
    if path.startswith("/containers/json"):
        body = json.dumps([{**CONTAINER, "Id": f"{i:064x}", "Names": [f"/fake{i or ''}"], "ImageID": f"sha256:{i:064x}",
                            "Labels": {"jumpbox.owner": "alice"}} for i in range(n)]).encode()
        answer(c, body)
    elif number := re.match(r"/containers/([0-9a-f]{64})/json", path):
        inspected(c, f"fake{int(number[1], 16) or ''}")
    elif path.startswith("/images/") and image_status != 200:
        error(c, path)
    else:
        send_good(c, path)


def many_images(c, path):
    owned(c, path, 300)


def damaged_image(c, path):
    owned(c, path, 1, 500)


asked = set()


def error_once(c, path):
    """The first time that a path is asked, and says what is asked."""
    print(path, flush=True)
    first = path not in asked
    asked.add(path)
    (error if first else send_good)(c, path)


def broken_events(c, path):
    """A stream of events in which everything that can be wrong is, and which ends in the middle of one."""
    if not path.startswith("/events"):
        send_good(c, path)
        return
    def event(action, **more):
        return json.dumps({"status": action, "id": ID, "Type": "container", "Action": action,
                           "Actor": {"ID": ID}, "time": 1, **more}).encode() + b"\n"
    c.sendall(EVENTS + event("start") * 3 + event("teleported") + event("start", time=-1, timeNano=[]) +
              b'{"Type":"container","Action":"die","Actor":{"ID":"../../x"}}\nnull\n[[[\n\xff\n\n' +
              event("start", Attributes={"x": ODD * 1000}) + b"x" * (1 << 19) + b"\n" + event("die")[:40])
    raise ConnectionError


def closed_events(c, path):
    """No event ever arrives: each stream ends as soon as it has begun. Says when."""
    if not path.startswith("/events"):
        send_good(c, path)
        return
    print(time.monotonic(), flush=True)
    c.sendall(EVENTS)
    raise ConnectionError


moved = threading.Event()


def silent_change(c, path):
    """After SIGUSR1 the container has another name, and no event says so."""
    if path.startswith("/containers/json") and moved.is_set():
        answer(c, json.dumps([{**CONTAINER, "Names": ["/moved"]}]).encode())
    elif re.match(r"/containers/[^/]+/json", path) and moved.is_set():
        inspected(c, "moved")
    else:
        send_good(c, path)


def being_renamed(c, path):
    """As Docker is for a moment: the list has the old name, and only a look has the new one."""
    if re.match(r"/containers/[^/]+/json", path):
        inspected(c, "renamed")
    else:
        send_good(c, path)


SCENARIOS = {f.__name__.replace("_", "-"): f for f in (
    send_good, hang, cut, cut_head, close, not_json, wrong_types, deep, big_header, many_headers,
    big_body, slow, drip, error, teapot, old, not_http, odd_names, tail, late, second_resize, many_images,
    damaged_image, error_once, broken_events, closed_events, silent_change, being_renamed)}


def request(c):
    """The path of the next request, its body read and dropped; None at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = c.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head.lower())
    left = int(length[1]) - len(body) if length else 0
    while left > 0:
        more = c.recv(min(left, 65536))
        if not more:
            return None
        left -= len(more)
    return head.split(b" ")[1].decode()


def serve(c, scenario, call):
    try:
        while (path := request(c)) is not None:
            (scenario if call in path else send_good)(c, path)
    except OSError:
        pass
    finally:
        c.close()


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[2] not in SCENARIOS:
        sys.exit(__doc__ + "\nscenarios: " + " ".join(SCENARIOS))
    path, scenario = sys.argv[1], SCENARIOS[sys.argv[2]]
    call = sys.argv[3] if len(sys.argv) > 3 else ""
    if os.path.exists(path):
        os.unlink(path)
    signal.signal(signal.SIGUSR1, lambda *_: moved.set())
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        os.chmod(path, 0o666)
        s.listen(64)
        print("ready", flush=True)
        while True:
            c, _ = s.accept()
            threading.Thread(target=serve, args=(c, scenario, call), daemon=True).start()


if __name__ == "__main__":
    main()
