"""Who may reach what, and how a change ends what is running."""

import pexpect
import pytest

from lab import live_terminal, wait_for


def live_command(host, login):
    import subprocess
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
               __import__("lab").IMAGES / "busybox.tar", "labelled:latest", timeout=120)
    docker.images.add("labelled")
    docker.container("inherited", "labelled")
    try:
        wait_for(lambda: host.ssh("alice+inherited", "true").returncode == 0, 10, "the inventory")
        assert host.ssh("inheritor+inherited", "true").returncode == 66
    finally:
        docker.remove("inherited")


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
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus == 77
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
    t.expect(pexpect.EOF, timeout=5 if "JUMPBOX_SANITIZED" not in __import__("os").environ else 20)
    word = {"revoke": b"access", "lock": b"your account is locked: ask an administrator",
            "expire": b"your account is expired: ask an administrator",
            "delete": b"your account is deleted: ask an administrator",
            "kill": b"an administrator ended this session: tea time",
            "silence": b"an administrator ended this session"}[how]
    out, err = p.communicate(timeout=10)
    assert out == b"" and p.returncode != 0
    # One reason, said once.
    assert t.before.count(word) == 1 and err.count(word) == 1
    bystander.sendline("echo st''ill; exit")
    bystander.expect(b"still\r\n")
    bystander.expect(pexpect.EOF)


def test_a_grant_that_expires_by_itself(host):
    host.user("brief")
    import datetime
    until = (datetime.datetime.now() + datetime.timedelta(seconds=70)).strftime("%Y-%m-%dT%H:%M")
    host.ctl("grant", "add", "brief", "bb", "--until", until)
    r = host.ssh("brief+bb", "true")
    if r.returncode == 66:
        pytest.fail("the grant was over before it began")
    t = live_terminal(host, "brief+bb")
    t.expect(pexpect.EOF, timeout=90)
    assert b"access" in t.before


def test_audit_of_a_session(host):
    host.user("audited")
    host.ctl("grant", "add", "audited", "*")
    assert host.ssh("audited+bb", "echo 'quoted \"x\"'; exit 7").returncode == 7
    rows = [r for r in host.audit() if r["user"] == "audited" or r["actor"] == "audited"]
    events = [r["event"] for r in rows]
    for event in ("user.add", "grant.add", "login.ok", "attach.open", "attach.close"):
        assert event in events, events
    opened = next(r for r in rows if r["event"] == "attach.open")
    assert opened["target"] == "one/bb" and "echo 'quoted \"x\"'; exit 7" in opened["detail"]
    assert opened["source"] == "127.0.0.1"

    def closed():
        rows = [r for r in host.audit("attach.close") if r["actor"] == "audited"]
        return rows and rows[-1]
    assert "7" in wait_for(closed, 5)["detail"]


def test_no_audit_row_no_attach(own_host):
    """An audit table that refuses rows: nobody gets in, not even an administrator."""
    import sqlite3
    host = own_host()
    db = sqlite3.connect(host.database)
    p = live_command(host, "root1+bb")
    db.execute("create trigger no_audit before insert on audit begin select raise(abort, 'full'); end")
    db.commit()
    r = host.ssh("root1+bb", "echo in")
    assert r.returncode != 0 and r.stdout == b""
    db.execute("drop trigger no_audit")
    db.commit()
    db.close()
    assert host.ssh("root1+bb", "echo in").stdout == b"in\n"
    p.kill()
    p.wait(10)


def test_audit_rows_cannot_be_changed_and_editing_offline_is_found(own_host):
    import sqlite3
    host = own_host()
    host.ssh("alice+bb", "true")
    assert host.ctl("check", check=False).returncode == 0
    host.stop()
    db = sqlite3.connect(host.database)
    for statement in ("update audit set actor='x'", "delete from audit"):
        with pytest.raises(sqlite3.Error):
            db.execute(statement)
    triggers = db.execute("select name from sqlite_master where type='trigger' and tbl_name='audit'").fetchall()
    for (trigger,) in triggers:
        db.execute(f"drop trigger {trigger}")
    db.execute("update audit set actor='mallory' where id=(select min(id)+1 from audit)")
    db.commit()
    db.close()
    r = host.ctl("check", check=False)
    assert r.returncode != 0 and b"audit" in r.stdout + r.stderr
