"""An engine that has whatever containers a test says, in this process: for screens that are compared with kept ones."""

import http.server
import json
import os
import socketserver
import threading
import time
import urllib.parse

DAY = 86400


def container(n, name, state="running", image="nginx:1", days=3, **more):
    """As an engine lists one; it has been as it is for some days."""
    since = int(time.time()) - days * DAY - 600
    words = {"running": f"Up {days} days", "paused": f"Up {days} days (Paused)", "created": "Created",
             "exited": f"Exited (3) {days} days ago"}
    return {"Id": f"{n:064x}", "Names": ["/" + name], "Image": image, "ImageID": f"sha256:{n:064x}", "State": state,
            "Status": words.get(state, state), "Labels": {}, "Created": since, "Ports": [], **more}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Starting and the like."""
        fleet = self.server.fleet
        path = self.path.split("?")[0]
        fleet.asked.append(path.split("/")[-1])
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer({"message": fleet.error}, 500) if fleet.error else self.answer(None, 204)

    def do_GET(self):
        fleet = self.server.fleet
        path = self.path.split("?")[0]
        if "/containers/" in path and not path.endswith("/containers/json"):
            fleet.asked.append("inspect" if path.endswith("/json") else path.split("/")[-1])
            fleet.gate.wait(30)
            if fleet.error and not path.endswith("/json"):
                self.answer({"message": fleet.error}, 500)
                return
        if path.endswith("/events"):
            self.events(fleet)
        elif path.endswith("/version"):
            self.answer({"Version": "20.10.24", "ApiVersion": "1.41", "Components": []})
        elif path.endswith("/containers/json"):
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            ids = json.loads(query.get("filters", ["{}"])[0]).get("id")
            self.answer([r for r in fleet.rows if not ids or any(i in r["Id"] for i in ids)])
        elif "/containers/" in path:
            rows = [r for r in fleet.rows if r["Id"] == path.split("/containers/")[1].split("/")[0]]
            self.answer(rows and {**inspected(rows[0]), **fleet.now}, 200 if rows else 404)
        elif "/images/" in path:
            self.answer({"Config": {"Labels": {}}})
        else:
            self.answer({})

    def events(self, fleet):
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        seen = len(fleet.changed)
        while not fleet.closing.is_set():
            with fleet.news:
                fleet.news.wait_for(lambda: len(fleet.changed) > seen or fleet.closing.is_set())
                ids, seen = fleet.changed[seen:], len(fleet.changed)
            for i in ids:
                self.wfile.write(json.dumps({"Type": "container", "Action": "rename", "id": i, "status": "rename",
                                             "Actor": {"ID": i}, "time": int(time.time())}).encode() + b"\n")
            self.wfile.flush()
        self.close_connection = True

    def answer(self, body, status=200):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self):
        return "-"

    def log_message(self, *args):
        pass


def inspected(row):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row["Created"]))
    return {"Id": row["Id"], "Name": row["Names"][0], "Image": row["ImageID"], "Created": at,
            "State": {"Status": row["State"], "Running": row["State"] == "running", "StartedAt": at, "FinishedAt": at,
                      "ExitCode": 3 if row["State"] == "exited" else 0, "OOMKilled": False},
            "Config": {"Image": row["Image"], "Labels": row["Labels"]}, "HostConfig": {"PidMode": ""}}


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that has gone


class Fleet:
    """An engine on a unix socket; what it has is `rows`."""

    certs = None

    def __init__(self, path, rows=()):
        self.rows = list(rows)
        self.closing = threading.Event()
        self.news = threading.Condition()
        self.changed = []  # ids, as events told them
        self.asked = []  # what was asked about one container: inspect (by its watcher, too), logs, stop, ...
        self.gate = threading.Event()  # cleared: what is asked about one is answered once it is set
        self.gate.set()
        self.now = {}  # what inspect says otherwise than the list, of which no event has told
        self.error = None  # what it says of whatever is to be done
        self.url = f"unix://{path}"
        self.server = Server(str(path), Handler)
        self.server.fleet = self
        os.chmod(path, 0o666)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def become(self, rows):
        """Other containers from now on, as events tell whoever listens."""
        before = {r["Id"]: r for r in self.rows}
        self.rows = list(rows)
        after = {r["Id"]: r for r in self.rows}
        with self.news:
            self.changed += [i for i in {**before, **after} if before.get(i) != after.get(i)]
            self.news.notify_all()

    def stop(self):
        with self.news:
            self.closing.set()
            self.news.notify_all()
        self.server.shutdown()
        self.server.server_close()
        os.unlink(self.server.server_address)
