"""What a user is told unasked: the message of the day in the menu, and what will end soon; never in a program's streams."""

import signal

import pexpect

from lab import ended, run, wait_for


def menu(host, user="alice"):
    """A terminal that shows the menu, and all that was written until then."""
    t = host.terminal(user)
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
    assert run(host.prefix / "sbin/jumpboxd", "-t", "-f", host.conf, check=False).returncode == 0
