"""What a process in a container is started with and how its start is judged, on every engine."""

import pexpect
import pytest

from lab import live_terminal
from test_bad_input import FakeNode

ENGINES = ("docker", "tls", "podman")


@pytest.fixture(scope="module", params=ENGINES)
def site(request, lab):
    """A jump host over one engine with containers bb and deb."""
    engine = lab.engine(request.param)
    for name, image in (("bb", "busybox"), ("deb", "debian")):
        engine.container(name, image)
    host = lab.host(max_startups_per_source=100, backoff_after=0)
    host.user("alice")
    host.ctl("grant", "add", "alice", "*")
    host.node(engine, "one")
    host.start()
    host.engine = engine
    yield host
    host.stop()


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


def test_the_first_size_is_right_in_60_logins_at_once(site):
    if site.engine.kind == "podman":
        pytest.skip("Podman takes the size with the start, and would not answer 60 at once in time")
    sizes = [(20 + i, 100 + i) for i in range(60)]
    sizes_said(site, sizes, [site.terminal("alice+" + ("bb", "deb")[i % 2], "stty size", rows=rows, cols=cols,
                                           timeout=90) for i, (rows, cols) in enumerate(sizes)])


def test_the_first_size_is_told_again_when_an_engine_did_not_take_it(own_host):
    """The scripted engine fails the first resize and shows on the stream what the second one says."""
    host = own_host()
    node = FakeNode(host, "sick").play("second-resize", "/")
    try:
        host.ctl("node", "add", "sick", f"unix://{node.socket}")
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
    t.expect(pexpect.EOF)
    t.close()
    assert (t.exitstatus, t.before) == (127, b"OCI x\r\n")
