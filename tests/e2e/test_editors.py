"""Stand-ins for editors that open folders on a host: VS Code Remote-SSH, open-remote-ssh, Zed, JetBrains Gateway.

The editors' own code is not here; what they ask of the server is: their command
lines, their order of requests, and a server left running in the container.
Each stand-in meets a real sshd in such a container first (`sshd`), then a jump
host, and cannot tell which it is.
"""

import asyncio
import base64
import contextlib
import copy
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import paramiko
import pytest
import socks
import websockets

from far import PASSWORD, Far
from lab import HERE, IMAGES, SLOW, free_port, read_all, run, wait_for
from test_carried import helpers

EDITORS = HERE / "editors"
BOOTSTRAP = (EDITORS / "bootstrap.sh").read_text()
PLAIN = pytest.mark.parametrize("far", ("sshd", "docker", "alpine"), indirect=True)  # what needs no more than busybox
EVERYWHERE = pytest.mark.parametrize("far", ("sshd", "docker", "podman"), indirect=True)
OURS = pytest.mark.parametrize("far", ("docker", "podman"), indirect=True)  # what an sshd has no part like
MANY = ("--connect-timeout", "30", "--max-time", "120", "--silent", "--show-error", "--fail")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """What an editor fetches on its own machine and copies to the host, of each system: an archive, an empty file."""
    made = {}
    for system, program in (("debian", "server.py"), ("alpine", "server.sh")):
        directory = tmp_path_factory.mktemp(system)
        shutil.copy(EDITORS / program, directory / "server")
        made[system] = directory / "server.tar.gz"
        run("tar", "-czf", made[system], "-C", directory, "server")
        (directory / "server.tar.gz.done").write_bytes(b"")
    return made


class Window:
    """A window of VS Code: the connection whose bootstrap starts the server or finds it, and what that printed."""

    def __init__(self, workspace, *options, dialogue=False, where="0", alias="far", forward=True, beat=1):
        self.workspace, self.far = workspace, workspace.far
        self.id = uuid.uuid4().hex[:12]
        self.port = free_port()
        self.began = time.monotonic()
        self.out = b""
        if forward:
            options = ("-D", self.port, *options)
        how = ("-v", "-T") if dialogue else ("-T",)
        # The editor beats each 180 s; a shorter one shows sooner that nobody listens.
        self.script = f"id={self.id} dir={workspace.dir} where={where} beat={beat}\n{BOOTSTRAP}".encode()
        self.ssh = self.far.popen(*how, *options, "-o", "ConnectTimeout=15", alias, *(() if dialogue else ("sh",)),
                                  stderr=subprocess.DEVNULL)
        os.set_blocking(self.ssh.stdout.fileno(), False)
        if dialogue:  # a message of the day may come first
            self.ask(f"echo 'ready: {self.id}'", f"ready: {self.id}\n".encode())
        else:
            self.ssh.stdin.write(self.script)
            self.ssh.stdin.close()

    def until(self, what, seconds=30):
        """All that was printed up to and with `what`, a pattern, which is then taken."""
        def look():
            select.select([self.ssh.stdout], [], [], 1)
            self.out += self.ssh.stdout.read() or b""
            assert self.ssh.poll() is None or re.search(what, self.out), f"ssh ended, and said {self.out}"
            return re.search(what, self.out)
        found = wait_for(look, seconds, f"{what} of the host")
        text, self.out = self.out[:found.end()], self.out[found.end():]
        return text

    def ask(self, line, what):
        self.ssh.stdin.write(line.encode() + b"\n")
        self.ssh.stdin.flush()
        return self.until(what)

    def bootstrap(self, archive=None):
        """Up to the address of the server. Not one byte may come that the script did not print."""
        name = self.id.encode()
        said = self.until(b"%s: running\n" % name)
        assert time.monotonic() - self.began < 15 * SLOW, "the editor has given up"
        said += self.until(b"%s%%%%1%%%%\n" % name)
        assert said == b"%s: running\n%s%%%%1%%%%\n" % (name, name)
        said = self.until(b"(destFolder==.*==|%s: end)\n" % name, 60)
        if b"trigger" in said:
            m = re.fullmatch(rb"%s:trigger_server_download\n%s:osReleaseId==(\w+)==\n%s:destFolder==%s==\n"
                             % (name, name, name, self.workspace.dir.encode()), said)
            assert m, said
            self.workspace.copy(archive[m[1].decode()])
            said = self.until(b"%s: end\n" % name, 60)
        m = re.fullmatch(rb"%s: start\nlisteningOn==(.+)==\nshell==(\d+)==\nserver==(\d+)==\n%s: end\n"
                         % (name, name), said)
        assert m, said
        self.where = m[1].decode()
        self.shell, self.server = int(m[2]), int(m[3])
        return self

    # ---- what the editor does then

    def curl(self, path):
        return [*("curl", *MANY), "--socks5", f"127.0.0.1:{self.port}", f"http://127.0.0.1:{self.where}{path}"]

    def get(self, path):
        return run(*self.curl(path), timeout=120).stdout

    def socket(self):
        return socks.create_connection(("127.0.0.1", int(self.where)), timeout=30 * SLOW, proxy_type=socks.SOCKS5,
                                       proxy_addr="127.0.0.1", proxy_port=self.port)

    def kill(self):
        self.ssh.kill()
        self.ssh.wait(10)


class Workspace:
    """A directory of an editor's server on the host, and the windows that use it."""

    def __init__(self, far):
        self.far, self.dir, self.windows = far, f"/tmp/editor-{uuid.uuid4().hex[:8]}", []

    def window(self, *options, **kw):
        self.windows.append(Window(self, *options, **kw))
        return self.windows[-1]

    def copy(self, archive):
        """The third connection: into a directory that exists, the empty file last."""
        run(*self.far.argv("scp", "-o", "ConnectTimeout=15", archive, f"{archive}.done", f"far:{self.dir}"))

    def close(self):
        for w in self.windows:
            w.kill()
        servers = [pid for pid, command in self.far.pids().items() if f"{self.dir}/server" in command]
        if servers:
            self.far.exec("kill", *map(str, servers), check=False)


@pytest.fixture
def workspace(far):
    w = Workspace(far)
    yield w
    w.close()


async def chat(sock, rounds, size=1000):
    """A WebSocket of the editor's: messages there and back."""
    async with websockets.connect("ws://127.0.0.1/ws", sock=sock, max_size=None, compression=None,
                                  open_timeout=60 * SLOW) as ws:
        for i in range(rounds):
            message = bytes([i % 256]) * size
            await ws.send(message)
            assert await asyncio.wait_for(ws.recv(), 60 * SLOW) == message
    return rounds


def talk(window, rounds=20, size=1000):
    return asyncio.run(chat(window.socket(), rounds, size))


def alive(window):
    assert window.get("/alive").split()[0] == str(window.server).encode()


def shell_is_gone(far, window):
    """The server sees it, too: it watches that process."""
    wait_for(lambda: window.shell not in far.pids(), 20, "the window's shell to end")
    assert window.server in far.pids()


# ---- VS Code Remote-SSH


@EVERYWHERE
def test_vscode_script_on_stdin(workspace, archive):
    """`ssh -T -D PORT host sh`, end of file right after the script; the server is copied, reached, and stays."""
    w = workspace.window().bootstrap(archive)
    alive(w)
    assert w.get("/bytes/4194304") == bytes(range(256)) * (4194304 // 256)
    assert talk(w) == 20
    assert w.get("/alive").split()[1] == b"there"
    assert w.ssh.poll() is None


def test_vscode_dialogue_without_a_terminal(workspace, archive):
    """`ssh -v -T -D PORT host`: a login shell that is spoken to, and a bash in it."""
    w = workspace.window(dialogue=True)
    assert w.ask("uname -rsv", b"\n").startswith(b"Linux ")
    assert w.ask('echo "$SHELL"', b"\n") == b"/bin/bash\n"
    assert w.ask("bash", b"") == b""
    assert w.ask('echo "$0"', b"\n") == b"bash\n"
    w.ssh.stdin.write(w.script)
    w.ssh.stdin.flush()
    w.bootstrap(archive)
    alive(w)
    assert talk(w) == 20


def test_vscode_dialogue_of_500_turns(workspace):
    w = workspace.window(dialogue=True)
    for i in range(500):
        assert w.ask(f"echo {i} $(({i} * {i}))", b"\n") == b"%d %d\n" % (i, i * i)


@EVERYWHERE
def test_vscode_two_windows_under_load(workspace, archive):
    """Two windows at once, each with a password: sockets that talk, big answers, and 100 requests at a time."""
    windows = [workspace.window(alias="far-password") for _ in range(2)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda w: w.bootstrap(archive), windows))
        assert windows[0].where == windows[1].where and windows[0].server == windows[1].server
        talks = [pool.submit(talk, w, 200, 10_000) for w in windows for _ in range(3)]
        loads = [pool.submit(w.get, "/bytes/16777216") for w in windows for _ in range(2)]
        requests = [subprocess.Popen(w.curl("/alive"), stdout=subprocess.PIPE) for w in windows for _ in range(50)]
        assert {p.communicate(timeout=120 * SLOW)[0].split()[0] for p in requests} == {b"%d" % windows[0].server}
        assert {t.result() for t in talks} == {200}
        assert {len(load.result()) for load in loads} == {16777216}


def test_vscode_many_sockets_of_one_window(workspace, archive):
    """Management, extension host, terminals: each is a connection of its own, open at the same time."""
    w = workspace.window().bootstrap(archive)

    async def all_at_once():
        sockets = await asyncio.gather(*(asyncio.to_thread(w.socket) for _ in range(50)))
        return await asyncio.gather(*(chat(s, 5) for s in sockets))
    assert asyncio.run(all_at_once()) == [5] * 50


@EVERYWHERE
@pytest.mark.parametrize("dialogue", (False, True), ids=("script", "dialogue"))
def test_vscode_client_killed_and_back(workspace, archive, dialogue):
    """Killed with -9: its shell goes, its server stays; the same bootstrap finds that server again."""
    def start():
        w = workspace.window(dialogue=dialogue)
        if dialogue:
            w.ssh.stdin.write(b"bash\n" + w.script)
            w.ssh.stdin.flush()
        return w.bootstrap(archive)
    first = start()
    sock = first.socket()
    assert {first.shell, first.server} <= set(workspace.far.pids())
    first.kill()
    shell_is_gone(workspace.far, first)
    sock.close()
    second = start()
    assert (second.where, second.server) == (first.where, first.server) and second.shell != first.shell
    assert second.get("/alive").decode() == f"{first.server} gone\n"
    assert talk(second) == 20


@pytest.mark.parametrize("far", ("alpine",), indirect=True)
def test_a_host_of_musl_says_so(far):
    """As programs ask that choose what to bring; and it has no other libc."""
    r = far.ssh("far", "cat /etc/alpine-release; ldd --version 2>&1; ldd /bin/sh; find / -xdev -name 'ld-*'", check=False)
    release, libc, *said, loader = r.stdout.decode().splitlines()
    assert release.startswith("3.") and libc == f"musl libc ({os.uname().machine})"
    assert loader == f"/lib/ld-musl-{os.uname().machine}.so.1" and f"libc.so => {loader}" in said[-1]


@pytest.mark.parametrize("far", ("alpine",), indirect=True)
def test_vscode_where_libc_is_musl(workspace, archive):
    """The host says what it is, and gets what runs there; killed with -9, its client comes back and finds it."""
    first = workspace.window().bootstrap(archive)
    assert first.get("/alive").decode() == f"{first.server} there\n"
    assert first.get("/bytes/4194304") == bytes(4194304)
    first.kill()
    shell_is_gone(workspace.far, first)
    second = workspace.window().bootstrap(archive)
    assert (second.where, second.server) == (first.where, first.server) and second.shell != first.shell
    assert second.get("/alive").decode() == f"{first.server} gone\n"


@pytest.mark.parametrize("far", ("docker", "podman", "alpine"), indirect=True)
def test_vscode_shell_that_writes_nothing_dies_with_its_connection(workspace, archive):
    """An sshd lets it live until it writes, up to 180 seconds later; the server watches it all the while."""
    w = workspace.window(beat=180).bootstrap(archive)
    w.kill()
    shell_is_gone(workspace.far, w)


def test_vscode_one_window_killed_beside_another(workspace, archive):
    first, second = (workspace.window().bootstrap(archive) for _ in range(2))
    first.kill()
    shell_is_gone(workspace.far, first)
    alive(second)
    assert talk(second) == 20 and second.shell in workspace.far.pids()


def test_vscode_listens_on_a_socket(workspace, archive):
    """remoteServerListenOnSocket: a second connection with -L to a path in /tmp, and blanks to keep it."""
    path = f"/tmp/code-{uuid.uuid4()}"
    first = workspace.window(where=path).bootstrap(archive)
    assert first.where == path
    port = free_port()
    with tunnel(workspace.far, "-L", f"127.0.0.1:{port}:{path}") as second:
        second.stdin.write(b"echo tunnel\nwhile sleep 1; do printf ' '; done\n")
        second.stdin.close()
        assert second.stdout.read(8) == b"tunnel\n "
        assert run("curl", *MANY, f"http://127.0.0.1:{port}/alive").stdout.split()[0] == b"%d" % first.server
        assert asyncio.run(chat(socket.create_connection(("127.0.0.1", port)), 20)) == 20
        assert len(run("curl", *MANY, f"http://127.0.0.1:{port}/bytes/4194304").stdout) == 4194304


@PLAIN
def test_vscode_without_dynamic_forwarding(workspace, archive):
    """-o ClearAllForwardings=true for the bootstrap, then another connection with -L."""
    first = workspace.window("-o", "ClearAllForwardings=true").bootstrap(archive)
    port = free_port()
    with tunnel(workspace.far, "-L", f"{port}:127.0.0.1:{first.where}", "-N", command=()):
        url = f"http://127.0.0.1:{port}/alive"
        answer = wait_for(lambda: run("curl", *MANY, url, check=False).stdout, 20, "the tunnel")
        assert answer.split()[0] == b"%d" % first.server


@PLAIN
def test_vscode_forwards_a_port_of_the_program(workspace, archive):
    """What a program in the container listens on is opened through -D, by name too."""
    w = workspace.window().bootstrap(archive)
    for name in ("localhost", "127.0.0.1"):
        out = run("curl", *MANY, "--socks5-hostname", f"127.0.0.1:{w.port}", f"http://{name}:{w.where}/alive").stdout
        assert out.split()[0] == b"%d" % w.server
    began = time.monotonic()
    r = run("curl", *MANY, "--socks5", f"127.0.0.1:{w.port}", "http://127.0.0.1:9/", check=False)
    assert r.returncode != 0 and time.monotonic() - began < 2 * SLOW


@contextlib.contextmanager
def tunnel(far, *options, command=("sh",)):
    p = far.popen("-T", "-o", "ConnectTimeout=15", "-o", "ExitOnForwardFailure=yes", *options, "far", *command)
    try:
        yield p
    finally:
        p.kill()
        p.wait(10)


# ---- VS Code, disturbed


@OURS
def test_vscode_killed_while_its_script_waits_for_the_server(workspace, archive):
    """An sshd would let that shell live until it writes; here the next window has the place to itself."""
    far = workspace.far
    before = far.pids().keys()
    first = workspace.window()
    first.until(b"destFolder==.*==")
    first.kill()
    wait_for(lambda: far.pids().keys() <= before, 20, "the script to end")
    far.exec("rmdir", f"{workspace.dir}/lock")
    alive(workspace.window().bootstrap(archive))


@EVERYWHERE
def test_vscode_killed_during_requests_while_a_third_connects(workspace, archive):
    first, second = (workspace.window().bootstrap(archive) for _ in range(2))
    with ThreadPoolExecutor(2) as pool:
        lost = [subprocess.Popen(first.curl("/bytes/67108864"), stdout=subprocess.DEVNULL) for _ in range(8)]
        load = pool.submit(second.get, "/bytes/67108864")
        third = pool.submit(workspace.window(alias="far-password").bootstrap, archive)
        first.kill()
        for p in lost:
            p.wait(60 * SLOW)
        assert len(load.result()) == 67108864 and third.result().server == first.server
    shell_is_gone(workspace.far, first)
    for w in (second, third.result()):
        alive(w)
        assert talk(w) == 20


@contextlib.contextmanager
def without_a_session(workspace, window):
    """A window whose -D is that of a connection with no shell, as Zed's has none: it ends with none of them."""
    other = copy.copy(window)
    other.port = free_port()
    with tunnel(workspace.far, "-N", "-D", other.port, command=()) as other.ssh:
        wait_for(lambda: run(*other.curl("/alive"), check=False).returncode == 0, 20, "its forwarding")
        yield other
        assert other.ssh.poll() is None


@OURS
def test_vscode_helper_killed_and_back(workspace, archive):
    """What carries a window's shell dies; its server does not, and both connections' next requests have another."""
    far = workspace.far
    first = workspace.window().bootstrap(archive)
    with without_a_session(workspace, first) as other:
        sock = other.socket()
        far.exec("kill", "-KILL", *map(str, helpers(far, far.container)))
        assert first.ssh.wait(20 * SLOW) == 137
        with sock, contextlib.suppress(ConnectionError):
            assert sock.recv(1) == b""
        alive(other)
        second = workspace.window().bootstrap(archive)
        assert second.server == first.server and talk(second) == talk(other) == 20


@OURS
@pytest.mark.parametrize("left", ("shell,exec,files", None), ids=("forward", "all"))
def test_vscode_grant_withdrawn_and_given_back(workspace, archive, left):
    far, host = workspace.far, workspace.far.host
    first = workspace.window().bootstrap(archive)

    def grant(*options):
        """In place of what there is; with none, nothing."""
        old = host.ctl_json("grant", "list", "--user", "alice")
        if options:
            host.ctl("grant", "add", "alice", *options)
        for g in old:
            host.ctl("grant", "del", str(g["id"]))
    try:
        grant(*(("*", "--allow", left) if left else ()))
        assert first.ssh.wait(10 * SLOW) == 77
        shell_is_gone(far, first)
        other = workspace.window()
        if left:
            assert run(*other.bootstrap(archive).curl("/alive"), check=False).returncode != 0
        else:
            assert other.ssh.wait(20 * SLOW) != 0 and not other.ssh.stdout.read()
    finally:
        grant("*")
    for w in (workspace.window().bootstrap(archive), *((other,) if left else ())):
        assert w.server == first.server
        alive(w)


@OURS
def test_vscode_container_restarted_and_back(workspace, archive):
    """Nothing of it is left but its files; a connection that had no shell goes on."""
    far = workspace.far
    first = workspace.window().bootstrap(archive)
    with without_a_session(workspace, first) as other:
        far.engine.cli("restart", "--time", "1", far.container)
        assert first.ssh.wait(20 * SLOW) == 137
        far.ssh("far", f"rm -r {workspace.dir}/lock {workspace.dir}/log {workspace.dir}/pid")
        second = workspace.window().bootstrap(archive)
        alive(second)
        other.where, other.server = second.where, second.server
        alive(other)


@pytest.mark.parametrize("far", ("docker",), indirect=True)
def test_vscode_while_the_engine_does_nothing(workspace, archive, stopping):
    """Two windows come and one is killed meanwhile: it is as if they had waited."""
    far = workspace.far
    first = workspace.window().bootstrap(archive)
    logins = far.host.log_text().count("login.ok")
    os.kill(far.engine.proc.pid, signal.SIGSTOP)
    later = [workspace.window() for _ in range(2)]
    wait_for(lambda: far.host.log_text().count("login.ok") == logins + 2, 20, "their logins")
    first.kill()
    os.kill(far.engine.proc.pid, signal.SIGCONT)
    for w in later:
        assert w.bootstrap(archive).server == first.server
        alive(w)
    shell_is_gone(far, first)


@pytest.mark.parametrize("image, options", (
    ("tools", ("--user", "4321:4321")),
    ("tools", ("--read-only", "--tmpfs", "/tmp:exec")),
    ("alpine", ("--read-only", "--tmpfs", "/tmp:exec", "--user", "app"))), ids=("user", "read-only", "musl-both"))
def test_vscode_in_a_container_with_little(host, tmp_path, archive, image, options):
    """No account, a root that is read-only, or both where libc is musl."""
    name = host.engine.container("ed-little", image, *options)
    host.wait_for_container(name)
    workspace = Workspace(Far(tmp_path, host.engine, name, f"alice+{name}", host.port, host.key))
    try:
        first = workspace.window().bootstrap(archive)
        alive(first)
        first.kill()
        shell_is_gone(workspace.far, first)
        second = workspace.window().bootstrap(archive)
        assert second.get("/alive").decode() == f"{first.server} gone\n"
    finally:
        workspace.close()
        host.engine.remove(name)


# ---- open-remote-ssh (VSCodium, older Cursor)


@pytest.fixture(scope="session")
def node_modules():
    """ssh2 of the npm registry, of the version and sum that package-lock.json says, once."""
    there, lock = IMAGES / "node", EDITORS / "package-lock.json"
    installed = there / "installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        there.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", lock.name):
            shutil.copy(EDITORS / name, there)
        run("npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", cwd=there, timeout=300)
        shutil.copy(lock, installed)
    return there / "node_modules"


@EVERYWHERE
@pytest.mark.parametrize("login, where", (("publickey", "socket"), ("password", "port"),
                                          ("keyboard-interactive", "port")))
def test_open_remote_ssh(workspace, node_modules, login, where):
    """ssh2: a command of 12 KiB in one string, its channel closed while its daemon lives on, then that daemon."""
    far = workspace.far
    server = base64.b64encode((EDITORS / "server.py").read_bytes()).decode()
    address = f"/tmp/code-{uuid.uuid4()}" if where == "socket" else "0"
    script = (f"mkdir -p {workspace.dir} && cd {workspace.dir} && echo {server} | base64 -d >server.py\n"
              f": >log; python3 {workspace.dir}/server.py {address} --parent-process-id $$ &>log &\n"
              "until grep -q '^listening on ' log; do sleep 0.1; done\n"
              "echo \"listeningOn==$(sed -n 's/^listening on //p' log)==\"\n")
    script += "#" * (9216 - len(script)) + "\n"
    command = f"echo {base64.b64encode(script.encode()).decode()} | base64 -d | bash -l"
    assert 12_000 < len(command) < 13_000
    to = {"port": far.port, "user": far.user, "command": command}
    to |= {"publickey": {"key": str(far.key)}, "password": {"password": PASSWORD},
           "keyboard-interactive": {"asked": PASSWORD}}[login]
    r = run("node", EDITORS / "ssh2.js", json.dumps(to), timeout=120,
            env={**os.environ, "NODE_PATH": str(node_modules)})
    said = json.loads(r.stdout)
    assert said["tried"] == ["none", login]
    assert (said["uname"]["out"], said["uname"]["code"]) == ("Linux\n", 0)
    assert said["install"]["code"] == 0 and said["install"]["err"] == ""
    assert (said["bytes"], said["echo"], said["many"]) == (4194304, "through a WebSocket", 20)
    assert int(said["alive"].split()[0]) in far.pids()  # and is still


# ---- Zed


@PLAIN
@pytest.mark.parametrize("user", ("url", "undecoded"))
def test_zed(far, tmp_path, user):
    """A control master without any channel, many sessions over it, sftp -b -, and a user name in percent encoding.

    What is in a URL is decoded by ssh, and elsewhere by nobody.
    """
    control = tmp_path / "ssh.sock"
    to = f"ssh://{far.encoded}@127.0.0.1:{far.port}" if user == "url" else f"{far.encoded}@127.0.0.1"
    shared = ("-o", "ControlMaster=no", "-o", f"ControlPath={control}", to)
    master = far.popen("-N", "-o", "ControlPersist=no", "-o", "ControlMaster=yes", "-o", f"ControlPath={control}", to)
    try:
        wait_for(control.exists, 30, "the control socket")
        assert far.ssh(*shared, "sh -c 'uname -sm'").stdout.startswith(b"Linux ")
        there = f"/tmp/zed-{uuid.uuid4().hex[:8]}"
        local = tmp_path / "server"
        local.write_bytes(os.urandom(3 << 20))
        assert far.ssh(*shared, f"mkdir -p {there}").stdout == b""
        sftp_to = to.replace("ssh:", "sftp:")
        run(*far.argv("sftp", "-b", "-", "-o", "ControlMaster=no", "-o", f"ControlPath={control}", sftp_to),
            input=f"put {local} {there}/server.new\n".encode())
        far.ssh(*shared, f"chmod 755 {there}/server.new && mv {there}/server.new {there}/server")
        assert far.ssh(*shared, f"cat {there}/server").stdout == local.read_bytes()
        proxies = [far.popen(*shared, "cat") for _ in range(10)]
        for i, p in enumerate(proxies):
            message = os.urandom(50_000) + bytes([i])
            p.stdin.write(message)
            p.stdin.flush()
            assert p.stdout.read(len(message)) == message
        assert [p.communicate(timeout=30 * SLOW)[0] for p in proxies] == [b""] * 10
        assert {p.returncode for p in proxies} == {0}
        assert master.poll() is None
    finally:
        run(*far.argv("ssh", "-O", "exit", "-o", f"ControlPath={control}", to), check=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            master.wait(10)
        master.kill()
        master.wait(10)


# ---- JetBrains Gateway


@PLAIN
def test_jetbrains_gateway(workspace, archive):
    """Exit codes with a terminal, and direct-tcpip on the same connection."""
    w = workspace.window().bootstrap(archive)
    far = workspace.far
    t = paramiko.Transport(("127.0.0.1", far.port))
    with contextlib.closing(t):
        t.start_client(timeout=30 * SLOW)
        t.auth_publickey(far.user, paramiko.Ed25519Key(filename=str(far.key)))
        for code in (0, 1, 42, 126, 127, 255):
            ch = t.open_session()
            ch.get_pty("xterm", 80, 24)
            ch.exec_command(f"echo {code}; exit {code}")
            assert (read_all(ch), ch.recv_exit_status()) == (b"%d\r\n" % code, code)
        ch = t.open_channel("direct-tcpip", ("127.0.0.1", int(w.where)), ("127.0.0.1", 0), timeout=30 * SLOW)
        ch.sendall(b"GET /alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"\n%d there\n" % w.server in read_all(ch)
