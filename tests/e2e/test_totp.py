"""One-time codes: asked for after the first factor, right once, and never written anywhere."""

import base64
import contextlib
import hashlib
import hmac
import os
import re
import sqlite3
import struct
import time

import paramiko
import pexpect
import pytest

from lab import SLOW, ended, run, wait_for
from test_login import admitted, denied

PASSWORD, CODE = b"assword: ", b"One-time code: "
SECRETS = {}


def code(secret, step=0):
    """The code of now, or of so many steps of 30 s later."""
    mac = hmac.digest(secret, struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1)
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7fffffff) % 1000000:06d}"


def wrong(secret):
    """Six digits that are not right now, nor soon."""
    near = {code(secret, step) for step in range(-2, 4)}
    return next(c for c in ("000000", "111111", "222222", "333333", "444444", "555555", "666666") if c not in near)


@contextlib.contextmanager
def database(host):
    with contextlib.closing(sqlite3.connect(host.database, isolation_level=None, timeout=10)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        yield db


def enrol(host, user, recovery=()):
    """As do_enrol.c does; the secret, and no code of it used."""
    secret = os.urandom(20)
    SECRETS[secret] = user
    with database(host) as db:
        uid, = db.execute("SELECT id FROM users WHERE name = ?", (user,)).fetchone()
        db.execute("DELETE FROM totp WHERE user_id = ?", (uid,))
        db.execute("INSERT INTO totp VALUES (?, ?, 0, 1)", (uid, secret))
        for text in recovery:
            plain = text.replace("-", "").upper().encode()
            db.execute("INSERT INTO totp_recovery VALUES (?, ?)", (uid, hashlib.sha256(plain).digest()))
    return secret


def forget(host, user):
    """Codes that were used may be used again: a test need not wait for the next."""
    with database(host) as db:
        db.execute("UPDATE totp SET last = 0 WHERE user_id = (SELECT id FROM users WHERE name = ?)", (user,))


def newcomer(host, name, *flags, **kw):
    host.user(name, *flags, **kw)
    host.ctl("grant", "add", name, "bb")
    return name


def login(host, user, *answers, method=None, key=False, command="echo in", options=()):
    """ssh in a terminal; each answer is (prompt, text). The terminal after the last."""
    if method:
        options = ("-o", f"PreferredAuthentications={method}", *options)
    t = host.terminal(f"{user}+bb", command, key=key, options=options)
    for prompt, text in answers:
        t.expect(prompt)
        t.sendline(text)
    return t


def is_in(t):
    t.expect(rb"in\r\n")
    return ended(t) == 0


def is_out(t):
    return ended(t) == 255 and b"in\r\n" not in t.before


# ---- each way in -----------------------------------------------------------------


@pytest.mark.parametrize("method", ("password", "keyboard-interactive", "publickey"))
def test_each_method_and_the_code(host, method):
    user = newcomer(host, f"two-{method[:4]}")
    secret = enrol(host, user)
    key = method == "publickey"
    first = () if key else ((PASSWORD, "correct horse"),)
    methods = method if method.startswith("keyb") else f"{method},keyboard-interactive"
    t = login(host, user, *first, (CODE, code(secret)), method=methods, key=key)
    assert is_in(t)
    row, = [r for r in host.audit("login.ok") if r["user"] == user]
    assert row["detail"].startswith("publickey+totp" if key else "password+totp")


def test_the_dialogue_of_one_method(host):
    """Keyboard-interactive asks for both; another method is told what may follow, and nothing else may."""
    user = newcomer(host, "twodialog")
    secret = enrol(host, user)
    asked, breaches = [], host.log_text().count(" broker.protocol ")

    def answer(title, instructions, prompts):
        asked.extend(text for text, _ in prompts)
        return ["correct horse" if "assword" in text else code(secret) for text, _ in prompts]
    for first in (None, "password"):
        with contextlib.closing(paramiko.Transport(("127.0.0.1", host.port))) as t:
            t.start_client(timeout=20 * SLOW)
            if first:
                assert t.auth_password(f"{user}+bb", "correct horse", fallback=False) == ["keyboard-interactive"]
                for again in (lambda: t.auth_password(f"{user}+bb", "correct horse", fallback=False),
                              lambda: t.auth_publickey(f"{user}+bb", paramiko.Ed25519Key(filename=str(host.key)))):
                    with pytest.raises(paramiko.BadAuthenticationType) as e:
                        again()
                    assert e.value.allowed_types == ["keyboard-interactive"]
            assert t.auth_interactive(f"{user}+bb", answer) == [] and t.is_authenticated()
        forget(host, user)
    with contextlib.closing(paramiko.Transport(("127.0.0.1", host.port))) as t:
        t.start_client(timeout=20 * SLOW)
        assert t.auth_password(f"{user}+bb", "correct horse", fallback=False) == ["keyboard-interactive"]
        with pytest.raises((paramiko.SSHException, EOFError)):
            t.open_session(timeout=20 * SLOW)
    assert asked == ["Password: ", "One-time code: ", "One-time code: "]
    assert host.log_text().count(" broker.protocol ") == breaches


def test_a_client_without_a_terminal(host, tmp_path):
    """As editors have it: a program asks, and what follows shares that connection."""
    user = newcomer(host, "twoasked")
    host.ctl("user", "set", user, "language", "zh")
    secret = enrol(host, user)
    ask, said = tmp_path / "ask", tmp_path / "said"
    ask.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>{said}\ncat {tmp_path}/code\n')
    ask.chmod(0o700)
    (tmp_path / "code").write_text(code(secret))
    shared = ("-o", f"ControlPath={tmp_path}/shared", "-o", "PreferredAuthentications=publickey,keyboard-interactive")
    run(*host.ssh_argv(f"{user}+bb", options=(*shared, "-fNM")), timeout=60,
        env={**os.environ, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "LC_ALL": "C.UTF-8"})
    try:
        for _ in range(2):
            assert host.ssh(f"{user}+bb", "echo in", options=(*shared, "-o", "BatchMode=yes")).stdout == b"in\n"
    finally:
        host.ssh(f"{user}+bb", options=(*shared, "-O", "exit"))
    assert said.read_text() == f"({user}+bb@127.0.0.1) 一次性验证码：\n"


def test_plink(host):
    """PuTTY's, which has a mind of its own."""
    user = newcomer(host, "twoplink", key=False)
    secret = enrol(host, user)
    home = host.dir / "plink"
    home.mkdir()
    t = pexpect.spawn("plink", ["-P", str(host.port), "-t", f"{user}+bb@127.0.0.1", "echo in"], timeout=20 * SLOW,
                      env={**os.environ, "HOME": str(home)})
    t.expect(rb"\(y/n[^)]*\)|Return")
    t.sendline("y")
    t.expect(PASSWORD)
    t.sendline("correct horse")
    t.expect(CODE)
    t.sendline(code(secret))
    t.expect(b"Press Return")
    t.sendline("")
    assert is_in(t)


def test_dbclient(host):
    """Dropbear's, which takes the dialogue before the password."""
    user = newcomer(host, "twodrop", key=False)
    secret = enrol(host, user)
    t = pexpect.spawn("dbclient", ["-y", "-y", "-t", "-p", str(host.port), "-l", f"{user}+bb", "127.0.0.1", "echo in"],
                      timeout=20 * SLOW, env={**os.environ, "HOME": str(host.dir)})
    t.expect(PASSWORD)
    t.sendline("correct horse")
    t.expect(CODE)
    t.sendline(code(secret))
    assert is_in(t)


# ---- right once, and for a while --------------------------------------------------


def by_key(host, user, text, method="publickey,keyboard-interactive"):
    """Whether that code lets in."""
    t = login(host, user, (CODE, text), key=True, method=method, options=("-o", "NumberOfPasswordPrompts=1"))
    status = ended(t)
    assert (status == 0) == (b"in\r\n" in t.before)
    return status == 0


def test_wrong_codes_are_refused_like_wrong_passwords(host):
    user = newcomer(host, "twowrong")
    secret = enrol(host, user)
    t = login(host, user, (PASSWORD, "correct horse"), (CODE, wrong(secret)), method="keyboard-interactive")
    assert is_out(t)
    for text in ("", "12345", "1234567", "wrong", "a" * 63, "a" * 200):
        t = login(host, user, (CODE, text), key=True, method="publickey,keyboard-interactive",
                  options=("-o", "NumberOfPasswordPrompts=1"))
        assert is_out(t)
    rows = [r["detail"] for r in host.audit("login.fail") if r["user"] == user]
    assert rows == ["method=password+totp reason=wrong code"] + ["method=publickey+totp reason=wrong code"] * 5
    assert by_key(host, user, code(secret))


def test_a_code_is_right_once_and_one_step_around_now(host):
    user = newcomer(host, "twoonce")
    secret = enrol(host, user)
    tried = []

    def one(step):
        """Whether that one lets in; if a step ends meanwhile, it was another one that was tried."""
        while True:
            began = int(time.time()) // 30
            tried.append(code(secret, step))
            answer = by_key(host, user, tried[-1])
            if int(time.time()) // 30 == began:
                return answer
            forget(host, user)
    for step, right in ((-2, False), (2, False), (-1, True), (0, True), (1, True)):
        assert one(step) == right, step
    assert not by_key(host, user, tried[-1]) and not by_key(host, user, tried[-2])  # that was used, and an older one
    last = [r["detail"] for r in host.audit("login.fail") if r["user"] == user][-1]
    assert last == "method=publickey+totp reason=a code that was used before"
    forget(host, user)  # the same code on four connections at once
    text = code(secret)
    ts = [login(host, user, key=True, method="publickey,keyboard-interactive",
                options=("-o", "NumberOfPasswordPrompts=1")) for _ in range(4)]
    for t in ts:
        t.expect(CODE)
    for t in ts:
        t.sendline(text)
    assert sorted(ended(t) for t in ts) == [0, 255, 255, 255]


def test_recovery_codes_are_right_once(host):
    user = newcomer(host, "tworecover")
    enrol(host, user, ("abcd-efgh-ijkl-mn22", "zzzz-zzzz-zzzz-zzzz"))
    assert host.ctl_json("user", "show", user)["recovery_codes"] == 2
    assert by_key(host, user, "ABCD efghijklmn22")  # as it may be typed
    assert not by_key(host, user, "abcd-efgh-ijkl-mn22")
    assert by_key(host, user, "zzzz-zzzz-zzzz-zzzz")
    shown = host.ctl_json("user", "show", user)
    assert (shown["totp"], shown["recovery_codes"]) == ("enrolled", 0)
    methods = [r["detail"].split()[0] for r in host.audit("login.ok") if r["user"] == user]
    assert methods == ["publickey+recovery"] * 2


def test_a_recovery_code_says_how_many_are_left(host):
    user = newcomer(host, "fewrecover")
    codes = [f"abcd-efgh-ijkl-mn2{c}" for c in "abcd"]
    secret = enrol(host, user, codes)

    def terminal(login, answer, *command, term="xterm-256color"):
        t = host.terminal(login, *command, term=term,
                          options=("-o", "PreferredAuthentications=publickey,keyboard-interactive"))
        t.expect(CODE)
        t.sendline(answer)
        return t
    t = terminal(f"{user}+bb", codes[0])
    t.expect(rb"Recovery codes left: 3\. The command totp makes new ones\.\r\n")
    t.close()
    t = terminal(user, codes[1])  # in the full-screen menu
    t.expect(rb"Recovery codes left: 2\.")
    t.close()
    t = terminal(user, codes[2], term="dumb")
    t.expect(rb"Recovery codes left: 1\..*\r\n")
    t.expect(rb"quit\)[^:]*: ")
    t.sendline("r")  # it is said once
    t.expect(rb"quit\)[^:]*: ")
    assert b"Recovery" not in t.before
    t.close()
    t = terminal(f"{user}+bb", code(secret))
    t.expect(rb"[#$] ")
    assert b"Recovery" not in t.before
    t.close()
    t = terminal(f"{user}+bb", codes[3], "echo in")
    t.expect(pexpect.EOF)
    assert t.before.endswith(b"in\r\n") and b"Recovery" not in t.before


def test_codes_have_a_back_off_of_their_own(own_host):
    """By the codes of one user alone: neither passwords, nor a stranger who fails with those, come into it."""
    host = own_host(backoff_after=2)
    secret = enrol(host, "alice")
    for _ in range(3):
        assert denied(host.ssh_password("alice+bb", "wrong", "true"))
    host.ctl("unlock", "--source", "127.0.0.1")
    assert by_key(host, "alice", code(secret))  # though alice's passwords have to wait
    forget(host, "alice")

    wait_for(lambda: host.outlast("code:alice") or by_key(host, "alice", wrong(secret)), 60, "a wait for codes")
    assert not by_key(host, "alice", code(secret))
    assert "too many wrong codes lately" in host.log_text()
    assert not [r for r in host.audit("login.fail") if "lately" in r["detail"]]
    host.ctl("user", "unlock", "alice")
    assert by_key(host, "alice", code(secret))


def test_a_connection_has_so_many_codes(host):
    user = newcomer(host, "twomany")
    secret = enrol(host, user)
    t = login(host, user, key=True, method="publickey,keyboard-interactive", options=("-o", "NumberOfPasswordPrompts=20"))
    said = b""
    while t.expect([CODE, pexpect.EOF]) == 0:  # ssh asks once more before it reads that it was sent away
        said += t.before
        t.sendline(wrong(secret))
    assert b"too many wrong codes" in said + t.before
    assert is_out(t)
    assert len([r for r in host.audit("login.fail") if r["user"] == user]) == 5


def test_a_first_factor_that_is_taken_back_while_the_code_is_awaited(host):
    user = newcomer(host, "twoback")
    secret = enrol(host, user)
    fingerprint = host.ctl_json("key", "list", user)[0]["fingerprint"]
    for key, change, why in ((True, ("key", "del", user, fingerprint), "the key was taken back meanwhile"),
                             (False, ("user", "passwd", user, "--password-stdin"), "the password was changed meanwhile")):
        first = () if key else ((PASSWORD, "correct horse"),)
        t = login(host, user, *first, key=key, options=("-o", "NumberOfPasswordPrompts=1"),
                  method="publickey,keyboard-interactive" if key else "keyboard-interactive")
        t.expect(CODE)
        host.ctl(*change, input=b"another horse\n")
        t.sendline(code(secret))
        assert is_out(t)
        assert [r for r in host.audit("login.fail") if r["user"] == user][-1]["detail"].endswith(f"reason={why}")
        forget(host, user)


def test_an_account_that_goes_while_the_code_is_awaited(host):
    user = newcomer(host, "twogone")
    secret = enrol(host, user)
    for change in (("user", "lock", user), ("user", "del", user)):
        t = login(host, user, key=True, method="publickey,keyboard-interactive",
                  options=("-o", "NumberOfPasswordPrompts=1"))
        t.expect(CODE)
        host.ctl(*change)
        if change[1] == "del":
            newcomer(host, user)  # somebody else of that name, who has no device
        t.sendline(code(secret))
        assert is_out(t)
        host.ctl("user", "unlock", user, check=False)


# ---- who is asked ------------------------------------------------------------------


def test_off_never_and_exempt(own_host):
    host = own_host(second_factor_exempt_from="127.0.0.2,2001:db8::/32")
    secret = enrol(host, "alice")
    assert by_key(host, "alice", code(secret))
    assert admitted(host.ssh("alice+bb", "echo in", options=("-b", "127.0.0.2")))
    assert host.ssh("alice+bb", "true", options=("-o", "BatchMode=yes")).returncode == 255
    host.ctl("user", "set", "alice", "totp", "off")
    assert admitted(host.ssh("alice+bb", "echo in"))
    assert host.ctl_json("user", "show", "alice")["totp"] == "off"
    assert [r["detail"] for r in host.audit("user.set")] == ["totp=off"]
    enrol(host, "alice")
    host.configure(second_factor="never")
    host.stop()
    host.start()
    assert admitted(host.ssh("alice+bb", "echo in"))


# ---- enrolling in the terminal ---------------------------------------------------------


def read_picture(lines, half):
    """What a camera would read from these rows of the screen."""
    pixels = []
    for line in lines:
        if half:
            assert line.startswith("\033[0;30;47m") and line.endswith("\033[0m")
            cells = line[len("\033[0;30;47m"):-len("\033[0m")]
            pixels += [[c in "\u2580\u2588" for c in cells], [c in "\u2584\u2588" for c in cells]]
        else:
            pixels.append([cell == "40m" for cell in re.findall(r"\033\[0;37;(40m|40;7m)  ", line)])
    scale, width = 4, len(pixels[0])
    assert {len(row) for row in pixels} == {width} and width <= (80 if half else 40)
    data = b"".join(bytes(0 if dark else 255 for dark in row for _ in range(scale)) * scale for row in pixels)
    pgm = f"P5 {width * scale} {len(pixels) * scale} 255\n".encode() + data
    return run("zbarimg", "--quiet", "--raw", "pgm:-", input=pgm).stdout.decode().strip()


def shown(t, half=True):
    """(secret, url) that the terminal shows, the picture read."""
    t.expect(b"Code that the app shows: ")
    text = t.before.decode()
    lines = text.replace("\r", "").split("\n")
    secret = re.search(r"Secret: ([A-Z2-7 ]+)", text).group(1).replace(" ", "")
    url = re.search(r"otpauth://\S+", text).group(0)
    drawn = [line for line in lines if line.startswith("\033[0;3")]
    assert len(drawn) + 3 <= 24 or not half
    if drawn:
        assert read_picture(drawn, half) == url
    key = base64.b32decode(secret)
    assert len(key) == 20
    SECRETS[key] = url
    return key, url


def recovery_codes(t):
    t.expect(b"press Enter: ")
    codes = re.findall(r"    ([a-z2-7]{4}(?:-[a-z2-7]{4}){3})\r\n", t.before.decode())
    assert len(set(codes)) == 8
    SECRETS.update((c.encode(), "recovery") for c in codes)
    return codes


def test_whoever_must_enrol_does_so_first(own_host):
    host = own_host(second_factor="admins", server_address="jump.example")
    host.ctl("user", "set", "alice", "totp", "required")
    assert host.ctl_json("user", "show", "alice")["totp"] == "required"
    r = host.ssh("alice+bb", "echo in")
    assert (r.returncode, r.stdout) == (77, b"") and b"jumpbox: one-time codes must be set up first" in r.stderr
    r = host.ssh("root1", "ls")
    assert (r.returncode, r.stdout) == (77, b"")
    t = host.terminal("alice+bb", "echo in")
    t.expect(b"must be set up")
    key, url = shown(t)
    assert url.startswith("otpauth://totp/jump.example:alice?secret=") and url.endswith("&issuer=jump.example")
    t.sendline(wrong(key))
    t.expect(b"not right")
    used = code(key)
    t.sendline(used)
    codes = recovery_codes(t)
    t.sendline("")
    assert is_in(t)
    assert [(r["user"], r["actor"], r["detail"]) for r in host.audit("totp.enrol")] == [("alice", "alice", "enrolled")]
    row = host.ctl_json("user", "show", "alice")
    assert (row["totp"], row["recovery_codes"]) == ("enrolled", 8)
    assert not by_key(host, "alice", used)
    assert by_key(host, "alice", code(key, 1)) and by_key(host, "alice", codes[3]) and not by_key(host, "alice", codes[3])
    host.user("plain", key=True)
    assert host.ssh("plain", "ls").returncode == 0  # admins only


def test_a_new_password_and_then_a_device(own_host):
    host = own_host(second_factor="all", server_address="gpu-jump.cluster-7.example.com")
    host.ctl("user", "add", "fresh", "--password-stdin", "--must-change", input=b"first password\n")
    host.ctl("grant", "add", "fresh", "bb")
    t = host.terminal("fresh+bb", "echo in", key=False)
    for prompt, text in ((PASSWORD, "first password"), (b"New password: ", "second password"),
                         (b"again: ", "second password")):
        t.expect(prompt)
        t.sendline(text)
    key, url = shown(t)
    assert b"too small" not in t.before and url.endswith("&issuer=gpu-jump.cluster-7.example.com")
    t.sendline(code(key))
    codes = recovery_codes(t)
    with contextlib.closing(sqlite3.connect(f"file:{host.database}?mode=ro", uri=True)) as db:
        kept = {row[0] for row in db.execute("SELECT hash FROM totp_recovery")}
    assert kept == {hashlib.sha256(c.replace("-", "").upper().encode()).digest() for c in codes}
    t.sendline("")
    assert is_in(t)
    t = login(host, "fresh", (PASSWORD, "second password"), (CODE, code(key, 1)))
    assert is_in(t)


@pytest.mark.parametrize("lang, rows, cols", ((None, 24, 80), ("POSIX", 60, 100), ("POSIX", 24, 80), ("en_US.UTF-8", 10, 80)))
def test_the_picture_and_the_terminal(host, lang, rows, cols):
    """Half blocks in 80x24; blanks where the locale has none; and none where it does not fit."""
    options = ("-o", f"SetEnv=LC_ALL={lang}") if lang else ()
    t = host.terminal("alice", "totp", rows=rows, cols=cols, options=options)
    shown(t, half=lang != "POSIX")
    fits = (rows, cols) in ((24, 80), (60, 100)) and not (lang == "POSIX" and rows == 24)
    assert (b"too small" not in t.before) == fits == (b"\033[0;3" in t.before)
    t.sendcontrol("c")
    assert ended(t) == 77
    assert host.ctl_json("user", "show", "alice")["totp"] == "off"  # nothing was confirmed


def test_a_device_is_replaced_only_by_who_has_it(own_host):
    host = own_host()
    user = newcomer(host, "twonew")
    old = enrol(host, user, ("aaaa-bbbb-cccc-dddd",))
    t = host.terminal(user, "totp", key=True, options=("-o", "PreferredAuthentications=publickey,keyboard-interactive"))
    t.expect(CODE)
    t.sendline(code(old))
    t.expect(b"Present one-time code: ")
    forget(host, user)
    t.sendline(wrong(old))
    t.expect(b"not right")
    t.expect(b"Present one-time code: ")
    t.sendline(code(old))
    key, _ = shown(t)
    assert key != old
    t.sendline(code(key))
    recovery_codes(t)
    t.sendline("")
    assert ended(t) == 0
    assert [(r["event"], r["detail"]) for r in host.audit() if r["event"].startswith("totp.")] == \
        [("totp.fail", "wrong code"), ("totp.enrol", "renewed")]
    assert not by_key(host, user, code(old, 1)) and not by_key(host, user, "aaaa-bbbb-cccc-dddd")
    assert by_key(host, user, code(key, 1))
    assert host.ssh(user, "totp", options=("-o", "BatchMode=yes")).returncode == 255
    r = host.ssh("alice", "totp")
    assert (r.returncode, r.stdout) == (64, b"") and b"terminal" in r.stderr


def test_what_was_proven_is_what_is_replaced(own_host):
    """Of a device that is renewed meanwhile the code of the one before proves nothing."""
    host = own_host()
    old = enrol(host, "alice")
    ts = [host.terminal("alice", "totp", key=True, options=("-o", "PreferredAuthentications=publickey,keyboard-interactive"))
          for _ in range(2)]
    keys = []
    for t in ts:
        for prompt in (CODE, b"Present one-time code: "):
            t.expect(prompt)
            forget(host, "alice")
            t.sendline(code(old))
        keys.append(shown(t)[0])
    ts[0].sendline(code(keys[0]))
    recovery_codes(ts[0])
    ts[1].sendline(code(keys[1]))
    ts[1].expect(b"meanwhile; log in again")
    assert ended(ts[1]) == 77
    ts[0].sendline("")
    assert ended(ts[0]) == 0
    assert by_key(host, "alice", code(keys[0], 1))


def until(channel, text):
    heard = b""
    while not heard.endswith(text):
        got = channel.recv(1)
        assert got, heard
        heard += got


def test_a_session_has_so_many_codes_to_prove_a_device(own_host):
    """On whichever channel, and without a back-off."""
    host = own_host(backoff_after=0)
    secret = enrol(host, "alice")
    with contextlib.closing(paramiko.Transport(("127.0.0.1", host.port))) as t:
        t.start_client(timeout=20 * SLOW)
        assert t.auth_password("alice", "correct horse", fallback=False) == ["keyboard-interactive"]
        assert t.auth_interactive("alice", lambda *_: [code(secret)]) == []
        for tries in (3, 2):
            channel = t.open_session(timeout=20 * SLOW)
            channel.settimeout(20 * SLOW)
            channel.get_pty()
            channel.exec_command("totp")
            for _ in range(tries):
                until(channel, b"Present one-time code: ")
                channel.send(f"{wrong(secret)}\n".encode())
            if tries == 3:
                until(channel, b"Present one-time code: ")
                channel.send(b"\x03")
                assert channel.recv_exit_status() == 77
        wait_for(lambda: not t.is_active(), 20, "the end of the connection")
    assert len(host.audit("totp.fail")) == 5 and "too many wrong codes" in host.log_text()


def test_two_connections_enrol_one_device(own_host):
    host = own_host(second_factor="all")
    first, second = (host.terminal("alice+bb", "echo in") for _ in range(2))
    (one, _), (two, _) = shown(first), shown(second)
    first.sendline(code(one))
    recovery_codes(first)
    second.sendline(code(two))
    second.expect(b"meanwhile; log in again")
    assert ended(second) == 77
    first.sendline("")
    assert is_in(first)
    assert by_key(host, "alice", code(one, 1))


# ---- nothing of it is written down ----------------------------------------------------


def test_neither_secrets_nor_codes_are_in_any_log(host):
    """The last here: after all of the above."""
    text = host.log_text() + host.ctl("audit", "export").stdout.decode()
    assert SECRETS and "login.second" in text
    for secret, user in SECRETS.items():
        for form in (base64.b32encode(secret).decode(), secret.hex()):
            assert form.lower() not in text.lower(), user
    for word in ("zzzz-zzzz", "abcd-efgh", "ABCDEFGHIJKLMN22", "otpauth:"):
        assert word not in text
    assert not re.search(r"\b(code|reason)=\d{6}\b", text)
