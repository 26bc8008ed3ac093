"""Recordings played and watched, by jumpboxctl and by administrators over ssh: on real terminals."""

import io
import json
import os
import re
import signal
import time

import pexpect
import pytest

from lab import SLOW, ended, live_terminal, run, wait_for
from screen import Screen
from test_recording import cast, output, played, recorded, recordings
from test_session import new_session, session_pids


@pytest.fixture(scope="module")
def host(lab, docker):
    host = lab.site(docker, recording="on")
    host.may_crash = True
    yield host.start()
    host.stop()


def session_of(path):
    return path.name.split("-")[1]


def operator(host, *args, rows=24, cols=80):
    """jumpboxctl on a terminal whose state is printed before and after, and its exit status."""
    script = 'stty -g; "$@"; s=$?; echo; echo "status=$s"; stty -g'
    t = pexpect.spawn("sh", ["-c", script, "sh", str(host.prefix / "sbin/jumpboxctl"), "-f", str(host.conf),
                             *map(str, args)], dimensions=(rows, cols), timeout=20 * SLOW, encoding=None)
    t.logfile_read = io.BytesIO()
    return t


def outcome(t):
    """(exit status, what was shown), once the terminal is as it was."""
    t.read()
    shown = t.logfile_read.getvalue()
    before, rest = shown.split(b"\r\n", 1)
    rest, status, after = re.fullmatch(rb"(?s)(.*)\r\nstatus=(\d+)\r\n(\S+)\r\n", rest).groups()
    assert before == after
    if b"\x1b[?1047l" in rest:  # and shows what it did, whatever was played
        assert b"\x1b[?25h" in rest.rsplit(b"\x1b[?1047l", 1)[1]
    return int(status), rest


@pytest.fixture(scope="module")
def old(host):
    """A recording that has ended; in its middle there is time for a key, also where the machine is slow."""
    path, _ = recorded(host, "printf 'first\\n'; sleep 2; printf 'se''cond \\033[31mred\\033[0m\\n'\r", size=(20, 70))
    host.live(0)  # its end is in the database
    return path


def test_replay(host, old):
    begun = time.monotonic()
    status, shown = outcome(operator(host, "session", "replay", session_of(old)))
    assert status == 0 and time.monotonic() - begun > 2
    assert re.match(rb"alice in one/bb, \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, 70x20; space pauses, q leaves\r\n", shown)
    assert output(cast(old)[1]).encode() in shown and b"\x1b[31mred" in shown
    assert b"The recording ends here." in shown and b"only what fits" not in shown
    row = host.audit("session.replay")[-1]
    assert (row["user"], row["target"]) == ("alice", session_of(old)) and f"recording={old.name}" in row["detail"]
    assert row["actor"].startswith("operator:")


def test_replay_at_another_speed(host, old):
    def seconds(*options):
        """Of the time in which nothing was shown."""
        t = operator(host, "session", "replay", session_of(old), *options)
        t.expect(b"first\r\n")
        begun = time.monotonic()
        t.expect(b"cond")
        passed = time.monotonic() - begun
        assert outcome(t)[0] == 0
        return passed
    usual, fast, short = seconds(), seconds("--speed", "50"), seconds("--idle", "0.05")
    assert usual > 1.5 and fast < usual / 2 and short < usual / 2


@pytest.mark.parametrize("key", ("q", "\x03", "\x04"))
def test_a_key_leaves(host, old, key):
    t = operator(host, "session", "replay", session_of(old), "--speed", "0.1")
    t.expect(b"first\r\n")
    t.send("\x1b[24;80R")  # the terminal's answer to something that was shown is no key
    t.send("x" + key)
    status, shown = outcome(t)
    assert status == 0 and b"ends here" not in shown and b"cond" not in shown.split(b"first\r\n")[1]


def test_pause(host, old):
    t = operator(host, "session", "replay", session_of(old))
    t.expect(b"first\r\n")
    t.send(" ")
    with pytest.raises(pexpect.TIMEOUT):
        t.expect(b"cond", timeout=2.5)
    t.send(" ")
    status, shown = outcome(t)
    assert status == 0 and b"cond" in shown.split(b"first\r\n")[1]


def test_from_outside_the_terminal_is_restored_too(host, old):
    t = operator(host, "session", "replay", session_of(old), "--speed", "0.1")
    t.expect(b"first\r\n")
    (pid,) = [p for p in map(int, run("pgrep", "-P", t.pid).stdout.split())]
    os.kill(pid, signal.SIGTERM)
    assert outcome(t)[0] == 0


def test_a_smaller_terminal_is_told(host, old):
    status, shown = outcome(operator(host, "session", "replay", session_of(old), "--speed", "100", rows=10, cols=40))
    assert status == 0
    assert b"This terminal has 40x10: only what fits is shown." in shown and b"\x1b[?7l" in shown
    assert b"This terminal is smaller than what was shown (70x20 at last): it was cut." in shown


def test_as_asciicast(host, old, tmp_path):
    text = host.ctl("session", "replay", session_of(old), "--cast").stdout
    assert text == run("zcat", old).stdout
    assert b"first" in played(text, tmp_path)
    cut = host.state / "recordings" / old.name
    whole = cut.read_bytes()
    try:
        cut.write_bytes(whole[:-30])
        short = host.ctl("session", "replay", session_of(old), "--cast").stdout
        assert text.startswith(short) and short.endswith(b"\n") and len(short) < len(text)
        cut.write_bytes(whole + b"no member of it" * 3)
        r = host.ctl("session", "replay", session_of(old), "--cast", check=False)
        assert r.returncode == 65 and r.stderr == b"jumpboxctl: the recording is damaged from here on\n"
        status, shown = outcome(operator(host, "session", "replay", session_of(old), "--speed", "100"))
        assert status == 65 and b"damaged from here on" in shown
        cut.unlink()
        r = host.ctl("session", "replay", session_of(old), "--cast", check=False)
        assert r.returncode == 69 and r.stderr == b"jumpboxctl: the file of that recording is not on this host\n"
    finally:
        cut.write_bytes(whole)


def test_several_and_none(host):
    t = host.terminal("alice", term="dumb")  # the menu, and two terminals out of it
    for name in ("bb", "deb"):
        t.expect(rb"Number or name.*: ")
        t.sendline(name)
        t.expect(b"[#$] ")
        t.sendline(f"echo in''-{name}")
        t.expect(f"in-{name}\r\n".encode())
        t.sendline("exit")
    t.expect(rb"Number or name.*: ")
    (row,) = host.live(user="alice")
    assert row["recordings"] == 2
    r = host.ctl("session", "replay", row["id"], "--cast", check=False)
    assert r.returncode == 64
    assert r.stderr == (f"jumpboxctl: session {row['id']} has several recordings; say the number of one as well: "
                        "1 one/bb, 2 one/deb\n").encode()
    assert b"in-deb" in host.ctl("session", "replay", row["id"], "2", "--cast").stdout
    rows = host.ctl_json("session", "replay", row["id"], "--list")
    assert [(r["number"], r["container"], r["live"]) for r in rows] == [(1, "one/bb", False), (2, "one/deb", False)]
    assert set(rows[0]) == {"number", "container", "started", "ended", "live", "bytes", "file"}
    assert rows[0]["bytes"] == (host.state / "recordings" / rows[0]["file"]).stat().st_size
    for args, code, said in (((row["id"], "3", "--cast"), 66, f"session {row['id']} has no recording 3"),
                             (("999999", "--cast"), 66, "there is no session 999999"),
                             (("x", "--cast"), 65, "a session's number"),
                             ((row["id"], "1", "--speed", "0"), 64, "played on a terminal")):
        r = host.ctl("session", "replay", *args, check=False)
        assert r.returncode == code and said in r.stderr.decode(), r
    r = host.ctl("session", "watch", row["id"], check=False)
    assert r.returncode == 64
    status, shown = outcome(operator(host, "session", "watch", row["id"]))
    assert status == 66 and f"nothing of session {row['id']} is being recorded now".encode() in shown
    assert outcome(operator(host, "session", "replay", row["id"], "1", "--speed", "1e9"))[0] == 65
    t.sendline("q")
    ended(t)
    assert host.ctl("session", "replay", "1", "--cast", "--json", check=False).returncode in (0, 64, 66)


def test_watch(host):
    """All of it so far at once, then what comes within a second or so, its end, and nothing typed gets there."""
    shell = live_terminal(host)
    (row,) = host.live()
    watcher = operator(host, "session", "watch", row["id"])
    watcher.expect(rb"alice in one/bb, .*, 80x24; q leaves\r\n")
    watcher.expect(b"ready\r\n")
    shell.sendline("echo li''ve")
    watcher.expect(b"live\r\n", timeout=3 * SLOW)
    watcher.send("echo nonsense\r")
    shell.setwinsize(40, 130)
    shell.sendline("stty size")
    watcher.expect(rb"\x1b\[\?7l")  # larger than the watcher's: cut
    watcher.expect(b"40 130\r\n")
    late = operator(host, "session", "watch", row["id"])  # the size it has, not the one it had
    late.expect(rb"alice in one/bb, .*, 130x40; q leaves\r\nThis terminal has 80x24: only what fits is shown.\r\n")
    late.expect(b"40 130\r\n")
    late.send("q")
    assert outcome(late)[0] == 0
    shell.setwinsize(24, 80)
    watcher.expect(rb"\x1b\[\?7h")
    shell.sendline("echo do''ne; exit")
    assert b"nonsense" not in shell.read()
    ended(shell)
    watcher.expect(b"The terminal has ended.")
    assert outcome(watcher)[0] == 0
    assert host.audit("session.watch")[-1]["target"] == str(row["id"])


def test_watch_of_a_killed_session_ends(host):
    before = session_pids(host)
    shell = live_terminal(host)
    pid = new_session(host, before)
    (row,) = host.live()
    watcher = operator(host, "session", "watch", row["id"])
    watcher.expect(b"ready\r\n")
    os.kill(pid, 9)
    watcher.expect(b"The terminal has ended.", timeout=5 * SLOW)
    assert outcome(watcher)[0] == 0
    shell.close(force=True)


# ---- over ssh, in the administrator's own session

def test_over_ssh(host, old):
    t = host.terminal("root1", "replay", session_of(old))
    t.expect(rb"alice, one/bb, \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ; space pauses, q leaves\r\n")
    t.expect(b"first\r\n")
    t.expect(b"\x1b\\[31mred")
    t.expect(rb"\x1b\[\?1047l.*\r\nThe recording ends here.\r\n")
    assert ended(t) == 0
    row = host.audit("session.replay")[-1]
    assert (row["actor"], row["user"], row["target"]) == ("root1", "alice", session_of(old))


def test_a_key_leaves_over_ssh(host, old):
    for key in ("q", "\x03"):
        t = host.terminal("root1", "replay", session_of(old), rows=10, cols=40)
        t.expect(rb"This terminal is smaller than the recorded one \(70x20\): only what fits is shown.\r\n")
        t.expect(b"first\r\n")
        t.send(" ")
        with pytest.raises(pexpect.TIMEOUT):
            t.expect(b"cond", timeout=2.5)
        t.send(key)
        rest = t.read()
        assert b"cond" not in rest and b"\x1b[?1047l" in rest and b"was cut.\r\n" in rest, rest
        assert ended(t) == 0


def test_only_administrators_on_a_terminal(host, old):
    t = host.terminal("alice", "replay", session_of(old))
    assert t.read() == b"jumpbox: that is for administrators\r\n" and ended(t) == 77
    for args, code, said in (
            (("replay", session_of(old)), 64, b"jumpbox: a recording is played on a terminal: ssh -t\n"),
            (("replay",), 64, b"replay ID [N]"), (("watch", "1", "2", "3"), 64, b"watch ID [N]")):
        r = host.ssh("root1", *args)
        assert r.returncode == code and said in r.stderr and r.stdout == b"", r
    for args, code, said in ((("replay", "999999"), 66, b"jumpbox: there is no session 999999\r\n"),
                             (("watch", session_of(old)), 66, b"is being recorded now\r\n"),
                             (("replay", "bb"), 64, b"replay ID [N]")):
        t = host.terminal("root1", *args)
        assert said in t.read() and ended(t) == code


def test_watch_over_ssh(host):
    before = session_pids(host)
    shell = live_terminal(host)
    pid = new_session(host, before)
    (row,) = host.live(user="alice")
    first, second = (host.terminal("root1", "watch", row["id"]) for _ in range(2))
    for t in (first, second):
        t.expect(rb"alice, one/bb, since .*; q leaves\r\n")
        t.expect(b"ready\r\n")
    shell.sendline("echo li''ve")
    for t in (first, second):
        t.expect(b"live\r\n", timeout=3 * SLOW)
    first.send("q")
    assert ended(first) == 0
    os.kill(pid, 9)
    second.expect(b"The terminal has ended.\r\n", timeout=5 * SLOW)
    assert ended(second) == 0
    assert [r["actor"] for r in host.audit("session.watch")[-2:]] == ["root1", "root1"]
    shell.close(force=True)


def test_who_is_no_administrator_any_more_sees_no_more(own_host):
    host = own_host(recording="on")
    shell = live_terminal(host)
    (row,) = host.live()
    t = host.terminal("root1", "watch", row["id"])
    t.expect(b"ready\r\n")
    host.ctl("user", "set", "root1", "role", "user")
    t.expect(b"you are no administrator any more: log in again", timeout=5 * SLOW)
    assert ended(t) == 77
    shell.sendline("exit")
    ended(shell)


def test_nothing_is_awake_while_nothing_is_recorded(host):
    """A recorded terminal that says nothing costs no wake-up."""
    before = session_pids(host)
    shell = live_terminal(host)
    pid = new_session(host, before)

    def switches():
        status = open(f"/proc/{pid}/status").read()
        return sum(map(int, re.findall(r"ctxt_switches:\t(\d+)", status)))
    wait_for(lambda: b"ready" in run("zcat", recordings(host)[-1]).stdout, 10, "what was said")
    seen, quiet_since = switches(), time.monotonic()

    def quiet():
        nonlocal seen, quiet_since
        if switches() != seen:
            seen, quiet_since = switches(), time.monotonic()
        return time.monotonic() - quiet_since > 3
    wait_for(quiet, 15, "three seconds without a turn")
    shell.sendline("exit")
    ended(shell)


# ---- from the menu, in both faces

@pytest.fixture
def screen(host):
    made = []

    def make(login, **kw):
        made.append(Screen(host.ssh_argv(login), **kw))
        return made[-1].expect("q quit") and made[-1]
    yield make
    for s in made:
        s.close()


def test_replay_from_the_full_screen_menu(host, old, screen):
    s = screen("root1")
    s.type("w").expect("^ID +USER +FROM +LOGIN ")
    s.expect(r"^\d+ +root1 +127\.0\.0\.1")
    s.expect(rf"^{session_of(old)} +1 +alice +one/bb +\d{{4}}-")
    s.expect("w watch  p play")
    s.type("p").expect("^Play the recording of session")
    assert f"{session_of(old)} " in s.show()  # what is asked for can be read meanwhile
    s.type("nonsense\n").expect("A session's number is wanted")
    s.type("p999999\n").expect("there is no session 999999")
    s.expect(rf"^{session_of(old)} +1 +alice +one/bb ")  # on the page where that was asked for
    s.type("p").type(f"{session_of(old)} 1\n").expect("^first$")
    assert "p play" not in s.show()
    s.expect("^The recording ends here", 15)
    s.expect(rf"^{session_of(old)} +1 +alice +one/bb ")
    assert s.alternate
    s.keys("q").expect("q quit")
    s.keys("q")
    assert s.status() == 0 and not s.alternate
    assert re.search("alice, one/bb, .*; space pauses", s.history())
    row = host.audit("session.replay")[-1]
    assert (row["actor"], row["target"]) == ("root1", session_of(old))


def test_watch_from_the_full_screen_menu(host, screen):
    """With the right size, whatever becomes of either terminal; q goes back to the menu, nothing to the one watched."""
    shell = live_terminal(host)
    (row,) = host.live(user="alice")
    s = screen("root1")
    s.type("w").expect(rf"^{row['id']} +alice ")
    s.type("w").expect("^Watch session")
    s.type(f"{row['id']}\n").expect("^ready$")
    shell.sendline("echo li''ve")
    s.expect("^live$", 3 * SLOW)
    shell.setwinsize(30, 120)
    shell.sendline("stty size; printf '%0120d\\n' 7")
    s.expect("^30 120$")
    s.expect("^0{79}7$", 3 * SLOW)  # what does not fit is cut, not wrapped
    s.resize(130, 40)
    shell.sendline("printf '%0120d\\n' 8")
    s.expect("^0{119}8$", 3 * SLOW)
    s.type("typed")
    s.keys("q").expect(rf"^{row['id']} +alice ")
    assert s.alternate and "p play" in s.text()[39]
    s.type("w").type(f"{row['id']}\n").expect("^ready$")
    shell.sendline("exit")
    assert b"typed" not in shell.read()
    ended(shell)
    s.expect("^The terminal has ended", 5 * SLOW)
    s.expect("p play")


def test_replay_and_watch_from_the_plain_menu(host, old):
    prompt = rb"quit\)[^:]*: "
    t = host.terminal("root1", term="dumb")
    t.expect(prompt)
    t.sendline("who")
    t.expect(prompt)
    assert re.search(rb"^\d+ +root1 ", t.before, re.M)
    t.sendline("recordings")
    t.expect(prompt)
    assert re.search(rf"^{session_of(old)} +1 +alice +one/bb ".encode(), t.before, re.M)
    t.sendline(f"replay {session_of(old)} 1")
    t.expect(b"first\r\n")
    t.expect(b"The recording ends here.\r\n")
    t.expect(prompt)
    t.sendline("watch x")
    t.expect(b"Which session\\?")
    t.expect(prompt)
    t.sendline(f"watch {session_of(old)}")
    t.expect(b"is being recorded now\r\n")
    t.expect(prompt)
    t.sendline("q")
    assert ended(t) == 0


def test_the_menu_of_others_shows_none(host, screen, old):
    s = screen("alice")
    s.type("w").expect("that is for administrators")
    s.expect("q quit")
    t = host.terminal("alice", term="dumb")
    t.expect(rb"quit\)[^:]*: ")
    for line in ("who", "recordings", f"replay {session_of(old)}"):
        t.sendline(line)
        t.expect(b"that is for administrators\r\n")
    t.close()


def test_recordings_as_json(host, old):
    rows = json.loads(host.ssh("root1", "recordings", "--json").stdout)
    assert all(set(r) == {"session", "number", "user", "container", "started", "ended"} for r in rows)
    (row,) = [r for r in rows if r["session"] == int(session_of(old)) and r["number"] == 1]
    assert (row["user"], row["container"]) == ("alice", "one/bb") and 0 < row["started"] <= row["ended"]
    assert [r["started"] for r in rows] == sorted((r["started"] for r in rows), reverse=True)
