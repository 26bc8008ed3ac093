"""The plain menu, the target syntax and the table of requests without a container."""

import json
import re
import subprocess

import pexpect
import pytest

from lab import run, wait_for

PROMPT = rb"quit\)[^:]*: "


def test_menu_shell_and_back(host):
    t = host.terminal("alice", rows=24, cols=80)
    t.expect(PROMPT)
    screen = t.before.decode()
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
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus == 0


def test_menu_keys(host):
    t = host.terminal("alice")
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
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus == 0


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
        wait_for(lambda: host.ssh("alice+twin-a", "true").returncode == 0, 10, "the inventory")
        code, err = status("alice+twin", "true")
        assert code == 64 and b"twin-a" in err and b"twin-b" in err
        # A permission that is missing on a listed container is another thing.
        assert host.ssh("bob+bb", "true").returncode == 0
        code, err = status("bob+bb")
        assert code == 77
        # With a terminal: the menu, filtered.
        t = host.terminal("alice+twin")
        t.expect(PROMPT)
        assert b"twin-a" in t.before and b"twin-b" in t.before and b"deb" not in t.before
        t.sendline("q")
        t.expect(pexpect.EOF)
    finally:
        docker.remove("twin-a")
        docker.remove("twin-b")


def test_exec_without_a_container_is_a_jumpbox_command(host):
    r = host.ssh("alice", "help")
    assert r.returncode == 0 and b"ls" in r.stdout
    r = host.ssh("alice", "ls")
    assert r.returncode == 0 and b"deb" in r.stdout
    rows = json.loads(host.ssh("alice", "ls --json").stdout)
    assert {"bb", "deb", "bare"} <= {row["name"] for row in rows}
    assert all({"id", "name", "node", "state", "image"} <= set(row) for row in rows) or rows
    r = host.ssh("alice", "rm -rf /")
    assert r.returncode == 64 and r.stdout == b"" and r.stderr


def test_shell_without_terminal_and_container_lists_on_stderr(host):
    p = host.popen("alice", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(b"bb\necho in; exit 5\n", timeout=30)
    assert (p.returncode, out) == (5, b"in\n") and b"deb" in err
    p = host.popen("alice", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(b"", timeout=30)
    assert (p.returncode, out) == (64, b"")
    p = host.popen("alice", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(b"nothing like it\n", timeout=30)
    assert p.returncode in (64, 66) and out == b""


def test_foreign_text_is_escaped(host, docker):
    # An image name and labels are foreign text; a container's name is not free, its image's tag and labels are.
    docker.container("odd", "busybox", "--label", "jumpbox.owner=\x1b[31mred\x1b[0m\u202e")
    try:
        wait_for(lambda: b"odd" in host.ssh("alice", "ls").stdout, 10, "the inventory")
        for out in (host.ssh("alice", "ls").stdout, host.ctl("container", "list").stdout):
            assert b"\x1b" not in out and "\u202e".encode() not in out
    finally:
        docker.remove("odd")


def test_a_hung_node_leaves_the_list_quick(own_host, tmp_path):
    import time
    from lab import HERE
    host = own_host()
    sock = host.dir / "hung.sock"
    fake = subprocess.Popen(["/usr/bin/python3", HERE / "fake_engine.py", sock, "hang"])
    try:
        wait_for(sock.exists, 10, "the fake engine")
        sock.chmod(0o777)
        host.ctl("node", "add", "hung", f"unix://{sock}")
        host.ssh("alice", "ls")

        def listing():
            start = time.monotonic()
            r = host.ssh("alice", "ls")
            assert b"deb" in r.stdout
            return time.monotonic() - start
        with_hung = sorted(listing() for _ in range(7))[3]
        host.ctl("node", "disable", "hung")
        host.ssh("alice", "ls")
        without = sorted(listing() for _ in range(7))[3]
        assert with_hung - without < 0.2, (with_hung, without)
    finally:
        fake.terminate()
        fake.wait(10)
