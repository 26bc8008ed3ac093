"""The plain menu's actions in a real terminal: the same numbers, words, filter, prompts and confirmations."""

import re

import pytest

from lab import ended, wait_for

PROMPT = rb"quit\)[^:]*: "


def menu(host, login="alice", **kw):
    t = host.terminal(login, term="dumb", **kw)
    t.expect(PROMPT)
    return t


def number(t, name):
    return re.search(rf"(\d+)  {name}\b", t.before.decode()).group(1)


def say(t, line, until=PROMPT):
    t.sendline(line)
    t.expect(until)
    return t.before.decode()


def leave(t):
    t.sendline("q")
    assert ended(t) == 0


def test_details_logs_and_figures(site):
    engine = site.engine
    engine.container("act", "busybox", "--label", "team=blue", "--env", "SECRET=hunter2",
                     command=("sh", "-c", "echo first; echo \033[31mred; sleep 1000000"))
    try:
        wait_for(lambda: b"act" in site.ssh("alice", "ls").stdout, 20, "the inventory")
        t = menu(site)
        n = number(t, "act")
        assert re.search(rf"{n}  act +running +\d+m +one ", t.before.decode()), t.before
        text = say(t, f"i {n}")
        assert re.search(r"^Name +act\r$", text, re.M) and "team=blue" in text and "SECRET" in text, text
        assert "hunter2" not in text
        assert "State" in say(t, "i act")
        text = say(t, f"l {n}")
        assert "first\r\n\\x1b[31mred\r\n" in text, text
        t.sendline(f"f {n}")
        t.expect(b"red\r\n")
        t.send("\x03")
        t.expect(PROMPT)
        t.sendline(f"t {n}")
        t.expect(rb"act +\d+\.\d\d%")
        t.expect(rb"act +\d+\.\d\d%")
        t.send("\x03")
        t.expect(PROMPT)
        assert "no container 999" in say(t, "i 999")
        leave(t)
    finally:
        engine.remove("act")


def test_power_asks_and_no_is_the_default(host, docker):
    docker.container("sw", "busybox", "--stop-timeout", "1")

    def state():
        return docker.cli("inspect", "--format", "{{.State.Status}}", "sw").stdout.decode().strip()
    try:
        host.user("poe")
        host.ctl("grant", "add", "poe", "sw", "--allow", "shell,power")
        wait_for(lambda: b"sw" in host.ssh("poe", "ls").stdout, 20, "the inventory")
        t = menu(host, "poe")
        n = number(t, "sw")
        for answer in ("", "n", "no", "what", "stop"):
            say(t, f"stop {n}", rb"Stop sw\? \[y/N\] ")
            assert "left as it is" in say(t, answer), answer
        t.sendline(f"stop {n}")
        t.expect(rb"\[y/N\] ")
        t.send("\x03")
        t.expect(PROMPT)
        assert state() == "running" and not [r for r in host.audit("power.stop") if r["actor"] == "poe"]
        say(t, f"stop {n}", rb"\[y/N\] ")
        assert "sw is stopped" in say(t, "y") and state() == "exited"
        say(t, f"start {n}", rb"Start sw\? \[y/N\] ")
        assert "sw is started" in say(t, "yes") and state() == "running"
        say(t, f"restart {n}", rb"Restart sw\? \[y/N\] ")
        assert "sw is restarted" in say(t, "Y")
        # What was taken away meanwhile is refused with the reason, and the menu goes on.
        say(t, f"stop {n}", rb"\[y/N\] ")
        for g in host.ctl_json("grant", "list", "--user", "poe"):
            host.ctl("grant", "del", str(g["id"]))
        host.ctl("grant", "add", "poe", "sw", "--allow", "shell")
        assert "may not start or stop sw" in say(t, "y") and state() == "running"
        leave(t)
    finally:
        docker.remove("sw")


def test_filter_keeps_the_numbers(host, docker):
    docker.container("Filt-Er", "busybox", "--label", "squad=blue moon")
    try:
        wait_for(lambda: b"Filt-Er" in host.ssh("alice", "ls").stdout, 20, "the inventory")
        t = menu(host)
        n, bb = number(t, "Filt-Er"), number(t, "bb")
        for words in ("filt", "FILT one", "squad=blue", "moon busybox"):
            text = say(t, f"/{words}")
            assert f"{n}  Filt-Er" in text and f"{bb}  bb" not in text and f"With {words}: 1" in text, text
        assert "With nothing-such: 0" in say(t, "/nothing-such")
        # A number is good whatever is shown.
        assert re.search(r"^Name +bb\r$", say(t, f"i {bb}"), re.M)
        assert "no container bb" in say(t, "i bb")
        text = say(t, "/")
        assert f"{n}  Filt-Er" in text and f"{bb}  bb" in text
        leave(t)
        assert host.ssh("alice", "ls FILT blue").stdout.count(b"\n") == 1
        assert host.ssh("alice", "ls FILT red").stdout == b""
    finally:
        docker.remove("Filt-Er")


def test_help_is_the_table_and_the_lines_are_exact(own_host):
    host = own_host(server_address="gw.example.org")
    t = menu(host)
    for key in ("?", "h"):
        text = say(t, key)
        for word in ("i 3", "l 3", "f 3", "t 3", "c 3", "u 3", "start 3", "stop 3", "restart 3", "/WORDS", "q, Ctrl-D"):
            assert f"  {word} " in text, (word, text)
    text = say(t, "c bb")
    assert f"ssh -p {host.port} alice+bb@gw.example.org\r\n" in text
    assert f"scp -P {host.port} FILE alice+bb@gw.example.org:\r\n" in text
    assert f"code --remote ssh-remote+alice~bb@gw.example.org:{host.port} /\r\n" in text
    leave(t)


def test_another_user_and_shell(host, docker):
    docker.container("twice", "busybox", "--user", "1007")
    try:
        host.user("una")
        host.ctl("grant", "add", "una", "twice", "--as", "1001")
        host.ctl("grant", "add", "una", "twice", "--as", "1002")
        wait_for(lambda: b"twice" in host.ssh("una", "ls").stdout, 20, "the inventory")
        t = menu(host, "una")

        def shell(user, name, says):
            say(t, "u twice", rb"User there[^:]*: [^:]*: ")
            say(t, user, rb"Shell[^:]*: [^:]*: ")
            t.sendline(name)
            t.expect(b"Connecting")
            t.sendline("echo it-i''s-$(id -u)-$SHELL-$0")
            t.expect(says)
            t.sendline("exit")
            t.expect(PROMPT)
        shell("1002", "", rb"it-is-1002-[/\w]+-")
        shell("", "/bin/ash", rb"it-is-1001-/bin/ash-")
        t.sendline("twice")  # what was asked for then is forgotten
        t.expect(b"Connecting")
        t.sendline("echo it-i''s-$(id -u)")
        t.expect(b"it-is-1001\r\n")
        t.sendline("exit")
        t.expect(PROMPT)
        for user, name, reason in (("root", "", "may not be root in twice"), ("x" * 66, None, "may not be x"),
                                   ("", "no such; shell", "a shell is a plain name"), ("", "y" * 129, "a shell is a plain name"),
                                   ("", "nosuchshell", "twice: ended with")):
            say(t, "u twice", rb"User there[^:]*: [^:]*: ")
            if name is not None:
                say(t, user, rb"Shell[^:]*: [^:]*: ")
            assert reason in say(t, user if name is None else name), reason
        say(t, "u twice", rb"User there[^:]*: [^:]*: ")
        t.send("\x03")
        t.expect(PROMPT)
        assert re.search(r"^Name +twice\r$", say(t, "i twice"), re.M)
        leave(t)
    finally:
        docker.remove("twice")


def test_type_ahead_is_kept(host):
    t = menu(host)
    n = number(t, "bb")
    t.send(f"i {n}\ri {n}\rq\r")
    assert ended(t) == 0
    assert t.before.count(b"Restart policy") == 2


def test_an_action_that_hangs_is_given_up(host):
    t = menu(host)
    say(t, "t bb", b"Ctrl-C ends this")
    t.send("\x03")
    t.expect(PROMPT)
    leave(t)


@pytest.mark.parametrize("language", ("zh",))
def test_in_chinese(host, language):
    host.user("li")
    host.ctl("grant", "add", "li", "bb")
    host.ctl("user", "set", "li", "language", language)
    t = host.terminal("li", term="dumb")
    t.expect("退出）：".encode())
    assert "名称" in say(t, "i bb", "退出）：".encode())
    assert "您无权启动或停止 bb" in (say(t, "stop bb", rb"\[y/N\] ") and say(t, "是", "退出）：".encode()))
    leave(t)
