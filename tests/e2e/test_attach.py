"""Into a container: terminal size, environment, exit status, streams, on every engine."""

import hashlib
import os
import re
import subprocess
import time

import pexpect
import pytest

from lab import run, wait_for

ENGINES = ("docker", "tls", "podman")


@pytest.fixture(scope="session", params=ENGINES)
def site(request, lab):
    """A jump host over one engine with containers bb, deb and bare."""
    engine = lab.engine(request.param)
    for name, image in (("bb", "busybox"), ("deb", "debian"), ("bare", "noshell")):
        engine.container(name, image)
    host = lab.host(max_startups_per_source=100, backoff_after=0)
    host.user("root1", "--admin")
    host.user("alice")
    host.ctl("grant", "add", "alice", "*")
    host.node(engine, "one")
    host.start()
    host.engine = engine
    # Collected by the last test: 65 seconds pass while the others run.
    host.sleeper = host.popen("alice+bb", "sleep 65; exit 3", options=("-n",), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    yield host
    host.stop()


def test_first_size_is_right_50_times_of_50(site):
    wrong = []
    for i in range(50):
        rows, cols = 20 + i, 70 + 2 * i
        t = site.terminal("alice+" + ("bb", "deb")[i % 2], "stty size", rows=rows, cols=cols)
        t.expect(pexpect.EOF)
        t.close()
        if t.before.split() != [str(rows).encode(), str(cols).encode()]:
            wrong.append((i, t.before))
    assert not wrong


def test_first_size_in_a_login_shell(site):
    for name in ("bb", "deb"):
        t = site.terminal(f"alice+{name}", rows=33, cols=101)
        t.sendline("stty size; exit")
        t.expect(rb"\b33 101\r\n")
        t.expect(pexpect.EOF)
        t.close()


def test_resize_reaches_the_container(site):
    t = site.terminal("alice+bb", rows=30, cols=90)
    t.sendline("echo rea''dy")
    t.expect(b"ready\r\n")
    for rows, cols in ((40, 100), (25, 81), (50, 132)):
        t.setwinsize(rows, cols)

        def arrived():
            t.sendline("stty size; echo en''d")
            t.expect(b"end\r\n")
            return f"{rows} {cols}".encode() in t.before
        wait_for(arrived, 5, "the new size")
    t.sendline("exit")
    t.expect(pexpect.EOF)


def test_fifty_resizes_in_the_menu_then_the_first_size_is_the_last(site):
    t = site.terminal("alice", rows=24, cols=80)
    t.expect(rb"quit\)[^:]*: ")
    for i in range(50):
        t.setwinsize(24 + i % 7, 80 + i)
    t.setwinsize(31, 97)
    t.sendline("bb")
    t.sendline("stty size; exit")
    t.expect(rb"\b31 97\r\n")
    t.expect(rb"quit\)[^:]*: ")
    t.sendline("q")
    t.expect(pexpect.EOF)


@pytest.mark.parametrize("code", (0, 1, 42, 126, 127, 255))
@pytest.mark.parametrize("container", ("bb", "deb"))
def test_exit_status(site, container, code):
    assert site.ssh(f"alice+{container}", f"exit {code}").returncode == code
    t = site.terminal(f"alice+{container}", f"exit {code}")
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus == code
    t = site.terminal(f"alice+{container}")
    t.sendline(f"exit {code}")
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus == code


def test_death_by_signal_is_128_and_the_signal(site):
    for container in ("bb", "deb"):
        assert site.ssh(f"alice+{container}", "kill -9 $$").returncode == 137
        t = site.terminal(f"alice+{container}", "kill -9 $$")
        t.expect(pexpect.EOF)
        t.close()
        assert t.exitstatus == 137


def test_stdout_and_stderr_are_apart(site):
    r = site.ssh("alice+deb", "echo out; echo err >&2; printf 'o\\0o'; printf 'e\\377e' >&2")
    assert (r.returncode, r.stdout, r.stderr) == (0, b"out\no\0o", b"err\ne\xffe")


def test_100_mib_of_random_bytes_through_cat(site):
    data = os.urandom(1 << 20) * 100
    with open(site.dir / "random", "wb") as f:
        f.write(data)
    with open(site.dir / "random") as f, open(site.dir / "copy", "wb") as copy:
        p = site.popen("alice+bb", "cat", stdin=f, stdout=copy, stderr=subprocess.PIPE)
        _, err = p.communicate(timeout=200)
    assert (p.returncode, err) == (0, b"")
    with open(site.dir / "copy", "rb") as f:
        assert hashlib.sha256(f.read()).digest() == hashlib.sha256(data).digest()
    (site.dir / "random").unlink()
    (site.dir / "copy").unlink()


def test_every_byte_value_and_nothing_at_all(site):
    every = bytes(range(256)) * 16
    assert site.ssh("alice+deb", "cat", input=every).stdout == every
    assert site.ssh("alice+deb", "cat", input=b"").stdout == b""


def test_half_close_in_both_directions(site):
    # The client's end of file reaches the command, whose output comes after it.
    r = site.ssh("alice+bb", "cat >/dev/null; echo after; exit 5", input=b"x" * 100000)
    assert (r.returncode, r.stdout) == (5, b"after\n")
    # The command closes its output and goes on reading.
    r = site.ssh("alice+deb", "exec >&- 2>&-; wc -c >/tmp/half; exit 6", input=b"y" * 300000)
    assert r.returncode == 6
    assert site.ssh("alice+deb", "cat /tmp/half").stdout.strip() == b"300000"


def test_a_command_of_120000_bytes(site):
    word = "it's \"quoted\" \\ ü\n"
    body = word * (120000 // len(word.encode()))
    command = "cat <<'J_END'\n" + body + "J_END\n"
    r = site.ssh("alice+deb", command)
    assert r.stdout.decode() == body


def test_input_typed_before_the_attach_is_kept(site):
    p = site.popen("alice+bb", "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = p.communicate(b"early\n" * 1000, timeout=30)
    assert out == b"early\n" * 1000
    t = site.terminal("alice+bb")
    t.send("echo ear''ly; exit 9\r")  # long before the shell is there
    t.expect(b"early\r\n")
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus == 9


def test_ctrl_p_and_ctrl_q_arrive_at_once(site):
    t = site.terminal("alice+bb", "stty raw -echo; echo go; dd bs=1 count=1 2>/dev/null | od -An -tx1; "
                                  "dd bs=1 count=1 2>/dev/null | od -An -tx1")
    t.expect(b"go")
    t.send(b"\x10")
    t.expect(b"10", timeout=5)
    t.send(b"\x11")
    t.expect(b"11", timeout=5)
    t.expect(pexpect.EOF)


def test_environment(site):
    r = site.ssh("alice+deb", "env", options=("-o", "SetEnv=LC_TEST=one GIT_PROTOCOL=version=2 "
                                              "COLORTERM=truecolor LANG=C.UTF-8 LD_PRELOAD=/evil.so"))
    env = dict(line.split("=", 1) for line in r.stdout.decode().splitlines() if "=" in line)
    assert env["LC_TEST"] == "one" and env["GIT_PROTOCOL"] == "version=2"
    assert env["COLORTERM"] == "truecolor" and env["LANG"] == "C.UTF-8"
    assert "LD_PRELOAD" not in env
    assert re.fullmatch(rf"127\.0\.0\.1 \d+ 127\.0\.0\.1 {site.port}", env["SSH_CONNECTION"])
    assert re.fullmatch(rf"127\.0\.0\.1 \d+ {site.port}", env["SSH_CLIENT"])
    assert env["HOME"] == "/root" and env["SHELL"] == "/bin/bash"
    assert "SSH_TTY" not in env
    t = site.terminal("alice+bb", "echo T=$TERM, S=$SSH_TTY, $(tty)", term="xterm-256color")
    t.expect(rb"T=xterm-256color, S=(/dev/pts/\d+), (/dev/pts/\d+)\r\n")
    t.expect(pexpect.EOF)


def test_the_users_own_login_shell(site):
    t = site.terminal("alice+deb")
    t.sendline("echo $0 $BASH_VERSION; exit")
    t.expect(rb"bash 5\.")
    t.expect(pexpect.EOF)
    r = site.ssh("alice+bb", input=b"echo in a login shell: $0; exit 4\n")
    assert r.returncode == 4 and r.stdout.startswith(b"in a login shell")


def test_run_as(site):
    site.user("carol")
    site.ctl("grant", "add", "carol", "deb", "--as", "app")
    assert site.ssh("carol+deb", "id -un; echo $HOME; echo $USER").stdout == b"app\n/home/app\napp\n"


def test_an_image_without_a_shell_gets_one_clear_sentence(site):
    r = site.ssh("alice+bare", "ls")
    assert r.returncode == 69 and r.stdout == b""
    assert r.stderr.count(b"\n") == 1 and b"shell" in r.stderr
    assert b"OCI" not in r.stderr and b"runc" not in r.stderr and b"exec:" not in r.stderr
    t = site.terminal("alice+bare")
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus == 69 and b"shell" in t.before and b"OCI" not in t.before


def test_a_slow_reader_at_the_end_loses_nothing_20_of_20(site):
    total = 1400 * 1024
    readers = []
    for _ in range(20):
        p = site.popen("alice+deb", f"head -c {total} /dev/zero", stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE)
        readers.append(p)
    # The pause is what is tested: nobody reads for 6 seconds.
    pause = time.monotonic() + 6
    wait_for(lambda: time.monotonic() > pause, 7)
    got = []
    for p in readers:
        out, _ = p.communicate(timeout=60)
        got.append((len(out), p.returncode))
    assert got == [(total, 0)] * 20


def test_dropped_clients_leave_nothing_behind(site):
    site.engine.container("drop", "debian")  # busybox here has no nohup
    shells = []
    for first in range(0, 100, 10):  # engines start some 20 a second
        some = [site.terminal("alice+drop", timeout=60) for _ in range(10)]
        for i, t in enumerate(some):
            t.sendline(f"nohup sleep {5000 + first + i} >/dev/null 2>&1 & echo st''arted")
        for t in some:
            t.expect(b"started\r\n")
        shells += some
    commands = []
    for first in range(0, 20, 5):
        commands += [site.popen("alice+drop", f"sleep {7000 + first + i}", stdin=subprocess.DEVNULL) for i in range(5)]
        wait_for(lambda: len([c for _, _, c in site.engine.processes("drop") if c.startswith("sleep 70")])
                 >= len(commands), 60, "the commands to run")
    for t in shells:
        os.kill(t.pid, 9)
    for p in commands:
        p.kill()
    for t in shells:
        t.close(force=True)
    for p in commands:
        p.wait(10)

    def only_the_detached():
        rows = [c for _, _, c in site.engine.processes("drop") if c.startswith(("sh", "bash", "/bin/bash", "/bin/sh", "sleep 7"))]
        return not rows
    wait_for(only_the_detached, 10, "the shells and commands to end")
    alive = [c for _, _, c in site.engine.processes("drop") if c.startswith("sleep 50")]
    assert len(alive) == 100
    site.engine.remove("drop")


def test_signals_reach_the_command(site):
    """An SSH signal request, which OpenSSH's client cannot send: paramiko's channel can."""
    import paramiko
    c = paramiko.SSHClient()
    c.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    c.connect("127.0.0.1", site.port, "alice+bb", key_filename=str(site.key), allow_agent=False,
              look_for_keys=False)
    ch = c.get_transport().open_session()
    ch.exec_command("trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.1; done")
    assert ch.recv(100) == b"ready\n"
    m = paramiko.Message()
    m.add_byte(b"\x62")
    m.add_int(ch.remote_chanid)
    m.add_string("signal")
    m.add_boolean(False)
    m.add_string("USR1")
    c.get_transport()._send_user_message(m)
    assert ch.recv(100) == b"caught\n"
    assert ch.recv_exit_status() == 7
    c.close()


def test_container_states(site):
    e = site.engine
    e.container("state", "busybox")
    assert site.ssh("alice+state", "true").returncode == 0
    e.cli("pause", "state")
    r = site.ssh("alice+state", "true")
    assert r.returncode == 69 and b"paused" in r.stderr and r.stderr.count(b"\n") == 1
    e.cli("unpause", "state")
    e.cli("stop", "--time", "0", "state")
    r = site.ssh("alice+state", "true")
    assert r.returncode == 69 and b"not running" in r.stderr and r.stderr.count(b"\n") == 1
    e.remove("state")

    def gone():
        return site.ssh("alice+state", "true").returncode == 66
    wait_for(gone, 5, "the removed container to be unknown")


def test_a_container_made_anew_is_reached_at_once(site):
    for _ in range(5):  # its older row may still be in the inventory
        site.engine.container("anew", "busybox")
        r = site.ssh("alice+anew", "echo in")
        assert (r.returncode, r.stdout) == (0, b"in\n"), r.stderr
    site.engine.remove("anew")


@pytest.mark.parametrize("what", ("stop", "restart", "rm"))
def test_container_ends_under_a_live_session(site, what):
    e = site.engine
    e.container("live", "busybox")
    t = site.terminal("alice+live")
    t.sendline("echo rea''dy")
    t.expect(b"ready\r\n")
    p = site.popen("alice+live", "sleep 1000", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for(lambda: any("sleep 1000" == c for _, _, c in e.processes("live")), 20, "the command")
    e.cli(*{"stop": ("stop", "--time", "1"), "restart": ("restart", "--time", "1"),
            "rm": ("rm", "--force")}[what], "live")
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus in (137, 143, 129)
    p.communicate(timeout=30)
    assert p.returncode in (137, 143, 129)
    e.remove("live")


def test_a_paused_container_goes_on_after_unpause(site):
    e = site.engine
    e.container("pausing", "busybox")
    t = site.terminal("alice+pausing")
    t.sendline("echo rea''dy")
    t.expect(b"ready\r\n")
    e.cli("pause", "pausing")
    t.sendline("echo ag''ain; exit 3")
    e.cli("unpause", "pausing")
    t.expect(b"again\r\n")
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus == 3
    e.remove("pausing")


def test_exit_status_after_65_s_with_stdin_at_eof(site):
    out, err = site.sleeper.communicate(timeout=100)
    assert (site.sleeper.returncode, out, err) == (3, b"", b"")
