"""Who may reach what, and how a change ends what is running."""

import contextlib
import datetime
import re
import sqlite3
import subprocess
import time

import paramiko
import pexpect
import pytest

from lab import IMAGES, SLOW, ended, live_terminal, wait_for


def live_command(host, login):
    p = host.popen(login, "echo up; sleep 1000", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE)
    assert p.stdout.readline() == b"up\n"
    return p


def test_nothing_without_a_grant_and_everything_for_an_administrator(host):
    host.user("nogrant")
    assert host.ssh("nogrant+bb", "true").returncode == 66
    assert host.ctl_json("container", "list", "--user", "nogrant") == []
    assert host.ssh("root1+bb", "true").returncode == 0


@pytest.mark.parametrize("selector, reaches", (
    ("bb", {"bb"}), ("b*", {"bb", "bare"}), ("one/deb", {"deb"}), ("other/deb", set()),
    ("image:debian*", {"deb"}), ("*", {"bb", "deb", "bare"}), ("?b", {"bb"})))
def test_selectors(host, selector, reaches):
    name = f"sel{abs(hash(selector)) % 100000}"
    host.user(name)
    host.ctl("grant", "add", name, selector)
    seen = {c["name"] for c in host.ctl_json("container", "list", "--user", name)}
    assert seen & {"bb", "deb", "bare"} == reaches
    for container in ("bb", "deb"):
        assert host.ssh(f"{name}+{container}", "true").returncode == (0 if container in reaches else 66)
    host.ctl("user", "del", name)


def test_labels_and_owner(host, docker):
    host.user("owner")
    docker.container("owned", "busybox", "--label", "jumpbox.owner=owner", "--label", "team=blue")
    docker.container("other", "busybox", "--label", "jumpbox.owner=alice")
    try:
        wait_for(lambda: host.ssh("owner+owned", "true").returncode == 0, 10, "the owner's access")
        assert host.ssh("owner+other", "true").returncode == 66
        host.user("blue")
        host.ctl("grant", "add", "blue", "label:team=blue")
        assert host.ssh("blue+owned", "true").returncode == 0
        assert host.ssh("blue+other", "true").returncode == 66
    finally:
        docker.remove("owned")
        docker.remove("other")


def test_an_inherited_owner_label_does_not_count(host, docker):
    host.user("inheritor")
    docker.cli("import", "--change", 'LABEL jumpbox.owner=inheritor',
               IMAGES / "busybox.tar", "labelled:latest", timeout=120)
    docker.images.add("labelled")
    docker.container("inherited", "labelled")
    try:
        wait_for(lambda: host.ssh("alice+inherited", "true").returncode == 0, 10, "the inventory")
        assert host.ssh("inheritor+inherited", "true").returncode == 66
    finally:
        docker.remove("inherited")


@pytest.mark.parametrize("column, value, selector", (
    ("labels", '{"team":"red"}', "label:team=red"), ("image", "red:1", "image:red:*"), ("owner", "liar", None)),
    ids=("label", "image", "owner"))
def test_what_the_inventory_says_opens_nothing(own_host, column, value, selector):
    """The engine is asked at the attach: a list that says otherwise, for whatever reason, only shows too much."""
    host = own_host()
    host.user("liar")
    if selector:
        host.ctl("grant", "add", "liar", selector)
    assert b"bb" in host.ssh("alice", "ls").stdout and host.ssh("liar", "ls").stdout == b""
    with contextlib.closing(sqlite3.connect(host.database, timeout=10)) as db:
        lie = f"update containers set {column} = '{value}' where name = 'bb'"
        db.executescript(f"{lie}; create trigger lie_u after update on containers begin {lie}; end;"
                         f"create trigger lie_i after insert on containers begin {lie}; end;")
    assert b"bb" in host.ssh("liar", "ls").stdout
    r = host.ssh("liar+bb", "echo in")
    assert (r.returncode, r.stdout) == (66, b"") and b"not yours to reach" in r.stderr, r
    assert not [row for row in host.audit("attach.open") if row["user"] == "liar"]
    assert host.ssh("alice+bb", "echo in").stdout == b"in\n"


def test_groups(host):
    host.user("member")
    host.ctl("group", "add", "team")
    host.ctl("grant", "add", "@team", "bb")
    assert host.ssh("member+bb", "true").returncode == 66
    host.ctl("group", "join", "team", "member")
    assert host.ssh("member+bb", "true").returncode == 0
    host.ctl("group", "leave", "team", "member")
    assert host.ssh("member+bb", "true").returncode == 66


def test_permissions(host):
    host.user("runner")
    host.ctl("grant", "add", "runner", "bb", "--allow", "exec")
    assert host.ssh("runner+bb", "true").returncode == 0
    t = host.terminal("runner+bb")
    assert ended(t) == 77
    host.user("viewer")
    host.ctl("grant", "add", "viewer", "bb", "--allow", "logs")
    assert host.ssh("viewer+bb", "true").returncode == 77


@pytest.mark.parametrize("how", ("revoke", "lock", "expire", "kill", "silence", "delete"))
def test_a_change_ends_live_sessions_within_5_seconds_with_a_reason(host, docker, how):
    name = f"end-{how}"
    host.user(name)
    grant = host.ctl_json("grant", "add", name, "bb")["id"]
    t = live_terminal(host, f"{name}+bb")
    p = live_command(host, f"{name}+bb")
    bystander = live_terminal(host, "alice+bb")
    if how == "revoke":
        host.ctl("grant", "del", str(grant))
    elif how == "lock":
        host.ctl("user", "lock", name)
    elif how == "expire":
        host.ctl("user", "set", name, "expires", "2020-01-01")
    elif how == "delete":
        host.ctl("user", "del", name)
    else:
        reason = ["--reason", "tea time"] if how == "kill" else []
        for s in host.ctl_json("session", "list"):
            if s["user"] == name:
                host.ctl("session", "kill", str(s["id"]), *reason)
    start = time.monotonic()
    status = ended(t, timeout=5)
    word = {"revoke": b"access", "lock": b"your account is locked: ask an administrator",
            "expire": b"your account is expired: ask an administrator",
            "delete": b"your account is deleted: ask an administrator",
            "kill": b"an administrator ended this session: tea time",
            "silence": b"an administrator ended this session"}[how]
    out, err = p.communicate(timeout=5 * SLOW)
    assert time.monotonic() - start < 5 * SLOW
    assert (out, p.returncode, status) == (b"", 77, 77), err
    # One reason, said once.
    assert t.before.count(word) == 1 and err.count(word) == 1
    bystander.sendline("echo st''ill; exit")
    bystander.expect(b"still\r\n")
    bystander.expect(pexpect.EOF)


def test_a_grant_that_expires_by_itself(host):
    host.user("brief")
    grant = host.ctl_json("grant", "add", "brief", "bb", "--until", "+1h")["id"]
    until = int(time.time()) + 6 + 2 * SLOW
    with contextlib.closing(sqlite3.connect(host.database)) as db:  # jumpboxctl knows no seconds
        db.execute("update grants set until = ? where id = ?", (until, grant))
        db.commit()
    t = live_terminal(host, "brief+bb")
    t.expect(pexpect.EOF, timeout=15 * SLOW)
    assert until <= time.time() < until + 5 * SLOW
    assert b"access" in t.before
    assert host.ssh("brief+bb", "true").returncode == 66


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def test_audit_of_a_session(host):
    """Who, from where, when, what; and how it ended, to the byte."""
    start = now()
    host.user("audited")
    host.ctl("grant", "add", "audited", "*")
    made = now()
    command = "cat >/dev/null; printf 12345; printf 678 >&2; exit 7"
    r = host.ssh("audited+bb", command, input=b"x" * 1000, options=("-b", "127.0.0.9"))
    assert (r.returncode, r.stdout, r.stderr) == (7, b"12345", b"678")

    def rows():
        return [r for r in host.audit() if "audited" in (r["user"], r["actor"])]
    wait_for(lambda: rows()[-1]["event"] == "session.close", 5, "the last row")
    end = now()
    by_event = {r["event"]: r for r in rows()}
    assert list(by_event) == [
        "user.add", "key.add", "grant.add", "login.ok", "attach.open", "attach.close", "session.close"]
    assert len(rows()) == len(by_event)
    last = start
    for event, row in by_event.items():
        by_operator = event in ("user.add", "key.add", "grant.add")
        at = datetime.datetime.fromisoformat(row["at"].replace("Z", "+00:00"))
        # Its time is cut to milliseconds.
        assert max(last, start if by_operator else made) - at < datetime.timedelta(milliseconds=1), event
        assert at <= (made if by_operator else end), event
        last = at
        assert row["source"] == ("local" if by_operator else "127.0.0.9"), event
        assert row["actor"].startswith("operator:") if by_operator else row["actor"] == "audited", event
        assert row["user"] == "audited", event
    opened, closed = by_event["attach.open"], by_event["attach.close"]
    assert len({by_event[e]["conn"] for e in ("login.ok", "attach.open", "attach.close", "session.close")}) == 1
    assert opened["target"] == closed["target"] == "one/bb"
    attach = re.fullmatch(r"attach=(\d+) session=\d+ container=[0-9a-f]{12} kind=exec tty=no as=- recording=- command="
                          + re.escape(command), opened["detail"])[1]
    assert closed["detail"] == f"attach={attach} in=1000 out=8 status=7 how=exit"
    assert by_event["session.close"]["detail"] == "how=logout in=1000 out=8"


@contextlib.contextmanager
def refusing(host, when="1"):
    """An audit table that takes no rows, or not those."""
    with contextlib.closing(sqlite3.connect(host.database)) as db:
        db.execute(f"create trigger no_audit before insert on audit when {when} begin select raise(abort, 'full'); end")
        db.commit()
        try:
            yield
        finally:
            db.execute("drop trigger no_audit")
            db.commit()


@pytest.mark.parametrize("user", ("root1", "alice"))
def test_no_audit_row_no_attach(own_host, docker, user):
    """Nothing is started that cannot be recorded, not even for an administrator who is logged in."""
    host = own_host()
    c = paramiko.SSHClient()
    c.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    c.connect("127.0.0.1", host.port, f"{user}+bb", key_filename=str(host.key), allow_agent=False,
              look_for_keys=False, timeout=20 * SLOW)

    def execute(command):
        ch = c.get_transport().open_session()
        ch.settimeout(20 * SLOW)
        ch.exec_command(command)
        return ch.makefile("rb").read(), ch.makefile_stderr("rb").read(), ch.recv_exit_status()
    mark = f"/tmp/not-recorded-{user}"
    try:
        assert execute("echo in") == (b"in\n", b"", 0)
        with refusing(host, "new.event = 'attach.open'"):
            assert execute(f"touch {mark}; exec sleep 98761") == (
                b"", b"jumpbox: the audit record could not be written, so nothing was started; tell the operator\n", 69)
            assert docker.exec("bb", "sh", "-c", f"ls {mark} 2>/dev/null || echo absent") == "absent\n"
            assert not [p for p in docker.processes("bb") if mark in p[2] or "98761" in p[2]]
        assert execute(f"touch {mark} && ls {mark}") == (f"{mark}\n".encode(), b"", 0)
    finally:
        c.close()
        docker.exec("bb", "rm", "-f", mark)


def test_no_audit_row_no_login(own_host):
    host = own_host()
    p = live_command(host, "root1+bb")
    sessions = host.ctl_json("session", "list", "--all")
    with refusing(host):
        for user in ("root1", "alice"):
            r = host.ssh(f"{user}+bb", "echo in")
            assert (r.returncode, r.stdout) == (255, b"") and b"Permission denied" in r.stderr
        assert p.poll() is None
    assert host.ctl_json("session", "list", "--all") == sessions
    assert host.ssh("root1+bb", "echo in").stdout == b"in\n"
    p.kill()
    p.wait(10)


def test_audit_rows_cannot_be_changed_and_editing_offline_is_found(own_host):
    host = own_host()
    host.ssh("alice+bb", "true")
    assert host.ctl("check", check=False).returncode == 0
    host.stop()
    db = sqlite3.connect(host.database)
    for statement in ("update audit set actor='x'", "delete from audit"):
        with pytest.raises(sqlite3.IntegrityError, match="audit rows are never"):
            db.execute(statement)
    triggers = db.execute("select name, sql from sqlite_master where type='trigger' and tbl_name='audit'").fetchall()
    for name, _ in triggers:
        db.execute(f"drop trigger {name}")
    db.execute("update audit set actor='mallory' where id=(select min(id)+1 from audit)")
    for _, sql in triggers:
        db.execute(sql)
    db.commit()
    db.close()
    r = host.ctl("check", check=False)
    assert r.returncode == 65 and re.search(rb"^BAD  audit: ", r.stdout, re.M), r.stdout
