"""`make demo` as a new user types it: the printed line and password work, and Ctrl-C leaves nothing behind."""

import os
import pathlib
import pwd
import re
import socket

import pexpect
import pytest

from lab import run

TOP = pathlib.Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="make demo needs root"),
    pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="make demo builds what users get"),
    pytest.mark.timeout(600),
]


def traces():
    """What a demo could leave: users, temporary directories, processes, containers of its own."""
    users = {u.pw_name for u in pwd.getpwall()}
    tmp = {p.name for d in ("/tmp", "/var/tmp") for p in pathlib.Path(d).iterdir() if p.name.startswith("jumpbox-demo")}
    programs = [line for line in run("ps", "-eo", "args").stdout.decode().splitlines()
                if "/jumpbox-demo" in line]
    return users, tmp, programs


def demo(before):
    t = pexpect.spawn("make", ["-s", "demo"], cwd=str(TOP), timeout=300, encoding="utf-8", dimensions=(50, 200))
    t.expect(r"(ssh -p 2026 [^\r\n]*)\r\n\s*password: (\S+)\r\n")
    line, password = t.match.groups()
    s = pexpect.spawn(line, timeout=30, encoding="utf-8", dimensions=(24, 80))
    s.expect(r"assword: ")
    s.sendline(password)
    s.expect(r"quit\)[^:]*: ")
    assert re.search(r"1 .*running", s.before), s.before
    s.sendline("1")
    s.sendline("echo in''side; exit")
    s.expect("inside\r\n")
    s.expect(r"quit\)[^:]*: ")
    s.sendline("q")
    s.expect(pexpect.EOF)
    t.sendintr()
    t.expect(pexpect.EOF, timeout=60)
    t.close()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", 2026), 1):
        pass
    assert traces() == before
    return password


def test_demo_twice(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    before = traces()
    assert demo(before) != demo(before)
