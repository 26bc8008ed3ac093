"""`cp CONTAINER:PATH CONTAINER:PATH`: from one container to another, and not through the client."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import stat
import struct
import subprocess

import pytest

from lab import SLOW, ended, wait_for
from test_files import nothing_left
from test_helper import DIRECT
from test_helper_liar import liar  # noqa: F401

MIB = 1 << 20


def cp(host, source, destination, login="alice", **kw):
    return host.ssh(login, f"cp {source} {destination}", timeout=120, **kw)


def ok(*args, **kw):
    r = cp(*args, **kw)
    assert (r.returncode, r.stdout, r.stderr) == (0, b"", b""), r


def fails(status, *args, **kw):
    """What it says, each line without the program's name."""
    r = cp(*args, **kw)
    assert (r.returncode, r.stdout) == (status, b""), r
    return [line.removeprefix("jumpbox: ") for line in r.stderr.decode().splitlines()]


def root(host, name):
    """A container's files, from outside."""
    pid = host.engine.cli("inspect", "--format", "{{.State.Pid}}", name).stdout.decode().strip()
    return pathlib.Path(f"/proc/{pid}/root")


@pytest.fixture
def here(host):
    """A fresh /tmp/cp in `bb` and in `deb`, from outside."""
    dirs = root(host, "bb") / "tmp/cp", root(host, "deb") / "tmp/cp"
    for name in ("bb", "deb"):
        host.engine.exec(name, "rm", "-rf", "/tmp/cp")
    for d in dirs:
        d.mkdir()
    return dirs


NAMES = ("plain", "with a blank", "with\na line's end", "umlaut-ü-中", os.fsdecode(b"bytes-\xff\xfe"), "-dash",
         "x" * 255, "'quotes\"", ".hidden", ".jumpbox-0000000000000000")


def make_tree(top):
    top.mkdir()
    for n, name in enumerate(NAMES):
        (top / name).write_bytes(bytes(range(256)) * n)
        os.utime(top / name, ns=(10 ** 18, 10 ** 18 + n))
    deep = top.joinpath(*"abcdefgh")
    deep.mkdir(parents=True)
    (deep / "leaf").write_text("leaf")
    (top / "a/empty").mkdir()
    (top / "secret").write_text("secret")
    (top / "secret").chmod(0o600)
    (top / "script").write_text("#!/bin/sh\n")
    (top / "script").chmod(0o751)
    os.link(top / "script", top / "hard")
    (top / "link").symlink_to("plain")
    (top / "broken").symlink_to("/no/such\nplace")
    (top / "to-dir").symlink_to("a/b")
    with open(top / "sparse", "wb") as f:
        f.truncate(MIB)
        f.seek(4 * MIB)
        f.write(b"in the middle")
        f.truncate(9 * MIB)
    (top / "locked").mkdir()
    (top / "locked/in").write_text("in")
    (top / "locked").chmod(0o500)
    for name in ("a", "a/b", "a/empty", "locked", "."):
        os.utime(top / name, (10 ** 9, 10 ** 9))


def tree(top):
    """All that is to be kept of a tree."""
    found = {}
    for at, dirs, files in os.walk(top):
        for name in (*dirs, *files, "."):
            path = pathlib.Path(at, name)
            st = path.lstat()
            what = (os.readlink(path) if stat.S_ISLNK(st.st_mode) else
                    path.read_bytes() if stat.S_ISREG(st.st_mode) else None)
            found[str(path.relative_to(top))] = (oct(st.st_mode), st.st_mtime_ns, what)
    return found


# ---- what arrives

@pytest.mark.parametrize("source, target", (("bb", "deb"), ("deb", "bare"), ("bare", "bb")))
def test_a_tree_arrives_as_it_was(site, source, target):
    make_tree(root(site, source) / "tree")
    try:
        ok(site, f"{source}:/tree", f"{target}:/copied")
        want, got = tree(root(site, source) / "tree"), tree(root(site, target) / "copied")
        assert got == want
        assert (root(site, target) / "copied/sparse").stat().st_blocks < MIB // 512
        assert (root(site, target) / "copied/hard").stat().st_nlink == 1
    finally:
        for name, path in ((source, "tree"), (target, "copied")):
            subprocess.run(["rm", "-rf", root(site, name) / path], check=True)


def test_between_nodes(own_host, lab):
    host, podman = own_host(), lab.engine("podman")
    host.node(podman, "two")
    for a, b in (("bb.one", "deb.two"), ("two+deb", "one+bb"), ("deb.two", "two~bb")):
        engine = podman if "two" in a else host.engine
        engine.exec(re.sub("two|one|[.+]", "", a), "sh", "-c", f"echo {a} >/tmp/from")
        ok(host, f"{a}:/tmp/from", f"{b}:/tmp/to")
        engine = podman if "two" in b else host.engine
        assert engine.exec(re.sub("two|one|[.+~]", "", b), "cat", "/tmp/to") == f"{a}\n"
    assert "2 containers" in fails(64, host, "bb:/tmp/to", "bb.two:/tmp/x")[0]


def test_what_it_becomes(host, here):
    a, b = here
    (a / "file").write_text("file")
    (a / "dir").mkdir()
    (a / "dir/in").write_text("in")
    (a / "link").symlink_to("dir")
    (b / "into").mkdir()
    (b / "there").write_text("there")
    (b / "to-there").symlink_to("there")
    (b / "to-into").symlink_to("into")
    for source, destination, made, text in (
            ("file", "new", "new", "file"),
            ("file", "into", "into/file", "file"),
            ("file", "to-into/", "into/file", "file"),
            ("file", "there", "there", "file"),
            ("file", "to-there", "there", "file"),
            ("dir", "into", "into/dir/in", "in"),
            ("dir", "made", "made/in", "in"),
            ("dir/", "slash/", "slash/in", "in"),
            ("dir/.", "into", "into/in", "in"),
            ("dir/.", "also", "also/in", "in"),
            ("link/", "into", "into/link/in", "in"),
            ("dir/in", "made", "made/in", "in")):
        ok(host, f"bb:/tmp/cp/{source}", f"deb:/tmp/cp/{destination}")
        assert (b / made).read_text() == text, (source, destination)
    assert (b / "to-there").is_symlink() and (b / "to-into").is_symlink()
    ok(host, "bb:/tmp/cp/link", "deb:/tmp/cp/alink")
    assert os.readlink(b / "alink") == "dir"
    # Without a leading slash it begins at home, as for scp.
    ok(host, "bb:/tmp/cp/file", "deb:")
    ok(host, "deb:file", "deb:again")
    assert host.engine.exec("deb", "sh", "-c", "cat ~/again; rm ~/again ~/file") == "file"


def test_what_it_cannot_become(host, here):
    a, b = here
    (a / "file").write_text("file")
    (a / "dir").mkdir()
    os.mkfifo(a / "fifo")
    (b / "there").write_text("there")
    (b / "into/file").mkdir(parents=True)
    os.mknod(b / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    for source, destination, said in (
            ("file", "new/", "deb:/tmp/cp/new/: Not a directory"),
            ("file", "there/", "deb:/tmp/cp/there/: Not a directory"),
            ("file", "no/such", "deb:/tmp/cp/no/such: No such file or directory"),
            ("file", "into", "deb:/tmp/cp/into/file: Is a directory"),
            ("file", "null", "deb:/tmp/cp/null: something is there that is no file"),
            ("dir", "there", "deb:/tmp/cp/there: Not a directory"),
            ("none", "new", "bb:/tmp/cp/none: No such file or directory"),
            ("fifo", "new", "bb:/tmp/cp/fifo: skipped: no file, directory or link")):
        assert fails(1, host, f"bb:/tmp/cp/{source}", f"deb:/tmp/cp/{destination}") == [said]
    assert sorted(p.name for p in b.iterdir()) == ["into", "null", "there"]
    assert (b / "there").read_text() == "there" and stat.S_ISCHR((b / "null").stat().st_mode)


def test_within_one_container(host, here):
    a, _ = here
    (a / "d/sub").mkdir(parents=True)
    (a / "d/f").write_text("f")
    (a / "to-d").symlink_to("d")
    for destination in ("d/sub", "d/new", "to-d/sub", "d", "."):
        assert "into itself" in fails(1, host, "bb:/tmp/cp/d", f"bb:/tmp/cp/{destination}")[0]
    ok(host, "bb:/tmp/cp/d/f", "bb:/tmp/cp/d/f")
    ok(host, "bb:/tmp/cp/d", "bb:/tmp/cp/e")
    assert (a / "d/f").read_text() == (a / "e/f").read_text() == "f"
    assert not [p for p in a.rglob(".jumpbox-*")]
    # One stream serves both ends.
    before = host.log_text().count("kind=helper")
    ok(host, "bb:/tmp/cp/d/f", "bb:/tmp/cp/g")
    assert host.log_text().count("kind=helper") == before + 1


def test_one_that_fails_keeps_none_of_the_others(host, here):
    a, b = here
    for name in ("a", "m", "z"):
        (a / "d" / name).mkdir(parents=True)
        (a / "d" / name / "file").write_text(name)
    os.mkfifo(a / "d/a/fifo")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(a / "d/z/socket"))
    (b / "d").mkdir()
    (b / "elsewhere").mkdir()
    (b / "d/m").symlink_to("../elsewhere")
    (b / "d/a").mkdir()
    (b / "d/a/file").mkdir()
    said = fails(1, host, "bb:/tmp/cp/d", "deb:/tmp/cp")
    assert sorted(said) == ["bb:/tmp/cp/d/a/fifo: skipped: no file, directory or link",
                            "bb:/tmp/cp/d/z/socket: skipped: no file, directory or link",
                            "deb:/tmp/cp/d/a/file: Is a directory", "deb:/tmp/cp/d/m: Not a directory"]
    assert (b / "d/z/file").read_text() == "z" and not list((b / "elsewhere").iterdir())


def test_skipped_is_not_failed(host, here):
    a, b = here
    (a / "d").mkdir()
    os.mkfifo(a / "d/fifo")
    (a / "d/file").write_text("file")
    r = cp(host, "bb:/tmp/cp/d", "deb:/tmp/cp/")
    assert r.returncode == 0 and b"fifo: skipped" in r.stderr and (b / "d/file").exists()


# ---- who may

def test_what_is_typed_wrong(host):
    for line in ("cp", "cp bb:/x", "cp bb:/x deb:/y bb:/z", "cp /etc/passwd bb:/tmp", "cp bb:/etc/passwd /tmp",
                 "cp :/x bb:/y", "cp -r bb:/x deb:/y"):
        r = host.ssh("alice", line)
        assert r.returncode == 64 and b"cp NAME:PATH NAME:PATH" in r.stderr, line
    assert "there is no container nobody" in fails(66, host, "nobody:/x", "deb:/y")[0]
    assert "there is no container nobody" in fails(66, host, "bb:/etc/passwd", "nobody:/y")[0]


def test_permissions(own_host):
    host = own_host()
    for name, allow in (("reader", "files:ro"), ("writer", "files"), ("runner", "shell,exec,forward")):
        host.user(name)
        host.ctl("grant", "add", name, "bb", "--allow", "files")
        host.ctl("grant", "add", name, "deb", "--allow", allow)
    ok(host, "deb:/etc/hostname", "bb:/tmp/h", login="reader")
    assert fails(77, host, "bb:/etc/passwd", "deb:/tmp/never", login="reader") == ["you may not transfer files of deb"]
    ok(host, "deb:/etc/hostname", "bb:/tmp/h", login="writer")
    ok(host, "bb:/tmp/h", "deb:/tmp/h", login="writer")
    for ends in (("bb:/etc/passwd", "deb:/tmp/never"), ("deb:/etc/passwd", "bb:/tmp/never")):
        assert fails(77, host, *ends, login="runner") == ["you may not transfer files of deb"]
    for name in ("bb", "deb"):
        assert "never" not in host.engine.exec(name, "ls", "/tmp")


def test_it_is_in_the_audit_of_both(host, here):
    a, b = here
    (a / "d").mkdir()
    (a / "d/no\nted").write_bytes(b"x" * 100000)
    (a / "d/l").symlink_to("noted")
    ok(host, "bb:/tmp/cp/d", "deb:/tmp/cp/noted")

    def said(name):
        rows = [r for r in host.audit("file.note") if r["target"] == f"one/{name}" and "/tmp/cp/" in r["detail"]]
        return [r["detail"].split("said: ")[1] for r in rows]
    read = [r'read path="/tmp/cp/d/no\x0ated" size=100000']
    written = ['mkdir path="/tmp/cp/noted"', 'symlink path="/tmp/cp/noted/l" target="noted"',
               r'write path="/tmp/cp/noted/no\x0ated" size=100000']
    wait_for(lambda: said("bb")[-1:] == read, 10, "what was read")
    wait_for(lambda: sorted(said("deb")[-3:]) == written, 10, "what was written")
    (a / "new").write_bytes(b"x")
    (b / "old").write_bytes(b"x" * 5)
    ok(host, "bb:/tmp/cp/new", "deb:/tmp/cp/old")
    replaced = ['write path="/tmp/cp/old" size=1 was=5']
    wait_for(lambda: said("deb")[-1:] == replaced, 10, "what was replaced")


def test_as_whom(own_host, container, host):
    """The user of the grant at either end, and no more than that one can."""
    container("user", "debian", "--user", "1000:1000", "--tmpfs", "/srv:exec")
    top = root(host, "user")
    (top / "srv/d").mkdir()
    for name, mode in (("open", 0o644), ("closed", 0o600), ("last", 0o644)):
        (top / "srv/d" / name).write_text(name)
        (top / "srv/d" / name).chmod(mode)
    (top / "srv").chmod(0o777)
    ok(host, "bb:/etc/passwd", "user:/srv/")
    assert (top / "srv/passwd").stat().st_uid == 1000
    assert fails(1, host, "bb:/etc/passwd", "user:/etc/") == ["user:/etc/passwd: Permission denied"]
    assert fails(1, host, "user:/srv/d", "user:/srv/e") == ["user:/srv/d/closed: Permission denied"]
    assert sorted(p.name for p in (top / "srv/e").iterdir()) == ["last", "open"]
    mine = own_host()
    mine.user("bob")
    mine.ctl("grant", "add", "bob", "deb", "--allow", "files", "--as", "nobody")
    ok(mine, "deb:/etc/passwd", "deb:/tmp/nobodys", login="bob")
    assert mine.engine.exec("deb", "stat", "-c", "%U", "/tmp/nobodys") == "nobody\n"


@pytest.mark.parametrize("name, image, options, there", (
    ("c-ro", "busybox", ("--read-only", "--tmpfs", "/tmp:exec"), "/tmp"),
    ("c-rotmp", "debian", ("--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run:exec"), "/run"),
))
def test_a_read_only_root(host, container, name, image, options, there):
    container(name, image, *options)
    assert fails(1, host, "bb:/etc/passwd", f"{name}:/etc/x") == [f"{name}:/etc/x: Read-only file system"]
    ok(host, "bb:/etc/passwd", f"{name}:{there}/x")
    ok(host, f"{name}:{there}/x", "bb:/tmp/x")
    wait_for(lambda: nothing_left(host, name), 10, "nothing to be left")


def test_no_helper_no_copy(host, container):
    container("c-label", "busybox", "--label", "jumpbox.helper=off")
    for ends in (("c-label:/etc/passwd", "bb:/tmp/never"), ("bb:/etc/passwd", "c-label:/tmp/never")):
        assert "label jumpbox.helper" in fails(77, host, *ends)[0]


# ---- much, and not all of it

def test_many_files(host, here):
    a, b = here
    (a / "many").mkdir()
    for i in range(2000):
        (a / f"many/{i}").write_text(str(i))
    ok(host, "bb:/tmp/cp/many", "deb:/tmp/cp")
    assert {p.name: p.read_text() for p in (b / "many").iterdir()} == {str(i): str(i) for i in range(2000)}

    def noted():
        return len([r for r in host.audit("file.note") if 'write path="/tmp/cp/many/' in r["detail"]])
    wait_for(lambda: noted() >= 2000, 30, "the audit of all of them")
    assert noted() == 2000


def test_a_gibibyte_of_holes(host, here):
    a, b = here
    with open(a / "sparse", "wb") as f:
        f.seek(1 << 30)
        f.write(b"end")
    ok(host, "bb:/tmp/cp/sparse", "deb:/tmp/cp/")
    st = (b / "sparse").stat()
    assert st.st_size == (1 << 30) + 3 and st.st_blocks < MIB // 512
    with open(b / "sparse", "rb") as f:
        f.seek(1 << 30)
        assert f.read() == b"end"


def test_a_full_disk(host, container, here):
    a, _ = here
    container("c-full", "busybox", "--tmpfs", "/small:size=2m")
    (a / "d").mkdir()
    (a / "d/big").write_bytes(os.urandom(8 * MIB))
    for name in ("a", "z"):
        (a / "d" / name).write_text(name)
    assert fails(1, host, "bb:/tmp/cp/d", "c-full:/small/") == ["c-full:/small/d/big: No space left on device"]
    small = root(host, "c-full") / "small/d"
    assert sorted(p.name for p in small.iterdir()) == ["a", "z"]
    assert fails(1, host, "bb:/tmp/cp/d/big", "c-full:/small/") == ["c-full:/small/big: No space left on device"]
    assert sorted(p.name for p in small.parent.iterdir()) == ["d"]


def helpers(host, name):
    """Pids, outside, of the helper in a container and of the ends that it has forked; others have servers there."""
    init = root(host, name).parent
    group = (init / "cgroup").read_text()
    found = []
    for p in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (p / "cgroup").read_text() == group and (p / "cmdline").read_bytes().startswith(b"/proc/self/fd/3"):
                found.append(int(p.name))
    return found


def number(path, key):
    return int(re.search(rf"^{key}:\s+(\d+)", pathlib.Path(path).read_text(), re.M).group(1))


def test_an_end_that_stands_still(host, here):
    """What was read and not written waits where it is read, but for a window; then all of it arrives."""
    a, b = here
    (a / "big").write_bytes(os.urandom(96 * MIB))
    with host.popen("alice", "cp bb:/tmp/cp/big deb:/tmp/cp/") as p:
        wait_for(lambda: list(b.iterdir()), 20, "its beginning")
        writers, seen = wait_for(lambda: len(now := helpers(host, "deb")) == 2 and now, 10, "a helper and its end"), []
        for pid in writers:
            os.kill(pid, signal.SIGSTOP)

        def still():
            seen.append(sum(number(f"/proc/{pid}/io", "rchar") for pid in helpers(host, "bb")))
            return len(seen) > 20 and len(set(seen[-20:])) == 1
        wait_for(still, 30, "the end that reads to wait")
        assert all(number(f"/proc/{pid}/status", "VmRSS") < 32 * 1024 * SLOW for pid in host.serving("jumpbox-session"))
        assert p.poll() is None
        for pid in writers:
            os.kill(pid, signal.SIGCONT)
        assert p.wait(60 * SLOW) == 0
    assert (b / "big").read_bytes() == (a / "big").read_bytes()


def test_a_client_that_is_killed(host, here):
    a, b = here
    (a / "big").write_bytes(bytes(256 * MIB))
    with host.popen("alice", "cp bb:/tmp/cp/big deb:/tmp/cp/", stderr=subprocess.PIPE) as p:
        wait_for(lambda: list(b.iterdir()), 20, "its beginning")
        p.kill()
    wait_for(lambda: not list(b.iterdir()), 20, "nothing to be left")
    for name in ("bb", "deb"):
        wait_for(lambda: not helpers(host, name), 20, "no process to be left")


def test_a_channel_that_is_closed(host, here):
    """The connection stays: so do its helpers, and nothing of the copy."""
    a, b = here
    (a / "big").write_bytes(bytes(256 * MIB))
    with contextlib.closing(host.transport("alice")) as t:
        ch = t.open_session()
        ch.exec_command("cp bb:/tmp/cp/big deb:/tmp/cp/")
        wait_for(lambda: list(b.iterdir()), 20, "its beginning")
        ch.close()
        wait_for(lambda: not list(b.iterdir()), 20, "nothing to be left")
        for name in ("bb", "deb"):
            wait_for(lambda: len(helpers(host, name)) == 1, 20, "both ends to go")


def test_an_interrupt(host, here):
    a, b = here
    (a / "big").write_bytes(bytes(256 * MIB))
    t = host.terminal("alice", "cp bb:/tmp/cp/big deb:/tmp/cp/")
    wait_for(lambda: list(b.iterdir()), 20, "its beginning")
    t.send("\x03")
    t.expect(r"\^C")
    assert ended(t) == 130
    wait_for(lambda: not list(b.iterdir()), 20, "nothing to be left")


def test_a_grant_that_is_narrowed(own_host, here):
    a, b = here
    host = own_host()
    host.user("bob")
    host.ctl("grant", "add", "bob", "bb", "--allow", "files:ro")
    host.ctl("grant", "add", "bob", "deb", "--allow", "files")
    number = host.ctl_json("grant", "list", "--user", "bob")[1]["id"]
    (a / "big").write_bytes(bytes(512 * MIB))
    with host.popen("bob", "cp bb:/tmp/cp/big deb:/tmp/cp/", stderr=subprocess.PIPE) as p:
        wait_for(lambda: list(b.iterdir()), 20, "its beginning")
        host.ctl("grant", "del", str(number))
        assert p.wait(30 * SLOW) == 77, p.stderr.read()
        assert b"was withdrawn" in p.stderr.read()
    wait_for(lambda: not list(b.iterdir()), 20, "nothing to be left")


# ---- what comes from the other container is not believed

RECORDS = {name: n for n, name in enumerate(("DIR", "FILE", "LINK", "DATA", "HOLE", "CLOSE", "UP", "SAID", "END"), 1)}


def record(kind, payload=b""):
    return struct.pack(">I", RECORDS[kind] << 24 | len(payload)) + payload


def entry(kind, name=b"", target=None, mode=0o755):
    target = target + b"\0" if target is not None else b""
    return record(kind, struct.pack(">IQI", mode, 1, 0) + name + b"\0" + target)


def content(data):
    return record("DATA", data) + record("CLOSE", struct.pack(">I", 0))


END = record("END", bytes(4))
ROOT = entry("DIR")
EVIL = content(b"evil")

HOSTILE = {
    "a path": ROOT + entry("FILE", b"../evil") + EVIL,
    "an absolute path": ROOT + entry("FILE", b"/tmp/evil") + EVIL,
    "dots": ROOT + entry("DIR", b".."),
    "a dot": ROOT + entry("DIR", b"."),
    "no name": ROOT + entry("FILE") + EVIL,
    "a name for the first": entry("FILE", b"evil") + EVIL,
    "two of them": entry("FILE") + EVIL + entry("FILE") + EVIL,
    "a name cut off": ROOT + record("FILE", struct.pack(">IQI", 0, 0, 0) + b"evil"),
    "a name behind the name": ROOT + record("FILE", struct.pack(">IQI", 0, 0, 0) + b"evil\0evil\0"),
    "too long a name": ROOT + entry("FILE", b"e" * 256) + EVIL,
    "up and out": ROOT + record("UP") + record("UP"),
    "a directory in a file": ROOT + entry("FILE", b"f") + entry("DIR", b"evil"),
    "data of nothing": ROOT + EVIL,
    "an end in the middle": ROOT + END,
    "no end": ROOT,
    "beyond all files": ROOT + entry("FILE", b"f") + record("HOLE", struct.pack(">Q", (1 << 63) - 1)) + EVIL,
    "a hole of nothing": ROOT + entry("FILE", b"f") + record("HOLE", bytes(8)),
    "too deep": ROOT + entry("DIR", b"d") * 500 + record("UP") * 501,
    "a bad mode": entry("FILE", mode=0o170644) + EVIL,
    "a bad time": record("FILE", struct.pack(">IQI", 0, 0, 10 ** 9) + b"\0") + EVIL,
    "two lines": record("SAID", b"one\ntwo\0"),
    "a type that is none": struct.pack(">I", 99 << 24),
    "too long": struct.pack(">I", RECORDS["DATA"] << 24 | 0xffffff),
}


def receive(where, stream, destination="into", source="/data/x"):
    return subprocess.run([*DIRECT, "copy", "in", destination, source], cwd=where, input=stream,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60 * SLOW)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_records(tmp_path, name):
    (tmp_path / "into").mkdir()
    before = set(tmp_path.rglob("*"))
    r = receive(tmp_path, HOSTILE[name] + END)
    assert r.returncode == 1 and (b"no copy" in r.stdout or b"cut off" in r.stdout), r
    made = {p for p in tmp_path.rglob("*")} - before
    assert all(p == tmp_path / "into/x" or tmp_path / "into/x" in p.parents for p in made), made
    assert not [p for p in made if "evil" in p.name or ".jumpbox" in p.name]
    assert not pathlib.Path("/tmp/evil").exists()


def test_a_link_that_came_is_not_gone_through(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    to = str(outside).encode()
    stream = (ROOT + entry("LINK", b"d", to) + entry("DIR", b"d") + entry("FILE", b"evil") + EVIL + record("UP") +
              entry("LINK", b"f", to + b"/kept") + entry("FILE", b"f") + EVIL + entry("LINK", b"n", to + b"/evil") +
              entry("FILE", b"n") + EVIL + record("UP") + END)
    r = receive(tmp_path, stream, "new")
    assert (r.returncode, r.stdout) == (1, b"dnew/d: Not a directory\n")
    assert {p.name: p.read_text() for p in outside.iterdir()} == {"kept": "kept"}
    assert (tmp_path / "new/d").is_symlink()
    assert all((tmp_path / "new" / n).read_text() == "evil" and not (tmp_path / "new" / n).is_symlink() for n in "fn")


def test_modes_that_would_mean_somebody_else(tmp_path):
    assert receive(tmp_path, entry("FILE", mode=0o6755) + EVIL + END, "f").returncode == 0
    assert receive(tmp_path, entry("DIR", mode=0o7755) + record("UP") + END, "d").returncode == 0
    assert [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in "fd"] == [0o755, 0o1755]


def test_a_file_that_could_not_be_read_to_its_end(tmp_path):
    (tmp_path / "f").write_text("old")
    stream = entry("FILE") + record("DATA", b"half") + record("SAID", b"/data/x: Input/output error\0")
    r = receive(tmp_path, stream + record("CLOSE", struct.pack(">I", 1)) + record("END", struct.pack(">I", 1)), "f")
    assert (r.returncode, r.stdout, r.stderr) == (1, b"s/data/x: Input/output error\n", b"")
    assert [p.name for p in tmp_path.iterdir()] == ["f"] and (tmp_path / "f").read_text() == "old"


def perl(data):
    return "pack('H*', '" + data.hex() + "')"


@pytest.mark.parametrize("stream, said", (
    (ROOT + entry("FILE", b"../../evil") + EVIL + END, "deb:/tmp/cp/x: what is sent is no copy"),
    (ROOT + entry("LINK", b"d", b"/tmp") + entry("DIR", b"d") + entry("FILE", b"evil") + EVIL + record("UP") * 2 + END,
     "deb:/tmp/cp/x/d: Not a directory"),
    (record("SAID", b"\x1b[31m\xc2\x9b\xff" + b"x" * 900 + b"\0") + record("END", b"\0\0\0\1"), r"liar:\x1b[31m"),
    (b"Welcome to the machine\n", "deb:/tmp/cp: what is sent is no copy"),
))
def test_a_container_that_lies(liar, here, stream, said):  # noqa: F811
    _, b = here
    host = liar(f"ready(); my $c = opened(); frame($c, $DATA, {perl(stream)}); frame($c, $EOF, '');"
                "frame($c, $EXIT, pack('NNN', 0, 0, 0)); frame($c, $CLOSE, '')")
    said_so = fails(1, host, "liar:/data/x", "deb:/tmp/cp")
    assert said_so and said_so[0].startswith(said), said_so
    assert not (b.parent / "evil").exists() and not (b / "evil").exists()


def test_one_that_lies_at_the_other_end(liar, here):  # noqa: F811
    """It takes nothing, and what it says is no frame of its own."""
    a, _ = here
    (a / "big").write_bytes(bytes(8 * MIB))
    host = liar("ready(); my $c = opened(); frame($c, $DATA, \"dx: \\e[31mred\\n\" x 4);"
                "frame($c, $OPENED, pack('N', 0) . str(''))")
    r = cp(host, "bb:/tmp/cp/big", "liar:/tmp/")
    assert r.returncode == 75 and b"\x1b" not in r.stderr and b"does not answer" in r.stderr, r
