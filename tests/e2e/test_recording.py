"""Recordings of terminals: what is in them, who is recorded, and what a killed session leaves."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import stat
import subprocess
import time
import zlib

import pexpect
import pytest

from lab import SLOW, ended, live_terminal, run, wait_for


def recordings(host):
    """In the order in which they began: a name begins with a second, and goes on with a number."""
    def begun(path):
        return path.name.split("-")[0], len(path.name), path.name
    return sorted((host.state / "recordings").glob("*"), key=begun)


def members(data):
    """The gzip members of a file, and whether the last one is whole."""
    found = []
    while data:
        z = zlib.decompressobj(31)
        found.append(z.decompress(data))
        if not z.eof:
            return found, False
        data = z.unused_data
    return found, True


def cast(path):
    """(header, events) of a recording; an unfinished last line is left out."""
    text = b"".join(members(path.read_bytes())[0]).decode()
    lines = text[:text.rindex("\n")].split("\n")
    return json.loads(lines[0]), [json.loads(line) for line in lines[1:]]


def output(events):
    return "".join(e[2] for e in events if e[1] == "o")


@pytest.fixture(scope="module")
def host(lab, docker):
    host = lab.site(docker, recording="on")
    yield host.start()
    host.stop()


def recorded(host, *typed, login="alice+bb", size=(24, 80), told=""):
    """Types that into a shell, leaves it and returns the recording."""
    before = recordings(host)
    t = host.terminal(login, rows=size[0], cols=size[1])
    t.expect(f"jumpbox: this terminal is recorded{told}\r\n".encode())
    t.expect(rb"[#$] ")
    for line in typed:
        t.send(line)
    t.sendline("exit 3")
    assert ended(t) == 3
    (path,) = wait_for(lambda: [p for p in recordings(host) if p not in before], 10, "a recording")
    return path, t


def test_a_terminal_is_recorded(host):
    path, t = recorded(host, "echo hel''lo; stty size\r", size=(30, 100))
    head, events = cast(path)
    assert (head["version"], head["width"], head["height"], head["env"]) == (2, 100, 30, {"TERM": "xterm"})
    assert head["title"] == "alice in one/bb" and abs(head["timestamp"] - time.time()) < 60
    assert "hello\r\n30 100\r\n" in output(events)
    assert {e[1] for e in events} == {"o"}
    times = [e[0] for e in events]
    assert times == sorted(times) and 0 <= times[0] and times[-1] < 60
    owner = pwd.getpwnam("jumpbox").pw_uid if os.geteuid() == 0 else os.geteuid()
    for file, mode in ((path, 0o600), (path.parent, 0o700)):
        st = file.stat()
        assert (stat.S_IMODE(st.st_mode), st.st_uid) == (mode, owner)
    assert re.fullmatch(r"\d{8}T\d{6}Z-\d+-\d+\.cast\.gz", path.name)
    session = int(path.name.split("-")[1])
    (row,) = [s for s in host.ctl_json("session", "list", "--all") if s["id"] == session]
    assert row["recordings"] == 1
    (opened,) = [r for r in host.audit("attach.open") if f"recording={path.name}" in r["detail"]]
    assert opened["user"] == "alice"


def played(text, directory, command=("cat",)):
    """What asciinema itself shows of it, in a terminal and a home of its own (two at once both make what is missing)."""
    home = directory / f"{random.randrange(1 << 60)}"
    home.mkdir()
    file = home / "a.cast"
    file.write_bytes(text)
    t = pexpect.spawn("asciinema", [*command, str(file)], dimensions=(24, 80), timeout=60 * SLOW,
                      env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(home)}, encoding=None)
    shown = t.read()
    assert ended(t) == 0, shown
    return shown


def test_asciinema_plays_what_zcat_makes_of_it(host, tmp_path):
    t = live_terminal(host)
    t.setwinsize(41, 133)
    t.sendline("printf '\\303\\244\\n'; stty size; exit")
    ended(t)
    path = recordings(host)[-1]
    text = run("zcat", path).stdout
    _, events = cast(path)
    assert {e[1] for e in events} == {"o", "r"}
    assert "ä\r\n" in output(events)
    assert played(text, tmp_path).replace(b"\r", b"") == output(events).replace("\r", "").encode()
    assert "ä\r\n".encode() in played(text, tmp_path, ("play", "-s", "100", "-i", "0.01"))


def test_output_that_is_no_utf8_and_sizes(host):
    """Bytes as they come, in pieces that cut characters, become what asciinema's own recorder makes of them."""
    noise = random.Random(5).randbytes(3000) + "grün 中文 🐋".encode() * 400
    noise = noise.replace(b"\0", b"")
    host.engine.cli("exec", "-i", "bb", "sh", "-c", "cat > /tmp/noise", input=noise)
    t = live_terminal(host)
    t.setwinsize(41, 133)
    t.sendline("stty -opost; echo be''gin; dd if=/tmp/noise bs=7 2>/dev/null; echo; stty size; echo en''d; exit")
    ended(t)
    path = recordings(host)[-1]
    _, events = cast(path)
    text = output(events)
    assert noise.decode(errors="replace") in text
    (size,) = [e for e in events if e[1] == "r"]
    assert size[2] == "133x41" and "\n41 133\n" in text


def test_input_only_where_that_is_configured(host, own_host):
    path, _ = recorded(host, "echo vi''sible\r")
    assert {e[1] for e in cast(path)[1]} == {"o"}
    asking = own_host(recording="on", recording_input="yes")
    path, _ = recorded(asking, "stty -echo\r", "sec''ret\r", told=", and so is what you type")
    typed = "".join(e[2] for e in cast(path)[1] if e[1] == "i")
    assert typed == "stty -echo\rsec''ret\rexit 3\n"
    assert "sec''ret" not in output(cast(path)[1])


def is_recorded(host, login, *command):
    """Whether a terminal says so, which it does if there is a file for it."""
    before = len(recordings(host))
    t = host.terminal(login, *command)
    t.sendline("exit")
    said = b"this terminal is recorded" in t.read()
    ended(t)
    assert len(recordings(host)) - before == said
    return said


def test_who_is_recorded(own_host):
    """A grant's word before the node's before the configuration's; on before off among grants."""
    host = own_host()
    assert not is_recorded(host, "alice+bb")
    assert not (host.state / "recordings").exists()
    host.ctl("node", "set", "one", "record", "on")
    assert is_recorded(host, "alice+bb") and is_recorded(host, "root1+bb") and is_recorded(host, "alice+bb", "exit")
    assert host.ctl_json("node", "list")[0]["record"] == "on"
    off = host.ctl("grant", "add", "alice", "bb", "--record", "off").stdout.decode().strip()
    assert not is_recorded(host, "alice+bb") and is_recorded(host, "root1+bb") and is_recorded(host, "alice+deb")
    on = host.ctl("grant", "add", "alice", "b*", "--record", "on").stdout.decode().strip()
    assert is_recorded(host, "alice+bb")
    assert [g["record"] for g in host.ctl_json("grant", "list")] == [None, "off", "on"]
    host.ctl("node", "set", "one", "record", "off")
    host.ctl("grant", "del", off)
    assert is_recorded(host, "alice+bb") and not is_recorded(host, "alice+deb")
    host.ctl("grant", "del", on)
    assert not is_recorded(host, "alice+bb")
    host.ctl("node", "set", "one", "record", "")
    assert host.ctl_json("node", "list")[0]["record"] is None
    assert b"on or off" in host.ctl("node", "set", "one", "record", "maybe", check=False).stderr
    # Only terminals, and not one byte of ours on a stream.
    host.ctl("node", "set", "one", "record", "on")
    before = recordings(host)
    r = host.ssh("alice+bb", "echo plain")
    assert (r.returncode, r.stdout, r.stderr) == (0, b"plain\n", b"") and recordings(host) == before


@contextlib.contextmanager
def in_the_way(host, kind):
    """No recording can be made."""
    path = host.state / "recordings"
    if kind == "a file":
        path.write_text("")
        yield
        path.unlink()
    elif kind == "a full disk":
        path.mkdir()
        run("mount", "-t", "tmpfs", "-o", "size=8m,mode=0777", "none", path)
        yield
        run("umount", path)
        path.rmdir()
    else:
        path.mkdir(mode=0o700)
        shutil.chown(path, "root")
        yield
        path.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts, and directories of root's")
@pytest.mark.parametrize("kind", ("a file", "a full disk", "root's directory"))
def test_no_recording_no_terminal(own_host, kind):
    host = own_host(recording="on")
    with in_the_way(host, kind):
        t = host.terminal("alice+bb")
        said = t.read()
        assert ended(t) == 69
        assert said == (b"jumpbox: this terminal has to be recorded and cannot be, so nothing was started; tell the "
                        b"operator\r\n")
        assert "recording.failed" in host.log_text() and not host.audit("attach.open")
        r = host.ssh("alice+bb", "echo plain")
        assert (r.returncode, r.stdout) == (0, b"plain\n")
    assert is_recorded(host, "alice+bb")


def test_nothing_is_left_of_a_terminal_that_did_not_open(own_host, docker):
    host = own_host(recording="on")
    docker.cli("create", "--name", "paused", docker.image("busybox"), "sleep", "100000")
    try:
        t = host.terminal("alice+paused")
        t.read()
        assert ended(t) == 69 and recordings(host) == []
        docker.cli("start", "paused")
        t = host.terminal("alice+bare")  # no shell: known only when it is to start
        t.read()
        assert ended(t) != 0
        host.live(0)
        shown = [cast(path) for path in recordings(host)]
        assert len(shown) == sum(s["recordings"] for s in host.ctl_json("session", "list", "--all"))
    finally:
        docker.remove("paused")


def test_at_its_largest_the_terminal_ends(own_host):
    """With a note in the file, which stays below the limit and whole."""
    host = own_host(recording="on", recording_max_size=1)
    t = host.terminal("alice+bb", "while :; do head -c 100000 /dev/urandom; done")
    said = t.read()
    assert ended(t) == 69
    assert said.endswith("\r\njumpbox: the recording of this terminal has reached its limit, so the terminal ends\r\n"
                         .encode())
    (path,) = recordings(host)
    assert 0.8 * 2**20 < path.stat().st_size <= 2**20
    assert members(path.read_bytes())[1]
    assert output(cast(path)[1]).endswith("[jumpbox: the recording ends here: it has reached recording-max-size]\r\n")
    (closed,) = wait_for(lambda: host.audit("attach.close"), 20, "its end")
    assert "how=recording full" in closed["detail"]
    wait_for(lambda: not [p for p in host.engine.processes("bb") if "urandom" in p[2]], 20, "the command to end")
    assert host.ssh("alice+bb", "echo plain").returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
def test_a_disk_that_fills_up_ends_the_terminal(own_host):
    host = own_host(recording="on", start=False)
    path = host.state / "recordings"
    path.mkdir(mode=0o700)
    run("mount", "-t", "tmpfs", "-o", "size=20m,mode=0700,uid=jumpbox,gid=jumpbox", "none", path)
    try:
        host.start()
        t = live_terminal(host)
        fill = path / "fill"
        with open(fill, "wb", buffering=0) as f, contextlib.suppress(OSError):
            while True:
                f.write(bytes(4096))
        t.sendline("head -c 100000 /dev/urandom | hexdump")
        t.expect(b"jumpbox: the recording of this terminal cannot be written, so the terminal ends")
        assert ended(t) == 69
        fill.unlink()
        assert is_recorded(host, "alice+bb")
    finally:
        host.stop()
        run("umount", path)


KILLED = 50


def flood(host, number, directory):
    """A client whose terminal says its number and the time, ten times a second; half of them a lot with it."""
    much = "$(head -c 3000 /dev/urandom | hexdump)" if number % 2 else ""
    out = open(directory / str(number), "wb")
    command = f'x="{much}"; while :; do read now < /proc/uptime; echo "$x"; echo "=k{number} $now"; usleep 100000; done'
    p = subprocess.Popen(host.ssh_argv("alice+bb", command, options=("-tt",)), stdin=subprocess.DEVNULL, stdout=out,
                         stderr=out)
    out.close()
    return p


def times(number, data):
    return [float(t) for t in re.findall(rb"=k%d (\d+\.\d+) \d+\.\d+\r\n" % number, data)]


def test_a_killed_session_loses_less_than_a_second(lab, docker, tmp_path):
    """kill -9 at random moments: every file plays, to within a second of what the client saw last."""
    host = lab.site(docker, recording="on").start()
    host.may_crash = True
    clients = [flood(host, n, tmp_path) for n in range(KILLED)]
    for n in range(KILLED):
        wait_for(lambda: times(n, (tmp_path / str(n)).read_bytes()), 60, f"output of {n}")
    sessions = host.serving("jumpbox-session")
    assert len(sessions) == KILLED
    dice = random.Random(2026)
    dice.shuffle(sessions)
    for pid in sessions:
        deadline = time.monotonic() + dice.uniform(0, 0.12)
        wait_for(lambda: time.monotonic() >= deadline, 5)
        os.kill(pid, 9)
    for p in clients:
        p.wait(30 * SLOW)
    files = recordings(host)
    assert len(files) == KILLED
    whose = {m.group(1): int(m.group(2)) for r in host.audit("attach.open")
             if (m := re.search(r"recording=(\S+) command=.*=k(\d+) ", r["detail"]))}
    texts, lost = {}, {}
    for path in files:
        number = whose.pop(path.name)
        text = b"".join(members(path.read_bytes())[0])
        texts[number] = text[:text.rindex(b"\n") + 1]
        seen = times(number, (tmp_path / str(number)).read_bytes())
        told = times(number, "".join(json.loads(line)[2] for line in texts[number].splitlines()[1:]).encode())
        assert told == seen[:len(told)] or seen == told[:len(seen)]
        lost[number] = seen[-1] - seen[len(told)] if len(told) < len(seen) else 0
    assert not whose and set(texts) == set(range(KILLED))
    assert max(lost.values()) < 1 * SLOW, lost
    assert max(lost.values()) > 0.2, "nothing was ever waiting: this shows nothing"
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for text, shown in zip(texts.values(), pool.map(lambda text: played(text, tmp_path), texts.values())):
            assert shown.replace(b"\r", b"") == b"".join(
                json.loads(line)[2].encode() for line in text.splitlines()[1:]).replace(b"\r", b"")
    host.stop()


# ---- what becomes of them

def test_retention(own_host):
    """By age and by what all take; one that is being made stays, and the audit says what went."""
    host = own_host(recording="on")
    old, _ = recorded(host, "echo old\r")
    new, _ = recorded(host, "echo new\r")
    live = live_terminal(host)
    (being_made,) = [p for p in recordings(host) if p not in (old, new)]
    long_ago = time.time() - 3 * 86400
    for path in (old, being_made):
        os.utime(path, (long_ago, long_ago))
    host.stop(signal.SIGTERM)  # live sessions go on
    host.configure(recording_retention=2)
    host.start()
    wait_for(lambda: not old.exists(), 10, "the old one to be removed")
    assert recordings(host) == [new, being_made]
    (row,) = host.audit("recording.del")
    assert (row["actor"], row["target"]) == ("retention", old.name)
    r = host.ctl("session", "replay", old.name.split("-")[1], "--cast", check=False)
    assert r.returncode == 66 and b"has no recording" in r.stderr
    host.stop(signal.SIGTERM)
    with open(new, "ab") as f:
        f.write(bytes(2 << 20))
    host.configure(recording_retention=0, recording_max_total=1)
    host.start()
    wait_for(lambda: not new.exists(), 10, "what is too much to be removed")
    assert recordings(host) == [being_made]
    live.sendline("echo sti''ll; exit")
    live.expect(b"still")
    ended(live)
    assert "still" in output(cast(being_made)[1])


def test_check_looks_at_recordings(own_host):
    host = own_host()

    def line():
        r = host.ctl("--json", "check", check=False)
        (row,) = [row for row in json.loads(r.stdout) if row["check"] == "recordings"]
        assert (r.returncode == 0) == row["ok"]
        return row["ok"], row["message"]
    assert line() == (True, "configured off; none yet")
    host.ctl("node", "set", "one", "record", "on")
    t = live_terminal(host)
    ok, said = line()
    assert ok and re.fullmatch(r"configured off; 1 files, 0 MiB; 1 being made; \d+ MiB free", said)
    t.sendline("exit")
    ended(t)
    wait_for(lambda: "; 0 being made;" in line()[1], 10, "its end")
    path = host.state / "recordings"
    (file,) = recordings(host)

    def bad(why):
        return False, (f"{path}: 1 of 1 files are not for the owner of the database alone ({file.name}: {why}): "
                       "chown, chmod 600")
    file.chmod(0o640)
    assert line() == bad("others may read it")
    file.chmod(0o000)
    if os.geteuid() == 0:
        assert line() == bad("Permission denied")
        shutil.chown(file, "root")
        file.chmod(0o644)
        assert line() == bad("it belongs to somebody else")
        shutil.chown(file, "jumpbox")
    file.chmod(0o600)
    conf = host.conf.read_text()
    host.configure(recording_max_total=7)
    with open(file, "ab") as f:
        f.write(bytes(2 << 20))
    assert "; 1 files, 2 of at most 7 MiB; 0 being made; " in line()[1]
    host.conf.write_text(conf)
    path.chmod(0o755)
    assert line() == (False, f"{path}: others may look into it: chmod 700")
    if os.geteuid() == 0:
        path.chmod(0o700)
        shutil.chown(path, "root")
        path.chmod(0o755)
        assert line() == (False, f"{path}: it belongs to somebody else: chown it to the owner of the database")
        shutil.chown(path, "jumpbox")
    path.chmod(0o500)
    if os.geteuid() == 0:
        assert line() == (False, f"{path}: it cannot be written to: chmod 700")
        path.chmod(0o700)
        run("mount", "-t", "tmpfs", "-o", "size=8m,mode=0700,uid=jumpbox", "none", path)
        try:
            assert line() == (False, f"{path}: the disk is full, so that terminals that have to be recorded are refused")
        finally:
            run("umount", path)
    path.chmod(0o700)
    assert line()[0]
