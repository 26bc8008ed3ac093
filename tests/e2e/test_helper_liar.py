"""A container that answers in the helper's place, with frames of its own: its stream ends, and nothing else does."""

import contextlib
import re
import subprocess

import paramiko
import pytest

from lab import SLOW, free_port, wait_for
from test_bad_input import Lock
from test_files import sftp
from test_forward import ask, client, connect, listens, serve
from test_helper import TYPES

# In the place of `sh`, which is to place and become the helper: it takes the program and says that it did.
SHELL = r"""#!/usr/bin/perl
binmode STDIN; binmode STDOUT; $| = 1;
read STDIN, my $program, $ARGV[4];
print "jumpbox: placed\n";
sub frame { my ($c, $t, $p) = @_; print pack("NN", $c, $t << 24 | length $p), $p }
sub str { pack("N", length $_[0]) . $_[0] }
sub get { read(STDIN, my $h, 8) == 8 or exit; my ($c, $w) = unpack "NN", $h; read STDIN, my $p, $w & 0xffffff; ($c, $w >> 24) }
sub ready { get(); frame(0, $READY, pack("NNN", 1, 0, 0) . str("/") . str("") . str("root")) }
sub opened { my ($c) = get(); frame($c, $OPENED, pack("N", 0) . str("")); $c }
do "/scenario";
get() while 1;
"""

SCENARIOS = {
    "no frames": 'get(); print "Welcome to the machine!\\n" x 1000',
    "a frame of the session's": "ready(); frame(1, $OPEN_TCP, str('localhost') . pack('N', 1))",
    "OPENED before READY": "get(); opened()",
    "OPENED of nothing": "ready(); frame(77, $OPENED, pack('N', 0) . str(''))",
    "DATA before OPENED": "ready(); my ($c) = get(); frame($c, $DATA, 'x')",
    "more than the window": "ready(); my $c = opened(); frame($c, $DATA, 'x' x 65536) for 1 .. 200",
    "DATA after EOF": "ready(); my $c = opened(); frame($c, $EOF, ''); frame($c, $DATA, 'x')",
    "ACCEPT of no listener": "ready(); my $c = opened(); frame(1 << 31 | 1, $ACCEPT, pack('N', $c) . str('') . pack('N', 1))",
    "NOTE of a connection": "ready(); my $c = opened(); frame($c, $NOTE, str('remove path=\"/\"'))",
    "CLOSE twice": "ready(); my $c = opened(); frame($c, $CLOSE, '') for 1 .. 2",
    "a length beyond all": "ready(); print pack('NN', 1, $DATA << 24 | 0xffffff)",
    "an end in a frame": "ready(); opened(); print pack('NN', 1, $DATA << 24 | 9), 'half'; exit",
}


@pytest.fixture(scope="module")
def liar(host, tmp_path_factory):
    """play() makes the container `liar` do that the next time; `bb` has a web server."""
    engine, files = host.engine, tmp_path_factory.mktemp("liar")
    if not listens(host, "bb", 80):
        serve(host, "bb", 80, "httpd", "-f", "-p", "127.0.0.1:80", "-h", "/etc")
    engine.container("liar", "debian")
    script = files / "sh"
    script.write_text(SHELL.replace("$| = 1;", "$| = 1;\n" + "".join(f"${k} = {n};\n" for k, n in TYPES.items())))
    script.chmod(0o755)
    engine.exec("liar", "perl", "-e", 'unlink "/bin/sh"')
    engine.cli("cp", script, "liar:/bin/sh")
    host.wait_for_container("liar", 10)

    def play(scenario):
        (files / "scenario").write_text(scenario + ";\n")
        engine.cli("cp", files / "scenario", "liar:/scenario")
        return host
    yield play
    engine.remove("liar")


def ends(host):
    return [r for r in host.audit("attach.close", helpers=True) if "/liar" in r["target"]]


@pytest.mark.parametrize("name", SCENARIOS)
def test_bad_frames_end_their_stream_alone(liar, name):
    host = liar(SCENARIOS[name])
    before = len(ends(host))
    port, beside = free_port(), free_port()
    with client(host, "alice", "-L", f"{port}:liar:80", "-L", f"{beside}:bb:80") as c:
        with connect(beside) as bystander:
            with connect(port) as s, contextlib.suppress(ConnectionResetError):
                wait_for(lambda: len(ends(host)) > before, 20, "the end of the stream")
                assert set(b"".join(iter(lambda: s.recv(65536), b""))) <= set(b"x")
            bystander.sendall(b"GET /passwd HTTP/1.0\r\n\r\n")
            assert b"200 OK" in bystander.recv(65536)
        assert b"root:x:0" in ask(beside)
        assert c.poll() is None
    assert re.search("how=(hostile|ended)", ends(host)[-1]["detail"]), ends(host)[-1]


class Told:
    """What the audit has of the container's lines from now on."""

    def __init__(self, host):
        self.host = host
        self.skip = len(self.rows())

    def rows(self):
        return [r["detail"] for r in self.host.audit("file.note") if "/liar" in r["target"]]

    def recorded_and_lost(self, said):
        """How many there are, and how many are counted only, when that is all that was said."""
        def count():
            rows = self.rows()[self.skip:]
            lost = [int(re.search(r"lost: (\d+) lines", d).group(1)) for d in rows if "lost:" in d]
            return len([d for d in rows if "said:" in d]), sum(lost)
        wait_for(lambda: sum(count()) >= said, 30, "all of them to be recorded or counted")
        assert sum(count()) == said
        return count()


def test_what_it_says_of_files_is_bounded_and_counted(liar):
    """More lines than are recorded: the rest is a number, and nobody's transfer waits for them."""
    said = 12000
    host = liar(f"ready(); my $c = opened(); frame($c, $NOTE, str('open path=\"/$_\" for=read')) for 1 .. {said};"
                "frame($c, $EOF, ''); frame($c, $EXIT, pack('NNN', 0, 0, 0)); frame($c, $CLOSE, '')")
    told = Told(host)
    with subprocess.Popen(host.ssh_argv("alice+liar", options=("-s",)) + ["sftp"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        assert sftp(host, "alice+bb", "ls /etc/passwd\n").returncode == 0
        p.communicate(timeout=60 * SLOW)
    recorded, lost = told.recorded_and_lost(said)
    assert recorded >= 10000 and lost > 0


def test_what_it_says_of_files_beside_a_lock_holds_up_nobody(liar):
    """That none is recorded is found once: the others are counted, and the rest of the connection goes on."""
    said = 3000
    host = liar("ready(); my $c = opened(); frame($c, $DATA, 'in'); get();"
                f"frame($c, $NOTE, str('open path=\"/$_\" for=read')) for 1 .. {said};"
                "frame($c, $DATA, 'all')")
    told = Told(host)
    with contextlib.closing(host.transport("alice+liar")) as t:
        s = t.open_session()
        s.invoke_subsystem("sftp")
        s.settimeout(20 * SLOW)
        assert s.recv(2) == b"in"
        with Lock(host):
            s.sendall(b"now")
            assert s.recv(3) == b"all"  # after one wait of 5 s
    assert told.recorded_and_lost(said)[1] > 0


def test_requests_are_answered_in_their_order(liar):
    """The client asks whether we are there, while a listener takes its time."""
    host = liar("ready(); my ($c) = get(); sleep 4; frame($c, $OPENED, pack('N', 4321) . str(''))")
    with client(host, "alice+liar", "-o", "LogLevel=INFO", "-o", "ServerAliveInterval=1", "-R", "0:127.0.0.1:1") as c:
        assert b"Allocated port 4321 " in c.stderr.readline()
        assert c.poll() is None


def test_requests_behind_one_that_is_not_answered_are_bounded(liar):
    """They are answered in their order, so they wait: a client that sends thousands is shown out."""
    host = liar("ready()")
    with contextlib.closing(host.transport("alice+liar")) as t:
        m = paramiko.Message()
        for add, value in ((m.add_byte, paramiko.common.cMSG_GLOBAL_REQUEST), (m.add_string, "tcpip-forward"),
                           (m.add_boolean, True), (m.add_string, "127.0.0.1"), (m.add_int, 7500)):
            add(value)
        t._send_user_message(m)  # pylint: disable=protected-access
        m = paramiko.Message()
        for add, value in ((m.add_byte, paramiko.common.cMSG_GLOBAL_REQUEST), (m.add_string, "keepalive@openssh.com"),
                           (m.add_boolean, True)):
            add(value)
        with contextlib.suppress(OSError, EOFError):
            for _ in range(3000):
                t._send_user_message(m)  # pylint: disable=protected-access
        wait_for(lambda: not t.is_active(), 20, "the end of the connection")
    host.wait_for_log("sends more than it was told to")
