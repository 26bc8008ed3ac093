"""The plain menu, the target syntax and the table of requests without a container."""

import contextlib
import json
import re
import signal
import sqlite3
import subprocess
import sys
import time

import paramiko
import pexpect
import pytest

from lab import HERE, SLOW, Engine, ended, wait_for

PROMPT = rb"quit\)[^:]*: "


def test_menu_shell_and_back(host):
    t = host.terminal("alice", rows=24, cols=80, term="dumb")
    t.expect(PROMPT)
    screen = t.before.decode()
    assert "alice on jumpbox: " in screen
    for name in ("bb", "deb", "bare"):
        assert re.search(rf"\d+ .*\b{name}\b.*running", screen), screen
    number = re.search(r"(\d+)\s+deb\b", screen).group(1)
    t.sendline(number)
    t.sendline("echo in $BASH_VERSION; exit 3")
    t.expect(rb"in 5\.")
    t.expect(rb"exit code 3")
    t.expect(PROMPT)
    t.sendline("bb")
    t.sendline("exit")
    t.expect(PROMPT)
    t.sendline("no-such-thing")
    t.expect(PROMPT)
    t.sendline("q")
    assert ended(t) == 0


def test_menu_keys(host):
    t = host.terminal("alice", term="dumb")
    t.expect(PROMPT)
    t.send("debx\x7f\r")  # erase
    t.sendline("exit")
    t.expect(PROMPT)
    t.send("nonsense\x15bb\r")  # kill the line
    t.sendline("exit")
    t.expect(PROMPT)
    t.send("half\x03")  # Ctrl-C drops the line
    t.expect(PROMPT)
    t.send("\x04")  # Ctrl-D leaves
    assert ended(t) == 0


@pytest.mark.parametrize("login", ("alice+bb", "alice~bb", "alice:bb", "alice#bb", "alice%2Bbb",
                                   "alice%2bbb", "alice+one+bb", "alice:one:bb", "alice+de"))
def test_target_syntax(host, login):
    r = host.ssh("x", "echo in", options=("-l", login))
    assert (r.returncode, r.stdout, r.stderr) == (0, b"in\n", b"")


def test_target_by_id(host, docker):
    cid = docker.cli("inspect", "--format", "{{.Id}}", "bb").stdout.decode().strip()
    assert host.ssh(f"alice+{cid[:12]}", "echo in").stdout == b"in\n"


def test_unknown_not_granted_and_ambiguous(host, docker):
    host.user("bob")
    host.ctl("grant", "add", "bob", "bb", "--allow", "exec")
    docker.container("twin-a", "busybox")
    docker.container("twin-b", "busybox")
    try:
        def status(login, *command):
            r = host.ssh(login, *command)
            assert r.stdout == b""
            return r.returncode, r.stderr
        assert status("bob+nothing", "true")[0] == 66
        hidden = status("bob+deb", "true")
        assert hidden[0] == 66
        assert hidden[1].replace(b"deb", b"X") == status("bob+nil", "true")[1].replace(b"nil", b"X")
        wait_for(lambda: host.ssh("alice+twin-b", "true").returncode == 0, 10, "the inventory")  # made after the other
        code, err = status("alice+twin", "true")
        assert code == 64 and b"twin-a" in err and b"twin-b" in err
        # A permission that is missing on a listed container is another thing.
        assert host.ssh("bob+bb", "true").returncode == 0
        assert status("bob+bb") == (77, b"jumpbox: you may not open a shell in bb\n")
        # With a terminal: the menu, filtered.
        t = host.terminal("alice+twin", term="dumb")
        t.expect(PROMPT)
        assert b"twin-a" in t.before and b"twin-b" in t.before and b"deb" not in t.before
        t.sendline("q")
        t.expect(pexpect.EOF)
    finally:
        docker.remove("twin-a")
        docker.remove("twin-b")


def test_exec_without_a_container_is_a_jumpbox_command(host):
    r = host.ssh("alice", "help")
    assert r.returncode == 0 and b"ls" in r.stdout and b"ssh -p" not in r.stdout
    r = host.ssh("alice", "ls")
    assert r.returncode == 0 and b"deb" in r.stdout
    def all_of_them():
        """That the operators' list has as well; what has just been removed may leave them one after the other."""
        rows[:] = json.loads(host.ssh("alice", "ls --json").stdout)
        return {row["id"] for row in rows} == {row["id"] for row in host.ctl_json("container", "list")}
    rows = []
    wait_for(all_of_them, 10, "the same list")
    assert {"bb", "deb", "bare"} <= {row["name"] for row in rows}
    keys = {"id", "name", "node", "region", "state", "health", "exit_code", "image", "service", "owner", "ports", "since",
            "started", "finished", "node_seen", "used", "oom", "gpu", "allow"}
    assert all(set(row) == keys for row in rows), rows
    [bb] = [row for row in rows if row["name"] == "bb"]
    assert bb["since"] <= bb["started"] and "shell" in bb["allow"] and "power" not in bb["allow"]
    r = host.ssh("alice", "rm -rf /")
    assert (r.returncode, r.stdout) == (64, b"") and b"no such command" in r.stderr


def test_hints_name_the_server_where_it_is_known(own_host):
    host = own_host(server_address="gw.example.org")
    line = f"ssh -p {host.port} alice+CONTAINER@gw.example.org".encode()
    assert line in host.ssh("alice", "help").stdout
    t = host.terminal("alice", term="dumb")
    t.expect(b"alice on gw.example.org: ")
    t.expect(PROMPT)
    t.sendline("?")
    t.expect_exact(line)
    t.close()


@pytest.mark.parametrize("typed, status, out", (
    (b"bb\necho in; exit 5\n", 5, b"in\n"), (b"  bb \necho in; exit 5\n", 5, b"in\n"), (b"", 64, b""), (b"nothing like it\n", 64, b""), (b"b\n", 64, b"")),
    ids=("name", "blanks around a name", "end of file", "unknown", "ambiguous"))
def test_shell_without_terminal_and_container_lists_on_stderr(host, typed, status, out):
    r = host.ssh("alice", input=typed)
    assert (r.returncode, r.stdout) == (status, out) and re.search(rb"\d+ .*\bdeb\b", r.stderr), r
    assert r.stderr.count(b"Container number or name: \n") == 1
    assert (b"\njumpbox: no container was chosen" in r.stderr) == (status == 64), r


def test_foreign_text_is_escaped(host, docker):
    # An image name and labels are foreign text; a container's name is not free, its image's tag and labels are.
    docker.container("odd", "busybox", "--label", "jumpbox.owner=\x1b[31mred\x1b[0m\u202e")
    try:
        wait_for(lambda: b"odd" in host.ssh("alice", "ls").stdout, 10, "the inventory")
        for out in (host.ssh("alice", "ls").stdout, host.ctl("container", "list").stdout):
            assert b"\x1b" not in out and "\u202e".encode() not in out
    finally:
        docker.remove("odd")


def test_ten_thousand_containers_on_a_hundred_nodes(own_host):
    """All of them, in order, and soon; the nodes are gone, as far as anybody can tell."""
    host = own_host()
    names = [f"job-{i:05}" for i in range(10000)]
    with contextlib.closing(sqlite3.connect(host.database, timeout=10)) as db:
        db.executemany("insert into nodes (id, name, url, insecure) values (?, ?, 'tcp://127.0.0.1:1', 1)",
                       [(100 + n, f"far{n:02}") for n in range(100)])
        db.executemany("insert into containers (node_id, container_id, name, image, state, status, labels, created)"
                       " values (?, ?, ?, 'registry.example.org/team/project/image:1', 'running', 'Up', '{}', 1)",
                       [(100 + i // 100, f"{i:064x}", name) for i, name in enumerate(names)])
        db.commit()
    for command in ("ls", "ls --json"):
        start = time.monotonic()
        out = host.ssh("alice", command).stdout
        assert time.monotonic() - start < 2 * SLOW
        listed = [row["name"] for row in json.loads(out)] if "json" in command else re.findall(r"\S+", out.decode())
        assert [name for name in listed if name.startswith("job-")] == names
    t = host.terminal("alice", term="dumb")
    t.expect(PROMPT)
    number = re.search(rb"(\d+)  bb ", t.before).group(1)
    assert re.search(rb"10000  job-", t.before) and t.before.count(b"job-") == 10000
    t.sendline(number)
    t.sendline("echo in''side; exit")
    t.expect(b"inside\r\n")
    t.expect(PROMPT)
    t.sendline("q")
    assert ended(t) == 0


QUICK = 0.2 * SLOW


@pytest.fixture
def hang(request, own_host, lab):
    """A jump host with a second node, which is listed, and what makes that hang."""
    host = own_host()
    if request.param == "fake":
        sock = host.dir / "sick.sock"
        fakes = []

        def play(scenario):
            for fake in fakes:
                fake.kill()
                fake.wait(10)
            fakes.append(subprocess.Popen([sys.executable, HERE / "fake_engine.py", sock, scenario], stdout=subprocess.PIPE))
            assert fakes[-1].stdout.readline() == b"ready\n"
        play("send-good")
        host.ctl("node", "add", "sick", f"unix://{sock}")
        yield host, "fake", lambda: play("hang")
        for fake in fakes:
            fake.kill()
            fake.wait(10)
            fake.stdout.close()
    else:
        engine = Engine("docker", lab.dir / "stopped").start()
        try:
            engine.container("far", "busybox")
            host.node(engine, "sick")
            yield host, "far", lambda: engine.proc.send_signal(signal.SIGSTOP)
        finally:
            engine.proc.send_signal(signal.SIGCONT)
            engine.stop()


@pytest.mark.parametrize("hang", ("fake", "dockerd"), indirect=True)
def test_a_hung_node_leaves_every_list_quick(hang):
    """From the first one on: `ls` and the menu's r on connections that are open, by the client's clock."""
    host, there, stop = hang
    wait_for(lambda: there.encode() in host.ssh("alice", "ls").stdout, 10, "the node's first listing")
    c, menu = paramiko.SSHClient(), paramiko.SSHClient()
    for client in (c, menu):
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect("127.0.0.1", host.port, "alice", key_filename=str(host.key), allow_agent=False,
                       look_for_keys=False, timeout=20 * SLOW)
    shell = menu.invoke_shell(term="dumb")
    shell.settimeout(20 * SLOW)

    def screen():
        got = b""
        while not re.search(PROMPT, got):
            got += shell.recv(4096)
        return got

    def ls():
        start = time.monotonic()
        ch = c.get_transport().open_session()
        ch.settimeout(20 * SLOW)
        ch.exec_command("ls")
        out = ch.makefile("rb").read()
        assert ch.recv_exit_status() == 0
        return time.monotonic() - start, out

    def r():
        start = time.monotonic()
        shell.send(b"r\r")
        out = screen()
        return time.monotonic() - start, out
    try:
        screen()
        ls(), r()
        stop()
        taken = []
        for listing in (ls, r) * 4:
            seconds, out = listing()
            assert b"deb" in out and there.encode() in out, out
            taken.append(seconds)
        assert max(taken) < QUICK, taken
    finally:
        c.close()
        menu.close()
