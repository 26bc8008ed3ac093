"""Shells and commands on a helper's stream: what that gives beyond a stream of their own, and how they do without."""

import contextlib
import os
import signal
import subprocess
import time

import paramiko
import pexpect
import pytest

from lab import SLOW, channel_request, ended, live_terminal, read_all, wait_for


@contextlib.contextmanager
def connection(host, login):
    t = host.transport(login)
    try:
        yield t
    finally:
        t.close()


def start(t, command):
    ch = t.open_session()
    ch.exec_command(command)
    return ch


def helpers(host, name):
    """Pids, on this machine's side, of the helpers in a container."""
    return [pid for pid, _, command in host.engine.processes(name) if command.startswith("/proc/self/fd/3")]


def log_since(host, mark):
    return host.log_text()[mark:]


def test_one_stream_carries_all_of_a_connection(host, container):
    name = container("c-many")
    mark = len(host.log_text())
    with connection(host, f"alice+{name}") as t:
        commands = [start(t, f"echo {i}; exec sleep {8000 + i}") for i in range(5)]
        for i, ch in enumerate(commands):
            assert ch.recv(100) == b"%d\n" % i
        parents = {parent for _, parent, command in host.engine.processes(name) if command.startswith("sleep 800")}
        assert len(helpers(host, name)) == 1 and parents == set(helpers(host, name))
    log = log_since(host, mark)
    assert log.count("carried=1") == 5 and "attach.refused" not in log
    wait_for(lambda: len(host.engine.processes(name)) <= 2, 10, "nothing to be left")


def test_a_further_command_costs_no_exec(host, container):
    name = container("c-fast")

    def execs():
        """As the engine has counted them."""
        events = host.engine.cli("events", "--since", "0", "--until", f"{time.time():.6f}",
                                 "--filter", f"container={name}", "--filter", "event=exec_create")
        return events.stdout.count(b" exec_create: ")
    with connection(host, f"alice+{name}") as t:
        assert start(t, "true").recv_exit_status() == 0
        before = execs()
        for _ in range(30):
            assert read_all(start(t, "echo in")) == b"in\n"
        assert execs() == before > 0


def died_of(t, command, tty=False):
    """The exit-signal request of a command: paramiko drops it."""
    said = []

    def seen(channel, m):
        if m.get_text() == "exit-signal":
            m.get_boolean()
            said.append((m.get_text(), m.get_boolean()))
        m.rewind()
        channel._handle_request(m)
    t._channel_handler_table = {**t._channel_handler_table, paramiko.common.MSG_CHANNEL_REQUEST: seen}
    ch = t.open_session()
    if tty:
        ch.get_pty()
    ch.exec_command(command)
    out = read_all(ch)
    wait_for(lambda: ch.closed or ch.eof_received, 10, "the end")
    wait_for(lambda: said, 10, "the signal")
    return out, said


@pytest.mark.parametrize("tty", (False, True), ids=("", "tty"))
def test_death_by_signal_is_reported_as_such(host, tty):
    for name, said in (("TERM", "TERM"), ("KILL", "KILL"), ("USR1", "USR1"), ("BUS", "SIG@openssh.com")):
        with connection(host, "alice+deb") as t:
            out, signals = died_of(t, f"ulimit -c 0; echo in; kill -{name} $$", tty)
            assert (out.strip(), signals) == (b"in", [(said, False)])
    wait_for(lambda: [r for r in host.audit("attach.close") if "status=143" in r["detail"]], 10, "the audit")


def test_a_menu_says_how_it_was_killed(host):
    t = host.terminal("alice", term="dumb")
    t.expect(rb"quit\)[^:]*: ")
    t.sendline("deb")
    t.sendline("exec sh -c 'kill -TERM $$'")
    t.expect(rb"deb: ended with exit code 143\r\n")
    t.sendline("q")
    assert ended(t) == 0


def test_signals_need_no_program_of_the_container(host, container):
    """`kill` is a builtin; what bare streams need is a shell that can be started then. Here it cannot."""
    name = container("c-signal")
    with connection(host, f"alice+{name}") as t:
        ch = start(t, "trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.1; done")
        assert ch.recv(100) == b"ready\n"
        host.engine.exec(name, "mv", "/bin/sh", "/bin/no-sh")
        channel_request(ch, "signal", "USR1")
        assert ch.recv(100) == b"caught\n" and ch.recv_exit_status() == 7


def test_the_modes_of_new_files_are_the_containers(host):
    for login in ("alice+bb", "alice+deb"):
        own = host.engine.exec(login[6:], "sh", "-c", "umask")
        assert host.ssh(login, "umask").stdout.decode().strip() == own.strip()


@pytest.mark.parametrize("name, options", (
    ("c-full", ("--read-only", "--user", "app")),
    ("c-label", ("--label", "jumpbox.helper=off"))))
def test_without_a_place_for_it_nobody_notices(host, container, name, options):
    container(name, "busybox", *options)
    mark = len(host.log_text())
    with connection(host, f"alice+{name}") as t:
        for _ in range(3):
            ch = start(t, "echo in; exit 3")
            assert (read_all(ch), ch.recv_stderr(100), ch.recv_exit_status()) == (b"in\n", b"", 3)
    log = log_since(host, mark)
    assert log.count("helper.refused") == 1, "it was asked for again"
    assert log.count("carried=0") == 3 + (name == "c-full") and "attach.refused" not in log
    t = live_terminal(host, f"alice+{name}")
    t.sendline("exit 5")
    assert ended(t) == 5


def test_another_user_or_shell_has_a_stream_of_its_own(host):
    host.user("other")
    host.ctl("grant", "add", "other", "deb", "--as", "app", "--allow", "exec")
    host.ctl("grant", "add", "other", "deb", "--as", "root", "--allow", "files")
    assert host.ssh("other+deb", "id -un").stdout == b"app\n"


def test_a_killed_helper_ends_what_it_carried_and_no_more(host, container):
    name = container("c-killed")
    with connection(host, f"alice+{name}") as t:
        ch = start(t, "echo up; exec sleep 8100")
        assert ch.recv(100) == b"up\n"
        host.engine.exec(name, "sh", "-c", f"kill -KILL {helpers(host, name)[0]}")
        assert ch.recv_exit_status() == 137
        wait_for(lambda: "sleep 8100" not in [c for _, _, c in host.engine.processes(name)], 10, "its end")
        ch = start(t, "echo again; exit 4")
        assert (read_all(ch), ch.recv_exit_status()) == (b"again\n", 4)


def test_a_withdrawn_grant_ends_it_with_the_reason(host):
    host.user("briefly")
    host.ctl("grant", "add", "briefly", "deb")
    number = host.ctl_json("grant", "list", "--user", "briefly")[0]["id"]
    p = host.popen("briefly+deb", "echo up; sleep 8200", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE)
    t = live_terminal(host, "briefly+deb")
    assert p.stdout.readline() == b"up\n"
    host.ctl("grant", "del", str(number))
    assert p.wait(5 * SLOW) == 77 and b"withdrawn" in p.stderr.read()
    assert ended(t) == 77 and b"withdrawn" in t.before
    wait_for(lambda: not [c for _, _, c in host.engine.processes("deb") if c == "sleep 8200"], 10, "its end")
    p.stdout.close()
    p.stderr.close()


def test_more_than_any_buffer_waits_for_a_reader(host):
    """A bare stream holds what its bounded buffer does. Here the process waits, however long."""
    size = 16 << 20
    t = host.transport("alice+deb")
    ch = t.open_session(window_size=32768)
    ch.exec_command(f"head -c {size} /dev/zero; echo end; exit 6")
    wait_for(ch.recv_ready, 20, "the first bytes")
    pause = time.monotonic() + 4  # what is tested
    wait_for(lambda: time.monotonic() > pause, 6)
    out = read_all(ch)
    assert len(out) == size + 4 and out.endswith(b"end\n") and ch.recv_exit_status() == 6
    t.close()


def test_one_that_nobody_reads_delays_no_other(host):
    with connection(host, "alice+deb") as t:
        stalled = t.open_session(window_size=32768)
        stalled.exec_command("cat /dev/zero")
        wait_for(stalled.recv_ready, 20, "the first bytes")
        began = time.monotonic()
        ch = start(t, "head -c 8000000 /dev/zero")
        assert len(read_all(ch)) == 8000000
        assert time.monotonic() - began < 10 * SLOW


def test_a_byte_at_a_time_and_both_outputs(host):
    """The most frames for the least bytes, while the client takes none of them."""
    t = host.transport("alice+bb")
    ch = t.open_session(window_size=32768)
    ch.exec_command("dd if=/dev/zero bs=1 count=300000 2>/dev/null; echo out; echo err >&2; exit 2")
    wait_for(ch.recv_ready, 20, "the first bytes")
    pause = time.monotonic() + 2
    wait_for(lambda: time.monotonic() > pause, 6)
    out = read_all(ch)
    assert out == b"\0" * 300000 + b"out\n" and ch.recv_stderr(100) == b"err\n" and ch.recv_exit_status() == 2
    t.close()


def test_what_was_detached_lives_on_and_the_rest_does_not(host, container):
    name = container("c-drop")
    t = live_terminal(host, f"alice+{name}")
    t.sendline("nohup sleep 8300 >/dev/null 2>&1 & echo st''arted")
    t.expect(b"started\r\n")
    t.sendline("sleep 8301")
    wait_for(lambda: "sleep 8301" in [c for _, _, c in host.engine.processes(name)], 10, "the command")
    os.kill(t.pid, signal.SIGKILL)
    wait_for(lambda: "sleep 8301" not in [c for _, _, c in host.engine.processes(name)], 10, "its end")
    wait_for(lambda: not helpers(host, name), 10, "the helper's end")
    assert "sleep 8300" in [c for _, _, c in host.engine.processes(name)]
    t.expect(pexpect.EOF)


def test_who_is_left_behind_is_ended_without_a_program_of_the_container(host, container):
    """HUP, then TERM, then KILL, to main processes alone. A bare stream needs a `kill` and a shell for that."""
    name = container("c-left")
    wait = "while :; do sleep 0.1; done"
    t = host.transport(f"alice+{name}")
    traps = ("trap 'echo HUP >/tmp/hup; exit' HUP", "trap '' HUP; trap 'echo TERM >/tmp/term; exit' TERM",
             "trap '' HUP TERM; nohup sleep 8400 >/dev/null 2>&1 &")
    commands = [start(t, f"{trap}\necho up; : main{i}; {wait}") for i, trap in enumerate(traps)]
    assert [ch.recv(100) for ch in commands] == [b"up\n"] * 3
    for program in ("sh", "bash", "kill"):
        host.engine.exec(name, "mv", f"/bin/{program}", f"/bin/no-{program}", check=False)
    t.sock.close()  # as a client that was killed

    def mains():
        return [c for _, _, c in host.engine.processes(name) if ": main" in c]
    wait_for(lambda: not mains(), 10, "their end")
    for file, said in (("hup", "HUP"), ("term", "TERM")):
        assert host.engine.exec(name, "cat", f"/tmp/{file}").strip() == said
    wait_for(lambda: not helpers(host, name), 10, "the helper's end")
    assert "sleep 8400" in [c for _, _, c in host.engine.processes(name)]
    t.close()
