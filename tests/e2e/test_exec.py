"""What a process in a container is started with and how its start is judged, on every engine."""

import contextlib
import os
import subprocess

import pexpect
import pytest

from lab import ROADS, SLOW, ended, live_terminal, read_all, wait_for
from test_bad_input import FakeNode


@pytest.fixture(scope="session", params=ROADS)
def site(request, lab):
    site = lab.road(request.param)
    yield site
    site.stop()


# ---- the terminal -------------------------------------------------------------


@pytest.mark.parametrize("container", ("bb", "deb"))
def test_ssh_tty_names_the_terminal_of_each_of_two(site, container):
    names = []
    shells = [live_terminal(site, f"alice+{container}") for _ in range(2)]
    for t in shells:
        t.sendline('echo "[$SSH_TTY] [$(tty)]"')
        t.expect(rb"\[(/dev/[^\]]*)\] \[(/dev/[^\]]*)\]\r\n")
        assert t.match.group(1) == t.match.group(2)
        names.append(t.match.group(1))
    assert names[0] != names[1]
    for t in shells:
        t.sendline("exit")
        t.expect(pexpect.EOF)
        t.close()


def sizes_said(site, sizes, terminals):
    said = []
    for t in terminals:
        t.expect(pexpect.EOF)
        t.close()
        said.append(t.before.strip().decode())
    assert said == [f"{rows} {cols}" for rows, cols in sizes]


# Podman takes the size with the start, and would not answer 60 at once in time.
@pytest.mark.parametrize("site", ("docker", "tls"), indirect=True)
def test_the_first_size_is_right_in_60_logins_at_once(site):
    sizes = [(20 + i, 100 + i) for i in range(60)]
    sizes_said(site, sizes, [site.terminal("alice+" + ("bb", "deb")[i % 2], "stty size", rows=rows, cols=cols,
                                           timeout=90) for i, (rows, cols) in enumerate(sizes)])


def test_the_first_size_is_told_again_when_an_engine_did_not_take_it(own_host):
    """The scripted engine fails the first resize and shows on the stream what the second one says."""
    host = own_host()
    node = FakeNode(host, "sick").play("second-resize", "/")
    try:
        host.ctl("node", "add", "sick", f"unix://{node.socket}")
        host.ctl("node", "set", "sick", "helper", "off")
        t = host.terminal("alice+sick+fake", rows=31, cols=97)
        t.expect(rb"h=31&w=97")
        t.close()
    finally:
        node.stop()


# ---- did it start -------------------------------------------------------------


def test_a_command_that_speaks_like_an_engine_is_believed_to_have_run(site):
    for words in ("OCI x", "unable to find it", "Error: x\n: OCI y"):
        r = site.ssh("alice+deb", f"echo '{words}'; exit 127")
        assert (r.returncode, r.stdout.decode()) == (127, words + "\n")
    t = site.terminal("alice+deb", "echo 'OCI x'; exit 127")
    assert (ended(t), t.before) == (127, b"OCI x\r\n")


def memory_of(pid):
    """All that a process can read of itself."""
    found = b""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            first, last = (int(x, 16) for x in line.split()[0].split("-"))
            if line.split()[1].startswith("rw"):
                mem.seek(first)
                with contextlib.suppress(OSError):  # not all of them can be read
                    found += mem.read(last - first)
    return found


def parent_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        return int(f.read().rsplit(")", 1)[1].split()[1])


@pytest.mark.skipif(SLOW > 1, reason="a sanitizer keeps what was freed")
@pytest.mark.parametrize("site", ("tls",), indirect=True)
def test_a_relay_keeps_no_command_line(site):
    """It stays between a TLS engine and the session for as long as the command runs."""
    before = set(site.serving("jumpbox-broker"))
    secret = "tokens" + os.urandom(8).hex()
    p = site.popen("alice+bb", f"echo on; cat; : {secret}", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                   options=("-o", f"SetEnv=LC_SECRET={secret}"))
    assert p.stdout.readline() == b"on\n"

    def relays():
        """Once the children that did no more than ask have ended."""
        brokers = set(site.serving("jumpbox-broker")) - before
        with contextlib.suppress(OSError):
            found = [pid for pid in brokers if parent_of(pid) in brokers]
            return len(found) == 1 and found
    relay, = wait_for(relays, 10, "the relay alone")
    assert secret.encode() not in memory_of(relay)
    p.communicate(timeout=20 * SLOW)
    assert p.returncode == 0


# ---- many at once ---------------------------------------------------------------


def test_who_opens_many_at_once_keeps_nobody_else_out_of_the_container(own_host):
    """Where each is an exec: on a helper's stream they cost the engine nothing."""
    host = own_host()
    host.ctl("node", "set", "one", "helper", "off")
    host.user("second")
    host.ctl("grant", "add", "second", "deb")
    # Logged in already: what it waits for is its turn in the container.
    alice, second = host.transport("alice+deb"), host.transport("second+deb")
    try:
        mine = second.open_session(timeout=20 * SLOW)
        channels = [alice.open_session(timeout=20 * SLOW) for _ in range(100)]
        for ch in channels:
            ch.exec_command("true")

        def done():
            return sum(ch.exit_status_ready() for ch in channels)
        wait_for(lambda: done() >= 3, 30, "the first of a hundred")
        before = done()
        mine.exec_command("echo in")
        assert read_all(mine) == b"in\n"
        assert done() - before < 25
        assert [ch.recv_exit_status() for ch in channels] == [0] * 100
    finally:
        alice.close()
        second.close()
