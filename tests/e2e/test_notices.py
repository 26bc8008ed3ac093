"""What a user is told unasked: the message of the day in the menu, and what will end soon; never in a program's streams."""

import re
import signal
import time

import pexpect

from lab import SLOW, ended, live_terminal, run, wait_for


def menu(host, user="alice"):
    """A terminal that shows the plain menu, and all that was written until then."""
    t = host.terminal(user, term="dumb")
    t.expect(rb"quit\)[^:]*: ")
    return t, t.before.decode().replace("\r", "")


def test_the_message_of_the_day(own_host):
    motd = "Maintenance on \u5468\u65e5.\tSorry!\r\n\n  \x1b[31mred\u202e\n"
    safe = "Maintenance on \u5468\u65e5. Sorry!\n\n  \\x1b[31mred\\u{202e}\n\n"
    host = own_host(start=False)
    path = host.dir / "motd"
    path.write_text(motd)
    host.configure(motd=path)
    host.start()
    t, text = menu(host)
    assert text.startswith(safe), text
    t.sendline("r")  # once is enough
    t.expect(rb"quit\)[^:]*: ")
    assert b"Maintenance" not in t.before
    t.sendline("q")
    assert ended(t) == 0
    # Not where it is nobody's, or in the way.
    t = host.terminal("alice+bb", "echo in")
    t.expect(pexpect.EOF)
    assert t.before == b"in\r\n"
    for login, command, out in (("alice+bb", "echo in", b"in\n"), ("alice", "ls", None), ("alice", "help", None)):
        r = host.ssh(login, command)
        assert b"Maintenance" not in r.stdout + r.stderr and out in (None, r.stdout) and r.stderr == b"", r
    r = run(*host.ssh_argv("alice"), input=b"bb\n", check=False)
    assert b"Maintenance" not in r.stdout + r.stderr
    path.write_text("Over.\n")
    host.proc.send_signal(signal.SIGHUP)
    wait_for(lambda: menu(host)[1].startswith("Over.\n"), 20, "the new text")


def test_a_message_that_cannot_be_read_stops_the_start(own_host):
    host = own_host(start=False, motd="/nonexistent/motd")
    r = run(host.prefix / "sbin/jumpboxd", "-D", "-f", host.conf, check=False)
    assert r.returncode != 0 and b"motd /nonexistent/motd" in r.stderr
    r = run(host.prefix / "sbin/jumpboxd", "-t", "-f", host.conf, check=False)
    assert r.returncode == 78 and b"motd /nonexistent/motd" in r.stderr


def test_an_account_that_expires_within_a_week(own_host):
    host = own_host()
    for when, said in (("+8d", False), ("+6d", True)):
        host.ctl("user", "set", "alice", "expires", when)
        t, text = menu(host)
        assert bool(re.match(r"Your account expires on 20\d\d-\d\d-\d\d \d\d:\d\d UTC\.\n", text)) == said, text
        if not said:  # and in a menu that is open already
            host.ctl("user", "set", "alice", "expires", "+3d")
            wait_for(lambda: t.sendline("r") and t.expect(rb"quit\)[^:]*: ") == 0 and b"expires on" in t.before, 10,
                     "the line")
        t.sendline("q")
        assert ended(t) == 0
    assert host.ssh("alice+bb", "echo in").stderr == host.ssh("alice", "ls").stderr == b""
    # Who goes straight into a shell sees no menu; a program's terminal is its own, and after a menu once is enough.
    t = live_terminal(host)
    assert re.search(rb"jumpbox: your account expires on 20\d\d-\d\d-\d\d \d\d:\d\d UTC\r\n", t.before), t.before
    t.close()
    t = host.terminal("alice+bb", "echo in")
    t.expect(pexpect.EOF)
    assert t.before == b"in\r\n"
    t, _ = menu(host)
    t.sendline("bb")
    t.expect(rb"[#$] ")
    assert b"expires" not in t.before
    t.close()


def test_access_that_ends_soon_is_said_in_the_plain_menu(own_host):
    host = own_host()
    host.user("bob")
    host.ctl("grant", "add", "bob", "bb", "--until", "+4m")
    t, text = menu(host, "bob")
    assert text.startswith("Your access to bb ends in 4 min.\n"), text
    t.sendline("q")
    assert ended(t) == 0
    r = host.ssh("bob", "ls")
    assert b"bb" in r.stdout and b"Your access" not in r.stdout + r.stderr
    t, text = menu(host)
    assert "Your access" not in text
    t.close()


def test_a_shell_that_ends_soon_says_so_once(own_host):
    """On its own terminal alone: not on that of another grant, and in no program's stream."""
    host = own_host()
    host.ctl("grant", "add", "alice", "deb")
    everything, deb = (row["id"] for row in host.ctl_json("grant", "list"))
    host.ctl("grant", "del", str(everything))
    host.ctl("grant", "add", "alice", "bb", "--until", "+4m")
    bb, other = live_terminal(host), live_terminal(host, "alice+deb")
    plain = host.popen("alice+bb", "echo begun; cat", stdin=-1, stdout=-1, stderr=-1)
    assert plain.stdout.readline() == b"begun\n"
    assert b"ends in" not in bb.before or bb.before.count(b"ends in 4 min") == 1
    said = bb.before
    if b"ends in" not in said:
        bb.expect(rb"jumpbox: your access to this container ends in 4 min\r\n")
    grant = next(row["id"] for row in host.ctl_json("grant", "list") if row["id"] != deb)
    host.ctl("grant", "add", "alice", "bb", "--until", "+2m")  # a narrower one changes nothing
    bb.sendline("echo st''ill")
    bb.expect(b"still\r\n")
    assert b"ends in" not in bb.before
    host.ctl("grant", "del", str(grant))
    bb.expect(rb"ends in 2 min\r\n")
    for t in (bb, other):
        t.sendline("exit")
        t.expect(pexpect.EOF)
        assert b"ends in" not in t.before
    out, err = plain.communicate(b"", 20 * SLOW)
    assert (out, err) == (b"", b"")


def test_a_warning_comes_in_time(own_host):
    """For a grant that has longer: five minutes before."""
    host = own_host()
    grant, = host.ctl_json("grant", "list")
    host.ctl("grant", "del", str(grant["id"]))
    at = time.gmtime(time.time() + 300 + 5 * SLOW)
    host.ctl("grant", "add", "alice", "bb", "--until", time.strftime("%Y-%m-%dT%H:%M:%SZ", at))
    t = live_terminal(host)
    assert b"ends in" not in t.before
    t.expect(rb"ends in 5 min\r\n", timeout=30 * SLOW)
    t.close()
