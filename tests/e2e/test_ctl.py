"""jumpboxctl alone, without a daemon: every command, every exit code, every kind of trouble.

The program is taken from JUMPBOX_BUILD (build/release).  Everything lives in a
temporary directory.  As root the database belongs to user jumpbox, if there is
one, as on an installed machine; otherwise to whoever runs the tests.
"""

import contextlib
import datetime
import fcntl
import json
import os
import pathlib
import pty
import pwd
import re
import select
import shutil
import signal
import socketserver
import sqlite3
import subprocess
import tempfile
import termios
import threading
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
CTL = pathlib.Path(os.environ.get("JUMPBOX_BUILD", TOP / "build/release")).resolve() / "jumpboxctl"
ROOT = os.geteuid() == 0
try:
    OWNER = pwd.getpwnam("jumpbox") if ROOT else pwd.getpwuid(os.geteuid())
except KeyError:
    OWNER = pwd.getpwuid(os.geteuid())
OPERATOR = pwd.getpwuid(os.getuid()).pw_name
PASSWORD = "correct horse"
HASH = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7"

# A process that gave up root cannot be traced by the leak checker.
ENV = {**os.environ, "TZ": "UTC"}
if ROOT:
    ENV["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"


class Site:
    """A configuration and a place for a database."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        os.chmod(self.dir, 0o755)
        self.state = self.dir / "state"
        self.run = self.dir / "run"
        for d in (self.state, self.run):
            d.mkdir()
            os.chown(d, OWNER.pw_uid, OWNER.pw_gid)
        os.chmod(self.state, 0o700)
        self.database = self.state / "jumpbox.db"
        self.conf = self.dir / "jumpbox.conf"
        self.configure()

    def configure(self, **more):
        settings = {"database": self.database, "run-directory": self.run,
                    "host-key": self.state / "ssh_host_ed25519_key",
                    "password-hash": "argon2id,m=8192,t=1,p=1",
                    **{k.replace("_", "-"): v for k, v in more.items()}}
        self.conf.write_text("".join(f"{k} {v}\n" for k, v in settings.items()))

    def argv(self, *args):
        return [str(a) for a in (CTL, "-f", self.conf, *args)]

    def ctl(self, *args, code=0, input="", env=None, **kw):
        """Standard output.  A failure must be one line on standard error."""
        r = subprocess.run(self.argv(*args), input=input.encode(), capture_output=True, timeout=60,
                           env={**ENV, **(env or {})}, start_new_session=True, **kw)
        out, err = r.stdout.decode(), r.stderr.decode()
        assert r.returncode == code, (args, r.returncode, out, err)
        if code:
            assert err.startswith("jumpboxctl: ") and err.count("\n") == 1, err
            if "--json" in args:
                last = json.loads(out.splitlines()[-1])
                assert last["error"]["code"] == code and last["error"]["message"] in err
        self.err = err
        return out

    def fails(self, code, *args, **kw):
        """The sentence on standard error; the same failure with --json."""
        out = self.ctl(*args, code=code, **kw)
        assert out == ""
        sentence = self.err
        self.ctl("--json", *args, code=code, **kw)
        return sentence

    def json(self, *args, **kw):
        return json.loads(self.ctl("--json", *args, **kw))

    def user(self, name, *flags, password=PASSWORD):
        self.ctl("user", "add", name, "--password-stdin", *flags, input=password + "\n")

    def events(self):
        return [json.loads(line) for line in self.ctl("audit", "export").splitlines()]

    @contextlib.contextmanager
    def sql(self):
        db = sqlite3.connect(self.database, timeout=10)
        yield db
        db.commit()
        db.close()

    def leftovers(self):
        """What lies in the state directory beside the database."""
        return sorted(p.name for p in self.state.iterdir() if p.name != self.database.name)


@pytest.fixture
def site():
    directory = tempfile.mkdtemp(prefix="jumpbox-ctl-", dir="/tmp")
    yield Site(directory)
    shutil.rmtree(directory)


@pytest.fixture
def full(site):
    """With an administrator, a user and a group."""
    site.user("root1", "--admin")
    site.user("alice")
    site.ctl("group", "add", "team")
    return site


def make_key(directory, name="id", kind="ed25519"):
    path = pathlib.Path(directory) / name
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", f"{name}@test", "-f", path], check=True)
    return pathlib.Path(f"{path}.pub")


def make_certificates(directory):
    d = pathlib.Path(directory)
    for name in ("one", "two"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", d / f"{name}.key", "-out", d / f"{name}.pem", "-days", "2",
                        "-subj", f"/CN={name}"], check=True, capture_output=True)
    return d


class Handler(socketserver.StreamRequestHandler):
    """Just enough of the Docker API for `node test`."""

    def handle(self):
        while line := self.rfile.readline():
            path = line.split()[1].decode()
            while self.rfile.readline().strip():
                pass
            answer = next((a for p, a in self.server.answers.items() if p in path), {})
            body = json.dumps(answer).encode()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             b"Content-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture
def engine(site):
    """A scripted engine on a unix socket with two containers, one of which means harm to terminals."""
    path = str(site.dir / "engine.sock")
    server = socketserver.ThreadingUnixStreamServer(path, Handler)
    server.daemon_threads = True
    os.chmod(path, 0o666)
    one = {"Id": "a" * 64, "Names": ["/web"], "Image": "debian:12", "ImageID": "sha256:" + "1" * 64,
           "State": "running", "Status": "Up 3 hours", "Labels": {"team": "blue"}, "Created": 1700000000}
    two = {**one, "Id": "b" * 64, "Names": ["/bad"], "Image": "evil\x1b[2J\u202eimage", "Labels": {}}
    started = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=3, minutes=5)
    look = {"Id": "a" * 64, "Name": "/web", "Config": {"Image": "debian:12"}, "State": {
        "Status": "running", "StartedAt": started.isoformat(), "Health": {"Status": "healthy"}}}
    server.answers = {"/version": {"Version": "20.10.24", "ApiVersion": "1.41"},
                      "/containers/json": [one, two],
                      f"/containers/{'a' * 64}/json": look,
                      "/images/": {"Config": {"Labels": {}}}}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"unix://{path}"
    server.shutdown()
    server.server_close()


def commands():
    """{"user add": {"--admin", ...}} from --help."""
    out = subprocess.run([CTL, "--help"], check=True, capture_output=True, env=ENV).stdout.decode()
    lines = re.findall(r"^  ([a-z].*)$", out.split("commands:", 1)[1], re.M)
    found = {}
    for line in lines:
        name = re.match(r"[a-z]+(?: [a-z]+)?(?= |$)", line).group()
        found[name] = set(re.findall(r"--[a-z-]+", line))
    return found


# ---- what there is ---------------------------------------------------------


def test_the_commands_are_the_agreed_ones():
    assert set(commands()) == {
        "user add", "user list", "user show", "user passwd", "user lock", "user unlock", "user del", "user set",
        "unlock", "key add", "key list", "key del", "group add", "group del", "group join", "group leave",
        "group list", "node add", "node set", "node list", "node test", "node enable", "node disable", "node del",
        "grant add", "grant list", "grant del", "container list", "session list", "session kill",
        "session replay", "session watch", "audit list",
        "audit export", "backup", "restore", "check"}


def test_help_of_a_group_and_of_a_command():
    def help(*args):
        return subprocess.run([CTL, *args], check=True, capture_output=True, env=ENV).stdout.decode()
    assert "user passwd NAME" in help("user", "--help") and "node" not in help("user", "--help")
    one = help("key", "add", "--help")
    assert "--from CIDR" in one and "--until WHEN" in one and "key del" not in one
    assert help("-h") == help("--help")


def test_the_help_names_every_setting(full):
    for what, name in (("user", "alice"), ("node", "gpu")):
        if what == "node":
            full.ctl("node", "add", name, "unix:///s")
        known = re.search(r"\((.*)\)", full.fails(65, what, "set", name, "nonsense", "x")).group(1).split()
        shown = full.ctl(what, "set", "--help").split("set ", 2)[2]
        assert len(known) > 5 and [k for k in known if not re.search(rf"\b{k}\b", shown)] == [], shown


def test_every_command_and_flag_is_in_the_manual():
    plain = subprocess.run(["mandoc", "-T", "ascii", "-O", "width=200", TOP / "docs/jumpboxctl.8"],
                           capture_output=True, check=True)
    text = re.sub(r".\x08", "", plain.stdout.decode())
    sections = {}
    name = None
    for line in text.splitlines():
        m = re.match(r"     ((?:[a-z]+ )?[a-z]+)(?= |$)", line)
        if m and m.group(1) in commands():
            name = m.group(1)
        if name:
            sections[name] = sections.get(name, "") + line + "\n"
    for name, flags in commands().items():
        assert name in sections, f"{name} has no entry"
        assert not [f for f in flags if f not in sections[name]], name


# ---- every command, for people and for programs -----------------------------


def test_users(site):
    assert site.ctl("user", "add", "root1", "--admin", "--password-stdin", input=PASSWORD + "\n") == "root1\n"
    assert site.json("user", "add", "alice", "--password-stdin", "--expires", "+30d", "--must-change",
                     input=PASSWORD) == {"name": "alice"}
    assert site.ctl("user", "add", "bob", "--password-hash=" + HASH) == "bob\n"
    users = {u["name"]: u for u in site.json("user", "list")}
    assert list(users) == ["alice", "bob", "root1"]
    assert set(users["bob"]) == {"id", "name", "role", "state", "expires", "must_change", "last_login", "password",
                                 "max_sessions", "language", "menu", "created", "totp", "recovery_codes"}
    assert users["root1"]["role"] == "admin" and users["root1"]["expires"] is None
    assert users["alice"]["must_change"] is True and re.fullmatch(r"\d{4}-.*Z", users["alice"]["expires"])
    assert users["bob"]["password"] == "yescrypt" and users["alice"]["password"] == "argon2id"
    table = site.ctl("user", "list").splitlines()
    assert table[0].split()[:3] == ["NAME", "ROLE", "STATE"] and len(table) == 4
    assert len({line.index(w) for line, w in zip(table, ("ROLE", "user", "user", "admin"))}) == 1
    assert re.search(r"^state: +active$", site.ctl("user", "show", "bob"), re.M)
    site.ctl("user", "lock", "bob")
    assert site.json("user", "show", "bob")["state"] == "locked"
    assert site.json("user", "unlock", "bob") == {"ok": True}
    assert site.json("user", "show", "bob")["state"] == "active"
    for key, value, seen in (("role", "admin", "admin"), ("language", "zh", "zh"), ("menu", "plain", "plain"),
                             ("max-sessions", "7", 7)):
        assert site.ctl("user", "set", "bob", key, value) == ""
        assert site.json("user", "show", "bob")[key.replace("-", "_")] == seen
    site.ctl("user", "set", "bob", "expires", "2020-01-01")
    assert site.json("user", "show", "bob")["state"] == "expired"
    site.ctl("user", "set", "bob", "expires", "never")
    site.json("user", "passwd", "bob", "--password-stdin", input="another horse\n")
    assert site.json("user", "show", "bob")["password"] == "argon2id"
    site.ctl("user", "del", "bob")
    assert [u["name"] for u in site.json("user", "list")] == ["alice", "root1"]


def test_the_last_administrator_may_go_but_not_in_silence(full):
    for args in (("user", "lock", "root1"), ("user", "set", "root1", "role", "user"), ("user", "del", "root1")):
        full.ctl(*args)
        assert full.err.startswith("jumpboxctl: warning: no administrator is left") and full.err.count("\n") == 1
        if args[1] != "del":
            full.ctl("user", "unlock", "root1")
            full.ctl("user", "set", "root1", "role", "admin")
    full.user("root2", "--admin")
    full.user("root3", "--admin")
    full.ctl("user", "del", "root2")
    assert full.err == ""


def test_keys(full):
    pub = make_key(full.dir)
    fingerprint = subprocess.run(["ssh-keygen", "-lf", pub], check=True, capture_output=True).stdout.split()[1].decode()
    assert full.ctl("key", "add", "alice", pub) == fingerprint + "\n"
    full.fails(73, "key", "add", "alice", pub)
    full.ctl("key", "del", "alice", fingerprint)
    full.fails(66, "key", "del", "alice", fingerprint)
    assert full.json("key", "add", "alice", "--from", "192.0.2.0/24,2001:db8::/32", "--until", "+1h",
                     input="\n# comment\n" + pub.read_text()) == {"fingerprint": fingerprint}
    (key,) = full.json("key", "list", "alice")
    assert set(key) == {"fingerprint", "algorithm", "from", "until", "comment", "created", "key", "user"}
    assert key["from"] == "192.0.2.0/24,2001:db8::/32" and key["comment"] == "id@test" and key["user"] == "alice"
    assert fingerprint in full.ctl("key", "list", "alice")
    full.ctl("key", "add", "alice", "-", input=make_key(full.dir, "rsa", "rsa").read_text())
    assert full.json("key", "list", "root1") == []
    full.fails(66, "key", "list", "nobody")
    assert "no such user: nobody" in full.fails(66, "key", "del", "nobody", fingerprint)
    full.fails(66, "key", "add", "nobody", pub)
    for text in ("", "ssh-ed25519 AAAA", "hello world\n", pub.read_text() * 2, "\0",
                 pub.with_suffix("").read_text(), 'command="x" ' + pub.read_text()):
        full.fails(65, "key", "add", "alice", input=text)
    assert "give the file that ends in .pub" in full.fails(65, "key", "add", "alice", input="# nothing\n")
    full.fails(66, "key", "add", "alice", full.dir / "none.pub")
    full.fails(65, "key", "add", "alice", full.dir)
    for wrong in ("10.0.0.0/33", "example.org", "", "10.0.0.0/8,"):
        full.fails(65, "key", "add", "root1", pub, "--from", wrong)
    full.fails(65, "key", "add", "root1", pub, "--until", "2020-01-01")
    full.fails(65, "key", "add", "root1", pub, "--until", "soon")
    full.fails(65, "key", "add", "root1", pub, "--until", "")


def test_groups(full):
    assert full.ctl("group", "add", "ops") == "ops\n"
    assert full.json("group", "add", "idle") == {"name": "idle"}
    for user in ("root1", "alice"):
        full.ctl("group", "join", "ops", user)
    assert full.json("group", "list") == [
        {"name": "idle", "members": ""}, {"name": "ops", "members": "alice,root1"}, {"name": "team", "members": ""}]
    assert re.search(r"^ops +alice,root1$", full.ctl("group", "list"), re.M)
    full.ctl("group", "leave", "ops", "alice")
    full.ctl("group", "del", "idle")
    assert full.json("group", "list")[0] == {"name": "ops", "members": "root1"}
    full.fails(73, "group", "add", "ops")
    full.fails(73, "group", "join", "ops", "root1")
    for args in (("leave", "ops", "alice"), ("join", "ops", "nobody"), ("join", "none", "alice"), ("del", "none")):
        full.fails(66, "group", *args)
    full.fails(65, "group", "add", "No Good")


def test_grants(full):
    assert full.ctl("grant", "add", "alice", "*") == "1\n"
    assert full.json("grant", "add", "@team", "gpu/web-*", "--allow", "shell,exec power", "--as", "app:app",
                     "--until", "2099-01-31T18:00", "--record", "off") == {"id": 2}
    full.ctl("group", "join", "team", "alice")
    full.ctl("grant", "add", "root1", "label:team=blue", "--allow", "files:ro,forward:localhost:80")
    grants = full.json("grant", "list")
    assert [g["id"] for g in grants] == [1, 2, 3]
    assert set(grants[1]) == {"id", "user", "group", "selector", "allow", "run_as", "until", "record", "created"}
    assert grants[0]["user"] == "alice" and grants[0]["group"] is None
    assert grants[0]["allow"] == "shell,exec,files,forward,logs"
    assert (grants[1]["group"], grants[1]["run_as"]) == ("team", "app:app")
    assert grants[1]["until"] == "2099-01-31T18:00:00Z" and grants[1]["record"] == "off" and grants[0]["record"] is None
    assert [g["id"] for g in full.json("grant", "list", "--user", "alice")] == [1, 2]
    assert len(full.ctl("grant", "list").splitlines()) == 4
    full.ctl("grant", "del", "2")
    assert [g["id"] for g in full.json("grant", "list")] == [1, 3]
    full.fails(66, "grant", "del", "2")
    for number in ("x", "0", "1x", ""):
        full.fails(65, "grant", "del", number)
    full.fails(66, "grant", "add", "nobody", "*")
    full.fails(66, "grant", "add", "@nobody", "*")
    full.fails(66, "grant", "list", "--user", "nobody")
    for args in (("",), ("*", "--allow", "fly"), ("*", "--allow", ""), ("*", "--as", "a b"), ("*", "--until", "x"),
                 ("*", "--until", "2020-01-01"), ("*", "--until", ""), ("*", "--record", "maybe")):
        full.fails(65, "grant", "add", "alice", *args)
    known = full.fails(65, "grant", "add", "alice", "*", "--allow", "fly").split("known are ")[1].split()
    assert len(known) == 8
    offered = full.ctl("grant", "add", "--help").replace(",", " ").split()
    assert not [item for item in known if item not in offered]
    assert len(full.json("grant", "list")) == 2


def test_nodes(full):
    d = make_certificates(full.dir)
    tls = ("--ca", d / "one.pem", "--cert", d / "one.pem", "--key", d / "one.key")
    assert full.ctl("node", "add", "gpu", "tcp://192.0.2.1:2376", *tls, "--region", "lab") == "gpu\n"
    assert full.json("node", "add", "here", "unix:///var/run/docker.sock") == {"name": "here"}
    full.ctl("node", "add", "plain", "tcp://192.0.2.2:2375", "--insecure")
    nodes = {n["name"]: n for n in full.json("node", "list")}
    assert set(nodes["gpu"]) == {"id", "name", "state", "enabled", "transport", "url", "region", "last_seen",
                                 "last_error", "insecure", "record", "helper", "state_since"}
    assert [nodes[n]["transport"] for n in ("gpu", "here", "plain")] == ["tls", "unix", "INSECURE"]
    assert nodes["plain"]["insecure"] is True and nodes["gpu"]["region"] == "lab"
    assert "INSECURE" in full.ctl("node", "list")
    full.ctl("node", "disable", "gpu")
    assert full.json("node", "list")[0]["enabled"] is False
    full.ctl("node", "enable", "gpu")
    full.ctl("node", "set", "gpu", "region", "attic")
    full.ctl("node", "set", "gpu", "url", "tcp://192.0.2.9:2376")
    full.ctl("node", "set", "gpu", "cert", d / "two.pem")
    full.ctl("node", "set", "gpu", "key", d / "two.key")
    nodes = full.json("node", "list")
    assert nodes[0]["url"].endswith(".9:2376") and nodes[0]["region"] == "attic"
    # From a socket to TLS and back, a step at a time.
    assert "--ca" in full.fails(65, "node", "set", "here", "url", "tcp://192.0.2.3:2376")
    for key, file in (("ca", "one.pem"), ("cert", "one.pem"), ("key", "one.key")):
        full.ctl("node", "set", "here", key, d / file)
    full.ctl("node", "set", "here", "url", "tcp://192.0.2.3:2376")
    full.fails(65, "node", "set", "here", "url", "unix:///run/docker.sock")
    for key in ("ca", "cert", "key"):
        full.ctl("node", "set", "here", key, "")
    full.ctl("node", "set", "here", "url", "unix:///run/docker.sock")
    assert "set ca, cert and key first" in full.fails(65, "node", "set", "plain", "insecure", "no")
    assert "insecure: yes or no" in full.fails(65, "node", "set", "plain", "insecure", "maybe")
    full.ctl("node", "del", "here")
    # What is refused.
    assert "--insecure" in full.fails(65, "node", "add", "x", "tcp://192.0.2.1:2375")
    junk = full.dir / "junk"
    junk.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
    for bad in (("http://h:1",), ("tcp://h",), ("unix://relative",), ("tcp://h:1", "--ca", d / "one.pem"),
                ("tcp://h:1", "--ca", junk, *tls[2:]), ("tcp://h:1", *tls[:4], "--key", d / "one.pem"),
                ("tcp://h:1", *tls[:4], "--key", d / "two.key"), ("unix:///s", *tls)):
        full.fails(65, "node", "add", "x", *bad)
    full.fails(66, "node", "add", "x", "tcp://h:1", *tls[:4], "--key", d / "none")
    full.fails(65, "node", "add", "No/Name", "unix:///s")
    full.fails(73, "node", "add", "gpu", "unix:///s")
    full.fails(65, "node", "set", "gpu", "colour", "blue")
    full.fails(65, "node", "set", "gpu", "cert", junk)
    for verb in ("del", "enable", "disable", "test"):
        full.fails(66, "node", verb, "none")
    full.fails(66, "node", "set", "none", "region", "x")
    full.fails(66, "node", "set", "none", "url", "unix:///s")
    # The private key went into the database, and nowhere else.
    secret = (d / "two.key").read_text().splitlines()[1]
    assert secret not in full.ctl("audit", "export") + full.ctl("--json", "node", "list")


def test_a_node_is_tested_and_its_containers_listed(full, engine):
    full.ctl("node", "add", "one", engine)
    assert full.json("container", "list") == []
    assert full.ctl("node", "test", "one") == "one: Docker 20.10.24 (API 1.41), 2 containers\n"
    assert full.json("node", "test", "one") == {
        "name": "one", "engine": "Docker", "version": "20.10.24", "api": "1.41", "containers": 2}
    (node,) = full.json("node", "list")
    assert node["state"] == "connected" and node["last_seen"]
    rows = {c["name"]: c for c in full.json("container", "list")}
    assert set(rows["web"]) == {"id", "name", "node", "node_state", "state", "status", "image", "owner", "created",
                                "seen", "labels", "service", "ports", "gpus", "health", "exit_code", "oom", "started",
                                "finished"}
    assert rows["web"]["service"] is None and rows["web"]["gpus"] is None  # as all that is not set
    assert rows["web"]["status"] == "Up 3 hours (healthy)" and json.loads(rows["web"]["labels"]) == {"team": "blue"}
    # Foreign text: exact for programs (and in ASCII), harmless for people.
    assert rows["bad"]["image"] == "evil\x1b[2J\u202eimage"
    for out in (full.ctl("container", "list"), full.ctl("--json", "container", "list")):
        assert "\x1b" not in out and "\u202e" not in out
    # As a user may reach them.
    assert full.json("container", "list", "--user", "alice") == []
    full.ctl("grant", "add", "alice", "label:team=blue", "--allow", "shell,exec", "--as", "app")
    (row,) = full.json("container", "list", "--user", "alice")
    assert (row["name"], row["allow"], row["run_as"]) == ("web", "shell,exec", "app")
    heading, line = full.ctl("container", "list", "--user", "alice").splitlines()
    assert heading.split()[-2:] == ["ALLOW", "RUN-AS"] and line.split()[-2:] == ["shell,exec", "app"]
    full.ctl("grant", "del", "1")
    full.ctl("grant", "add", "alice", "label:team=blue", "--allow", "exec", "--as", "runner")
    assert [(c["allow"], c["run_as"]) for c in full.json("container", "list", "--user", "alice")] == [("exec", "runner")]
    assert len(full.json("container", "list", "--user", "root1")) == 2
    full.ctl("user", "lock", "alice")
    assert full.json("container", "list", "--user", "alice") == []
    assert "alice reaches nothing now" in full.err and full.err.count("\n") == 1
    full.fails(66, "container", "list", "--user", "nobody")
    full.ctl("node", "disable", "one")
    assert full.json("container", "list") == []


def test_a_node_that_does_not_answer(full):
    full.ctl("node", "add", "gone", f"unix://{full.dir}/none.sock")
    sentence = full.fails(69, "node", "test", "gone")
    assert "gone" in sentence and str(full.dir) not in sentence
    (node,) = full.json("node", "list")
    assert node["state"] == "failed" and node["last_error"] in sentence


def add_session(site, user="alice", pid=None, ended=0):
    stat = pathlib.Path(f"/proc/{pid or os.getpid()}/stat").read_text()
    with site.sql() as db:
        db.execute("insert into sessions (conn, user_name, source, method, host, boot_id, pid, pid_start, started,"
                   " ended, how) values (?,?,?,?,?,?,?,?,?,?,?)",
                   (0xABCDEF, user, "192.0.2.7", "password", os.uname().nodename,
                    pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip(), pid or os.getpid(),
                    int(stat.rsplit(")", 1)[1].split()[19]), 1700000000, ended, "logout" if ended else None))


def test_sessions(full):
    add_session(full)
    add_session(full, ended=1700000100)
    (live,) = full.json("session", "list")
    assert set(live) == {"id", "user", "source", "method", "container", "started", "ended", "how", "bytes_in",
                         "bytes_out", "conn", "host", "pid", "kill_reason", "recordings"}
    assert live["user"] == "alice" and live["ended"] is None and live["conn"] == "0000000000abcdef"
    assert [s["how"] for s in full.json("session", "list", "--all")] == [None, "logout"]
    with full.sql() as db:  # closed attaches: where the ended one was last, and the live one was
        for session, name in ((1, "web"), (2, "db"), (2, "web")):
            db.execute("insert into attaches (session_id, conn, request, marker, node_id, node, container_id, container,"
                       " kind, tty, opened, closed) values (?, 1, 1, 'm', 1, 'gpu', 'c', ?, 'shell', 1, 1, 2)",
                       (session, name))
    assert [s["container"] for s in full.json("session", "list", "--all")] == [None, "gpu/web"]
    assert len(full.ctl("session", "list", "--all").splitlines()) == 3
    full.ctl("session", "kill", "1", "--reason", "tea time")
    assert full.json("session", "list")[0]["kill_reason"] == "tea time"
    full.fails(66, "session", "kill", "2")
    full.fails(66, "session", "kill", "99")
    full.fails(65, "session", "kill", "alice")
    full.fails(65, "session", "kill", "1", "--reason", "x" * 300)
    for later in ("replay", "watch"):
        full.fails(64, "session", later, "1")


def test_back_off_is_lifted(full):
    future = int(time.time()) + 200
    with full.sql() as db:
        for what in ("source:192.0.2.7", "source:2001:db8::/64", "user:alice"):
            db.execute("insert into login_failures values (?, 9, ?, ?)", (what, future - 210, future))
    full.ctl("unlock", "--source", "::ffff:192.0.2.7")
    assert full.json("unlock", "--source", "2001:DB8:0::1") == {"ok": True}
    full.ctl("user", "unlock", "alice")
    with full.sql() as db:
        assert db.execute("select count(*) from login_failures").fetchone() == (0,)
    full.fails(66, "unlock", "--source", "192.0.2.7")
    full.fails(65, "unlock", "--source", "example.org")
    full.fails(64, "unlock")


def test_audit(full):
    full.ctl("user", "set", "alice", "menu", "plain")
    events = full.events()
    assert [e["event"] for e in events] == ["user.add", "user.add", "group.add", "user.set"]
    assert [e["id"] for e in events] == [1, 2, 3, 4]
    assert set(events[0]) == {"id", "at", "event", "actor", "source", "conn", "user", "target", "detail"}
    assert events[0]["source"] == "local" and events[0]["actor"].startswith(f"operator:{OPERATOR}(uid {os.getuid()}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", events[0]["at"])
    assert full.json("audit", "list") == events
    assert [e["event"] for e in full.json("audit", "list", "--limit", "2")] == ["group.add", "user.set"]
    assert [e["id"] for e in full.json("audit", "list", "--user", "alice")] == [2, 4]
    assert full.json("audit", "list", "--since", "-1h") == events
    assert full.json("audit", "list", "--since", "2099-01-01") == []
    assert len(full.ctl("audit", "list").splitlines()) == 5
    full.fails(65, "audit", "list", "--since", "yesterday")
    full.fails(65, "audit", "list", "--since", "-")
    full.fails(65, "audit", "list", "--limit", "0")


def test_the_audit_names_who_was_before_sudo(site):
    site.ctl("user", "add", "root1", "--admin", "--password-stdin", input=PASSWORD, env={"SUDO_USER": "bob\x1b"})
    actor = site.events()[0]["actor"]
    # Only sudo itself can set it for root; anybody else may say anything.
    assert ("sudo bob" in actor) == ROOT
    assert "\x1b" not in site.ctl("audit", "list")


# ---- options and exit codes -------------------------------------------------


def test_globals_stand_anywhere_and_both_spellings_of_a_value_work(site):
    site.user("alice")
    want = site.json("user", "show", "alice")
    for args in (("--json", "-f", site.conf, "user", "show", "alice"), ("user", "--json", "show", "-f", site.conf, "alice"),
                 ("-f", site.conf, "user", "show", "--json", "--", "alice"), ("user", "show", "alice", "--json", f"-f={site.conf}")):
        r = subprocess.run([str(a) for a in (CTL, *args)], check=True, capture_output=True, env=ENV)
        assert json.loads(r.stdout) == want


def test_usage_errors(site):
    for args in ((), ("frob",), ("user",), ("user", "frob"), ("user", "add"), ("user", "add", "a", "b"), ("user", "list", "x"),
                 ("user", "add", "a", "--frob"), ("--frob",), ("user", "add", "a", "--expires"),
                 ("user", "add", "a", "--admin=yes"), ("user", "add", "a", "--admin", "--admin"), ("unlock",),
                 ("user", "add", "a", "--password-stdin", "--password-hash", "x"), ("grant", "del", "-1")):
        site.fails(64, *args)
    assert not site.database.exists()
    # --json behind the mistake counts too.
    r = subprocess.run(site.argv("user", "frob", "--json"), capture_output=True, env=ENV)
    assert r.returncode == 64 and json.loads(r.stdout)["error"]["code"] == 64


def test_unacceptable_values(full):
    for password in ("", "short", "alice2", "x" * 1025, "nul\0nul\0nul"):
        full.fails(65, "user", "add", "alice2", "--password-stdin", input=password + "\n")
    full.fails(65, "user", "add", "longenough", "--password-stdin", input="longenough\n")
    full.fails(65, "user", "add", "eve", "--password-stdin", input="")
    for name in ("Alice", "a b", "", "-", "x" * 33, "a/b", "a+b"):
        full.fails(65, "user", "add", "--password-stdin", "--", name, input=PASSWORD)
    for hash in ("", "secret", "$1$abcdefgh$0123456789abcdef012345", "abJnggxhB/yWI", "x" * 400):
        full.fails(65, "user", "add", "eve", "--password-hash", hash)
    full.fails(65, "user", "add", "eve", "--password-stdin", "--expires", "2020-01-01", input=PASSWORD)
    full.fails(65, "user", "add", "eve", "--password-stdin", "--expires", "", input=PASSWORD)
    for key, value in (("role", "king"), ("colour", "blue"), ("max-sessions", "x"), ("menu", "wide")):
        full.fails(65, "user", "set", "alice", key, value)
    assert len(full.json("user", "list")) == 2


def test_no_such_user_and_there_already(full):
    full.fails(73, "user", "add", "alice", "--password-stdin", input=PASSWORD)
    for args in (("show",), ("lock",), ("unlock",), ("del",), ("passwd", "--password-stdin")):
        full.fails(66, "user", args[0], "nobody", *args[1:], input=PASSWORD)
    full.fails(66, "user", "set", "nobody", "role", "user")


def test_a_bad_configuration(site):
    site.user("alice")
    site.conf.write_text("database /x\nport many\n")
    assert f"{site.conf}:2:" in site.fails(78, "user", "list")
    for keyword in ("banner", "motd"):
        site.configure(**{keyword: site.dir / "none"})
        assert f"{keyword} {site.dir}/none: No such file" in site.fails(78, "check")
    site.conf.unlink()
    site.fails(78, "check")


# ---- passwords ---------------------------------------------------------------


class Terminal:
    """The program with a controlling terminal of its own, whose other end stays open here."""

    def __init__(self, argv):
        self.fd, self.slave = pty.openpty()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.fd)
            os.login_tty(self.slave)
            os.execve(argv[0], argv, ENV)
        self.seen = b""

    def until(self, text):
        deadline = time.monotonic() + 30
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.fd], [], [], 1)[0]:
                self.seen += os.read(self.fd, 4096)

    def type(self, text):
        os.write(self.fd, text)

    def echo(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def finish(self):
        """The exit status, or minus the signal."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        while select.select([self.fd], [], [], 0)[0]:
            self.seen += os.read(self.fd, 4096)
        assert self.echo()
        os.close(self.fd)
        os.close(self.slave)
        return status


def test_the_password_is_asked_twice_without_echo(site):
    t = Terminal(site.argv("user", "add", "alice"))
    t.until(b"New password for alice: ")
    assert not t.echo()
    t.type(b"correct horse\n")
    t.until(b"The same again: ")
    t.type(b"correct horse\n")
    t.until(b"\nalice\r\n")
    assert t.finish() == 0 and b"correct" not in t.seen
    assert [u["name"] for u in site.json("user", "list")] == ["alice"]


@pytest.mark.parametrize("typed, sentence", (
    ((b"correct horse\n", b"correct house\n"), b"differ"), ((b"short\n",), b"8"), ((b"\x04",), b"no password")))
def test_a_password_that_is_no_good_on_the_terminal(site, typed, sentence):
    t = Terminal(site.argv("user", "add", "alice"))
    for prompt, text in zip((b"alice: ", b"again: "), typed):
        t.until(prompt)
        t.type(text)
    t.until(sentence)
    assert t.finish() == 65
    assert not site.database.exists()


def test_interrupting_the_prompt_gives_the_echo_back(site):
    for _ in range(10):  # the signal may come at any moment after the prompt
        t = Terminal(site.argv("user", "add", "alice"))
        t.until(b"alice: ")
        t.type(b"\x03")
        assert t.finish() == -signal.SIGINT
    assert not site.database.exists()


def test_without_a_terminal_there_is_nobody_to_ask(site):
    assert "--password-stdin" in site.fails(64, "user", "add", "alice", input=PASSWORD)
    site.user("alice")
    site.fails(64, "user", "passwd", "alice", input=PASSWORD)


def test_only_the_first_line_is_the_password(site):
    """Two commands may share one standard input."""
    script = "; ".join(f"'{CTL}' -f '{site.conf}' user add {n} --password-stdin" for n in ("ann", "ben"))
    subprocess.run(["sh", "-ec", script], input=b"horse of ann\r\nhorse of ben\n", check=True, env=ENV,
                   capture_output=True)
    assert len(site.json("user", "list")) == 2


def test_secrets_are_printed_nowhere(full):
    full.ctl("user", "passwd", "alice", "--password-stdin", input="sesame sesame\n")
    with full.sql() as db:
        (stored,) = db.execute("select hash from users where name='alice'").fetchone()
    assert stored.startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    out = "".join(full.ctl(*a) for a in (("--json", "user", "list"), ("user", "show", "alice"), ("audit", "export"),
                                         ("--json", "check")))
    assert "sesame" not in out and stored not in out and stored[-20:] not in out


# ---- the database in trouble -------------------------------------------------


def test_files_belong_to_the_owner_of_the_directory(site):
    site.user("alice")
    st = site.database.stat()
    assert (st.st_uid, st.st_mode & 0o777) == (OWNER.pw_uid, 0o600)
    site.ctl("backup", site.dir / "copy")
    st = (site.dir / "copy").stat()
    assert (st.st_uid, st.st_mode & 0o777) == (os.geteuid(), 0o600)
    assert site.leftovers() == []


def test_no_database_yet(site):
    """Only what can be first makes one."""
    for args in (("user", "list"), ("user", "del", "x"), ("grant", "add", "x", "*"), ("backup", site.dir / "b"),
                 ("audit", "export")):
        site.fails(69, *args)
    assert not site.database.exists() and not (site.dir / "b").exists()
    site.ctl("node", "add", "one", "unix:///run/docker.sock")
    assert site.database.exists()


def test_a_corrupt_database(full):
    size = full.database.stat().st_size
    with open(full.database, "r+b") as f:
        f.seek(4096)
        f.write(os.urandom(size - 4096))
    assert "restore" in full.fails(69, "user", "list")
    out, code, _ = run_check(full)
    assert code == 69 and "BAD" in out
    full.database.write_bytes(b"not a database at all" * 1000)
    full.fails(69, "user", "list")
    full.fails(69, "user", "add", "bob", "--password-stdin", input=PASSWORD)


def test_a_newer_schema(full):
    with full.sql() as db:
        db.execute("pragma user_version = 9999")
    assert "9999" in full.fails(69, "user", "list")


def test_a_directory_that_is_missing_or_not_writable(site):
    site.configure(database=site.dir / "none" / "jumpbox.db")
    site.fails(69, "user", "add", "alice", "--password-stdin", input=PASSWORD)
    site.configure()
    if ROOT and OWNER.pw_uid == 0:
        pytest.skip("root may write everywhere")
    os.chmod(site.state, 0o500)
    assert "writable" in site.fails(69, "user", "add", "alice", "--password-stdin", input=PASSWORD)
    os.chmod(site.state, 0o700)


def test_a_locked_database(full):
    with full.sql() as db:
        db.execute("begin immediate")
        assert "busy" in full.ctl("user", "lock", "alice", code=69) + full.err
        assert len(full.json("user", "list")) == 2
        db.rollback()
    full.ctl("user", "lock", "alice")


def test_two_at_once(site):
    """Also the first two ever: both may make the database."""
    argv = [site.argv("user", "add", f"user{i}", "--password-stdin") for i in range(8)]
    running = [subprocess.Popen(a, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV) for a in argv]
    for p in running:
        p.stdin.write(PASSWORD.encode() + b"\n")
        p.stdin.close()
    assert [p.wait(60) for p in running] == [0] * 8
    for p in running:
        p.stdout.close()
    assert len(site.json("user", "list")) == 8
    assert [e["id"] for e in site.events()] == list(range(1, 9))
    same = [subprocess.Popen(site.argv("group", "add", "team"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
            for _ in range(2)]
    assert sorted(p.wait(60) for p in same) == [0, 73]
    for p in same:
        p.communicate()


def test_lost_output_is_a_failure(full):
    with open("/dev/full", "w") as nowhere:
        for args in (("user", "list"), ("audit", "export"), ("--json", "grant", "list")):
            r = subprocess.run(full.argv(*args), stdout=nowhere, stderr=subprocess.PIPE, env=ENV)
            assert r.returncode == 69 and r.stderr.count(b"\n") == 1, (args, r)


# ---- backup and restore ------------------------------------------------------


def test_backup_and_restore(full):
    copy = full.dir / "copy"
    assert full.ctl("backup", copy) == ""
    full.fails(73, "backup", copy)
    full.fails(65, "backup", full.dir / "none" / "copy")
    full.ctl("user", "del", "alice")
    full.user("later")
    assert full.json("restore", copy) == {"ok": True}
    assert [u["name"] for u in full.json("user", "list")] == ["alice", "root1"]
    assert full.events()[-1]["event"] == "database.restore" and full.leftovers() == []
    st = full.database.stat()
    assert (st.st_uid, st.st_mode & 0o777) == (OWNER.pw_uid, 0o600)
    # Onto a database that is gone or damaged, and a log that must not be believed.
    full.database.write_bytes(b"ruins" * 4000)
    (full.state / "jumpbox.db-wal").write_bytes(b"old log" * 1000)
    full.ctl("restore", copy)
    assert len(full.json("user", "list")) == 2 and full.leftovers() == []
    full.database.unlink()
    full.ctl("restore", copy)
    assert "unbroken" in run_check(full)[0]


def test_what_is_not_restored(full):
    copy = full.dir / "copy"
    full.ctl("backup", copy)
    good = copy.read_bytes()
    full.user("later")
    before = full.json("user", "list")

    def refused(code, *words):
        sentence = full.fails(code, "restore", copy)
        assert all(w in sentence for w in words), sentence
        assert full.json("user", "list") == before and full.leftovers() == []

    copy.write_bytes(good[:4096] + os.urandom(len(good) - 4096))
    refused(65, str(copy), "nothing was changed")
    copy.write_bytes(good[:len(good) // 2])
    refused(65)
    copy.write_bytes(b"")
    refused(65)
    copy.write_bytes(b"text\n" * 2000)
    refused(65)
    copy.write_bytes(good)
    with contextlib.closing(sqlite3.connect(copy)) as db:
        db.execute("pragma journal_mode=delete")
        db.execute("pragma user_version = 9999")
    refused(65, "9999")
    copy.write_bytes(good)
    tamper(copy)
    refused(65, "audit")
    for name, statement in (("other", "create table t (x)"), ("hollow", "vacuum")):
        with contextlib.closing(sqlite3.connect(full.dir / name)) as db:
            db.execute(statement)
            db.commit()
        full.fails(65, "restore", full.dir / name)
    full.fails(66, "restore", full.dir / "none")
    full.fails(65, "restore", full.dir)
    copy.write_bytes(good)
    pathlib.Path(f"{copy}-wal").write_bytes(b"x")
    refused(65, "backup")


def test_restore_while_the_daemon_runs(full):
    copy = full.dir / "copy"
    full.ctl("backup", copy)
    pidfile = full.run / "jumpboxd.pid"
    with open(pidfile, "w") as f:
        os.chmod(pidfile, 0o644)
        fcntl.flock(f, fcntl.LOCK_EX)
        assert "running" in full.fails(69, "restore", copy)
        fcntl.flock(f, fcntl.LOCK_UN)
        fcntl.lockf(f, fcntl.LOCK_EX)
        assert "running" in full.fails(69, "restore", copy)
    full.ctl("restore", copy)
    # A session that outlived its daemon.
    add_session(full)
    assert "session 1 is still live" in full.fails(69, "restore", copy)
    full.ctl("session", "kill", "1")
    with full.sql() as db:
        db.execute("update sessions set pid_start = 1")
    full.ctl("restore", copy)
    # Somebody who is no session.
    with full.sql() as db:
        db.execute("update users set max_sessions = 5")
        db.commit()
        assert "has the database open" in full.fails(69, "restore", copy)


def test_an_interrupted_backup_leaves_nothing(full):
    """Killed in the middle, or its disk full: no half of a copy is taken for a whole one."""
    copy = full.dir / "copy"
    with full.sql() as db:
        db.execute("create table ballast (x)")
        db.execute("insert into ballast select randomblob(1000000) from (with recursive n(i) as"
                   " (select 1 union all select i+1 from n where i < 60) select i from n)")
    p = subprocess.Popen(full.argv("backup", copy), env=ENV, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 30
    while not list(full.state.glob("*.backup-*")) and p.poll() is None:
        assert time.monotonic() < deadline
    p.send_signal(signal.SIGTERM)
    assert p.wait(30) in (-signal.SIGTERM, 0)
    p.stderr.close()
    if copy.exists():  # it was whole already
        with contextlib.closing(sqlite3.connect(copy)) as db:
            assert db.execute("select count(*) from ballast").fetchone() == (60,)
    else:
        assert p.returncode
    assert not list(full.state.glob("*.backup-*"))
    copy.unlink(missing_ok=True)
    # A limit on file sizes stands for a full disk.
    r = subprocess.run(["sh", "-c", 'trap "" XFSZ; ulimit -f 4000; exec "$@"', "sh", *full.argv("backup", copy)],
                       capture_output=True, env=ENV)
    assert r.returncode == 69 and r.stderr.count(b"\n") == 1, r
    assert not copy.exists() and not list(full.state.glob("*.backup-*"))


# ---- check -------------------------------------------------------------------


def run_check(site, *flags):
    r = subprocess.run(site.argv(*flags, "check"), capture_output=True, timeout=60, env=ENV)
    return r.stdout.decode(), r.returncode, r.stderr.decode()


def tamper(path, statement="update audit set actor='mallory' where id=2"):
    with contextlib.closing(sqlite3.connect(path)) as db:
        triggers = db.execute("select name, sql from sqlite_master where type='trigger' and tbl_name='audit'").fetchall()
        for name, _ in triggers:
            db.execute(f"drop trigger {name}")
        db.execute(statement)
        for _, sql in triggers:
            db.execute(sql)
        db.commit()


def test_check_of_a_good_machine(full, engine):
    full.ctl("node", "add", "one", engine)
    full.ctl("node", "add", "off", f"unix://{full.dir}/none.sock")
    full.ctl("node", "disable", "off")
    out, code, err = run_check(full)
    assert (code, err) == (0, "") and all(line.startswith("ok ") for line in out.splitlines()), out
    rows = json.loads(run_check(full, "--json")[0])
    assert {r["check"] for r in rows} == {"configuration", "database", "audit", "host key", "users", "recordings", "node"}
    assert all(set(r) == {"check", "name", "ok", "code", "message"} and r["ok"] and r["code"] == 0 for r in rows)


def test_check_names_what_is_wrong_and_its_code(full):
    full.ctl("node", "add", "gone", f"unix://{full.dir}/none.sock")
    out, code, err = run_check(full)
    assert code == 69 and err == "" and re.search(r"^BAD  node gone: ", out, re.M)
    full.ctl("node", "del", "gone")
    full.ctl("user", "lock", "root1")
    out, code, _ = run_check(full)
    assert code == 66 and "user add NAME --admin" in out
    key = full.state / "ssh_host_ed25519_key"
    key.write_text("damaged")
    os.chmod(key, 0o600)
    os.chown(key, OWNER.pw_uid, OWNER.pw_gid)
    out, code, _ = run_check(full, "--json")
    assert code == 78
    assert [r["check"] for r in json.loads(out) if not r["ok"]] == ["host key", "users"]


@pytest.mark.parametrize("statement", (
    "update audit set actor='mallory' where id=2", "update audit set detail=null where id=1",
    "delete from audit where id=2", "delete from audit where id=3"))
def test_an_audit_edited_offline_is_found(full, statement):
    assert run_check(full)[1] == 0
    tamper(full.database, statement)
    out, code, _ = run_check(full)
    assert code == 65 and re.search(r"^BAD  audit: ", out, re.M), out


def test_check_before_anything(site):
    out, code, err = run_check(site)
    assert code == 69 and err == "" and re.search(r"^BAD  database: ", out, re.M)
