"""The helper's SFTP server, driven directly over pipes: by real clients, and by packets that no client sends."""

import os
import pathlib
import re
import resource
import stat
import struct
import subprocess
import tempfile
import time

import paramiko
import pytest

from lab import SLOW, run
from sftp_packets import (APPEND, ATTRS, BAD_MESSAGE, CLOSE, CREAT, DATA, EOF, EXCL, EXTENDED, EXTENDED_REPLY, FAILURE,
                          FSETSTAT, FSTAT, HANDLE, HELPER, INIT, LSTAT, MKDIR, NAME, NO_SUCH_FILE, OK, OP_UNSUPPORTED,
                          OPEN, OPENDIR, PERMISSION_DENIED, READ, READDIR, READLINK, REALPATH, REMOVE, RENAME, RMDIR,
                          SETSTAT, STAT, STATUS, SYMLINK, TRUNC, VERSION, WRITE, Q, R, Raw, Server, W, attrs, field, packet)

EXTENSIONS = {
    "posix-rename@openssh.com": "1", "statvfs@openssh.com": "2", "fstatvfs@openssh.com": "2",
    "hardlink@openssh.com": "1", "fsync@openssh.com": "1", "lsetstat@openssh.com": "1", "limits@openssh.com": "1",
    "expand-path@openssh.com": "1", "copy-data": "1", "home-directory": "1", "users-groups-by-id@openssh.com": "1"}
DATA_MAX = 261120
NOBODY = 65534


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def serve(home):
    """Starts servers in that directory."""
    started = []

    def start(*args, **kw):
        started.append(Server(home, *args, **kw))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def server(serve):
    return serve()


# ---- real clients

def sftp(home, batch, *args, check=True):
    return run("sftp", "-q", "-b", "-", "-D", " ".join([str(HELPER), "sftp", *args]), cwd=home, input=batch.encode(),
               stderr=subprocess.PIPE, check=check)


@pytest.fixture
def ssh(tmp_path):
    """Stands for ssh: scp and sshfs think that they speak to another machine."""
    path = tmp_path / "ssh"
    path.write_text(f"#!/bin/sh\ncd {tmp_path}/home && exec {HELPER} sftp 2>>{tmp_path}/notes\n")
    path.chmod(0o755)
    return path


def test_openssh_sftp(home):
    data = os.urandom(3_000_001)
    (home / "a").write_bytes(data)
    (home / "there").mkdir()
    out = sftp(home, """
        pwd
        put a there/b
        get there/b c
        mkdir "x y"
        rename there/b "x y/z"
        symlink nowhere dangling
        ln "x y/z" hard
        cp a copied
        chmod 640 hard
        df
        ls -l "x y"
        rm hard
        rmdir there
        mkdir tree
        put -R "x y" tree
    """).stdout.decode()
    assert f"Remote working directory: {home}\n" in out
    assert re.search(r"^-rw-r----- .* 3000001 \w+ +\d+ \d\d:\d\d x y/z$", out, re.M)
    assert "%Capacity" in out
    for name in ("c", "copied", "x y/z", "tree/x y/z"):
        assert (home / name).read_bytes() == data, name
    assert os.readlink(home / "dangling") == "nowhere"
    assert not (home / "hard").exists() and not (home / "there").exists()


def test_openssh_sftp_read_only(home):
    (home / "a").write_bytes(b"kept")
    assert sftp(home, "get a b\nls -l\n", "ro").returncode == 0
    for line in ("put a c", "rm a", "rename a c", "mkdir d", "ln a c", "symlink a c", "chmod 600 a", "cp a c"):
        failed = sftp(home, line + "\n", "ro", check=False)
        assert failed.returncode == 1 and b"Permission denied" in failed.stderr, line
    assert sorted(os.listdir(home)) == ["a", "b"]


def test_scp(home, ssh, tmp_path):
    data = os.urandom(1_000_000)
    (tmp_path / "tree/in side").mkdir(parents=True)
    (tmp_path / "tree/in side/f").write_bytes(data)
    (tmp_path / "tree/in side/f").chmod(0o640)
    scp = ["scp", "-q", "-s", "-S", ssh]
    run(*scp, "-rp", tmp_path / "tree", "host:")
    run(*scp, "-rp", "host:tree/in side", tmp_path / "back")
    assert (home / "tree/in side/f").read_bytes() == (tmp_path / "back/f").read_bytes() == data
    before, after = os.stat(tmp_path / "tree/in side/f"), os.stat(tmp_path / "back/f")
    assert (before.st_mode, int(before.st_mtime)) == (after.st_mode, int(after.st_mtime))


def test_sshfs(home, ssh, tmp_path):
    mount = tmp_path / "mount"
    mount.mkdir()
    run("sshfs", "-o", f"ssh_command={ssh}", "host:", mount)
    try:
        (mount / "d").mkdir()
        data = os.urandom(700_000)
        (mount / "d/f").write_bytes(data)
        os.rename(mount / "d/f", mount / "d/g")
        (mount / "d/other").write_bytes(b"old")
        os.rename(mount / "d/g", mount / "d/other")  # over what is there
        os.link(mount / "d/other", mount / "d/hard")
        os.symlink("other", mount / "d/soft")
        os.truncate(mount / "d/hard", 600_000)
        os.utime(mount / "d/hard", (1_000_000_000, 1_000_000_001))
        assert (mount / "d/soft").read_bytes() == data[:600_000]
        assert os.statvfs(mount).f_blocks > 0
        assert sorted(os.listdir(mount / "d")) == ["hard", "other", "soft"]
        with open(mount / "d/hard", "ab") as f:
            f.write(b"end")
            os.fsync(f.fileno())
    finally:
        run("fusermount", "-u", mount)
    assert (home / "d/other").read_bytes() == data[:600_000] + b"end"
    assert (home / "d/soft").is_symlink() and os.stat(home / "d/other").st_nlink == 2


class PipeChannel:
    """What paramiko takes for a channel: a server's two pipes."""

    def __init__(self, server):
        self.send = server.proc.stdin.write
        self.recv = server.proc.stdout.read
        self.close = server.proc.stdin.close

    def get_name(self):
        return "pipes"


def test_paramiko(home, serve):
    server = serve(greet=False)
    client = paramiko.SFTPClient(PipeChannel(server))
    assert client.normalize(".") == str(home)
    data = os.urandom(2_000_000)
    (home / "up").write_bytes(data)
    client.put(home / "up", "there")  # looks at the size afterwards
    client.get("there", home / "down")  # asks for all of it at once
    assert (home / "down").read_bytes() == data
    with client.open("text", "w") as f:
        f.write("one\ntwo\n")
        f.seek(4)
        f.truncate(4)
    assert client.stat("text").st_size == 4
    client.symlink("text", "link")
    assert client.readlink("link") == "text"
    client.posix_rename("text", "there")
    with pytest.raises(OSError):
        client.rename("there", "up")
    with pytest.raises(FileNotFoundError):
        client.open("nothing")
    assert {e.filename: stat.S_ISLNK(e.st_mode) for e in client.listdir_attr(".")} == {
        "up": False, "there": False, "down": False, "link": True}
    client.close()
    assert server.proc.wait(20 * SLOW) == 0


# ---- greeting and bounds

def test_extensions_are_offered(server):
    assert server.extensions == EXTENSIONS


def test_a_client_of_a_later_version_hears_3(serve):
    """WinSCP begins with 6."""
    server = serve(greet=False)
    server.send(packet(INIT, 6))
    hello = server.receive()
    assert (hello.kind, hello.id) == (VERSION, 3)


def test_limits(server):
    reply = server.extended("limits@openssh.com")
    assert reply.kind == EXTENDED_REPLY and reply.take("QQQQ") == (256 * 1024, DATA_MAX, DATA_MAX, 1000)
    reply.end()


def test_the_longest_packets(server, home):
    data = os.urandom(DATA_MAX)
    handle = server.open("f", R | W | CREAT)
    assert server.status(WRITE, handle, Q(0), data) == OK
    assert server.status(WRITE, handle, Q(DATA_MAX), data) == OK
    assert server.read(handle, 0, 0xffffffff) == data  # clamped
    assert server.read(handle, 2 * DATA_MAX - 7, DATA_MAX) == data[-7:]
    assert server.read(handle, 2 * DATA_MAX, 1) == EOF
    whole = packet(WRITE, 1, handle, Q(0), b"")
    longest = data + bytes(256 * 1024 + 4 - len(whole) - DATA_MAX)
    assert server.status(WRITE, handle, Q(0), longest) == OK
    server.close(handle)
    assert (home / "f").read_bytes()[:len(longest)] == longest


def test_answers_come_in_order_however_requests_arrive(server, home):
    (home / "f").write_bytes(bytes(range(256)) * 4096)
    handle = server.open("f")
    many = [packet(READ, 1000 + i, handle, Q(i * 97), 1 + i * 50 % 40000) for i in range(3000)]
    writer = os.fork()
    if writer == 0:  # a client reads while it writes
        server.send(b"".join(many))
        os._exit(0)
    for i in range(3000):
        reply = server.receive()
        assert (reply.kind, reply.id) == (DATA, 1000 + i)
        assert reply.bytes() == (home / "f").read_bytes()[i * 97:i * 97 + 1 + i * 50 % 40000]
    os.waitpid(writer, 0)
    for byte in packet(STAT, 7, "f"):
        server.send(bytes([byte]))
    assert (server.receive().id, server.proc.poll()) == (7, None)


def test_handles_are_bounded_and_never_another_s(server, home):
    (home / "f").write_bytes(b"x")
    handles = [server.open("f") for _ in range(1000)]
    assert len(set(handles)) == 1000
    assert server.status(OPEN, "f", R, attrs()) == FAILURE
    assert server.status(OPENDIR, ".") == FAILURE
    for name in ("f", "new"):  # what is not noted is not done
        assert server.status(OPEN, name, W | CREAT | TRUNC, attrs()) == FAILURE
    assert (home / "f").read_bytes() == b"x" and not (home / "new").exists()
    for handle in handles:
        server.close(handle)
    again = server.open("f")
    assert again not in handles
    for handle in handles[:3] + [b"", b"x", bytes(8), b"\xff" * 8, again + b"\0", again[:7], bytes(300)]:
        assert server.status(CLOSE, handle) == FAILURE
        assert server.status(READ, handle, Q(0), 1) == FAILURE
        assert server.status(READDIR, handle) == FAILURE
    assert server.status(READDIR, again) == FAILURE
    directory = server.opendir(".")
    assert server.status(READ, directory, Q(0), 1) == FAILURE
    assert len(os.listdir(f"/proc/{server.proc.pid}/fd")) == 3 + 2
    assert server.read(again, 0, 9) == b"x"


def rss(server):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.proc.pid}/status").read_text()).group(1))


@pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="a sanitizer keeps what is freed")
def test_memory_does_not_grow(server, home):
    def turn():
        handle = server.open("f", R | W | CREAT)
        server.status(WRITE, handle, Q(0), bytes(30000))
        server.read(handle, 0, DATA_MAX)
        server.close(handle)
        server.list(".")
        server.status(STAT, "x" * 3000)
        server.extended("users-groups-by-id@openssh.com", struct.pack(">8I", *range(server.id, server.id + 8)), b"")
    for _ in range(200):
        turn()
    before = rss(server)
    for _ in range(2000):
        turn()
    assert rss(server) - before < 64


# ---- each extension by name

def test_posix_rename_replaces_and_rename_does_not(server, home):
    (home / "a").write_bytes(b"a")
    (home / "b").write_bytes(b"b")
    assert server.status(RENAME, "a", "b") == FAILURE
    assert (home / "b").read_bytes() == b"b"
    assert server.status(EXTENDED, "posix-rename@openssh.com", "a", "b") == OK
    assert (home / "b").read_bytes() == b"a" and not (home / "a").exists()
    assert server.status(RENAME, "b", "c") == OK
    os.symlink("nowhere", home / "dangling")
    assert server.status(RENAME, "c", "dangling") == FAILURE
    (home / "d").mkdir()
    assert server.status(RENAME, "d", "e") == OK and (home / "e").is_dir()
    assert server.status(EXTENDED, "posix-rename@openssh.com", "no", "c") == NO_SUCH_FILE


def test_statvfs(server, home):
    (home / "f").write_bytes(b"")
    real = os.statvfs(home)
    for reply in (server.extended("statvfs@openssh.com", "."),
                  server.extended("fstatvfs@openssh.com", server.open("f"))):
        assert reply.kind == EXTENDED_REPLY
        bsize, frsize, blocks, _, _, files, _, _, _, flag, namemax = reply.take("11Q")
        reply.end()
        assert (bsize, frsize, blocks, files) == (real.f_bsize, real.f_frsize, real.f_blocks, real.f_files)
        assert (flag, namemax) == (real.f_flag & 3, real.f_namemax)
    assert server.status(EXTENDED, "statvfs@openssh.com", "no") == NO_SUCH_FILE


def test_hardlink(server, home):
    (home / "a").write_bytes(b"a")
    assert server.status(EXTENDED, "hardlink@openssh.com", "a", "b") == OK
    assert os.stat(home / "a").st_ino == os.stat(home / "b").st_ino
    assert server.status(EXTENDED, "hardlink@openssh.com", "a", "b") == FAILURE


def test_fsync(server):
    handle = server.open("f", W | CREAT)
    assert server.status(EXTENDED, "fsync@openssh.com", handle) == OK
    assert server.status(EXTENDED, "fsync@openssh.com", server.opendir(".")) == FAILURE


def test_lsetstat(server, home):
    (home / "f").write_bytes(b"")
    os.symlink("f", home / "l")
    before = os.stat(home / "f")
    change = attrs(owner=(NOBODY, NOBODY), times=(5, 6))
    assert server.status(EXTENDED, "lsetstat@openssh.com", "l", change) == OK
    link = os.lstat(home / "l")
    assert (link.st_uid, link.st_gid, link.st_atime, link.st_mtime) == (NOBODY, NOBODY, 5, 6)
    assert os.stat(home / "f") == before
    assert server.status(EXTENDED, "lsetstat@openssh.com", "l", attrs(size=0)) == BAD_MESSAGE


@pytest.mark.parametrize("destination", ("here", "/dev/shm"))
def test_copy_data(server, home, destination):
    data = os.urandom(1_000_000)
    (home / "a").write_bytes(data)
    b = home / "b" if destination == "here" else pathlib.Path(destination) / f"jumpbox-{os.getpid()}"
    try:
        a, to = server.open("a"), server.open(b, R | W | CREAT)
        assert server.status(EXTENDED, "copy-data", a, Q(0), Q(0), to, Q(0)) == OK  # to the end
        assert b.read_bytes() == data
        assert server.status(EXTENDED, "copy-data", a, Q(10), Q(20), to, Q(5)) == OK
        assert b.read_bytes() == data[:5] + data[10:30] + data[25:]
        assert server.status(EXTENDED, "copy-data", a, Q(999_990), Q(20), to, Q(2_000_000)) == EOF
        assert b.read_bytes()[2_000_000:] == data[-10:]
        assert server.status(EXTENDED, "copy-data", a, Q(0), Q(9), server.open("a", W), Q(9)) == FAILURE
        assert server.status(EXTENDED, "copy-data", to, Q(0), Q(9), a, Q(9)) == FAILURE  # not open for that
    finally:
        b.unlink()


def test_copy_data_of_what_has_no_size(server, home):
    to = server.open("f", W | CREAT)
    assert server.status(EXTENDED, "copy-data", server.open("/proc/version"), Q(0), Q(0), to, Q(0)) == OK
    assert (home / "f").read_bytes() == pathlib.Path("/proc/version").read_bytes()


def test_home_directory(server):
    assert server.name(EXTENDED, "home-directory", "nobody") == b"/nonexistent"
    assert server.name(EXTENDED, "home-directory", "") == server.name(EXTENDED, "home-directory", "root") == b"/root"
    assert server.status(EXTENDED, "home-directory", "no-such-user") == NO_SUCH_FILE


def test_expand_path(server, home):
    for path, real in (("~", "/root"), ("~/a/b", None), ("~/new", "/root/new"), ("~nobody", "/nonexistent"),
                       ("~root/x", "/root/x"), ("x", home / "x"), ("", home), ("/etc/..", "/")):
        if real is None:
            assert server.status(EXTENDED, "expand-path@openssh.com", path) == NO_SUCH_FILE
        else:
            assert server.name(EXTENDED, "expand-path@openssh.com", path) == os.fsencode(real), path
    for path in ("~no-such-user", "~no-such-user/x", "~" + "x" * 9000):
        assert server.status(EXTENDED, "expand-path@openssh.com", path) == NO_SUCH_FILE


def test_users_groups_by_id(server):
    def ids(*numbers):
        return struct.pack(f">{len(numbers)}I", *numbers)
    reply = server.extended("users-groups-by-id@openssh.com", ids(0, 4_000_000_000, NOBODY), ids(NOBODY, 0))
    assert reply.kind == EXTENDED_REPLY
    assert reply.bytes() == b"".join(map(field, ("root", "", "nobody")))
    assert reply.bytes() == b"".join(map(field, ("nogroup", "root")))
    reply.end()
    reply = server.extended("users-groups-by-id@openssh.com", ids(*[0] * 1000), ids(*[NOBODY] * 1000))
    assert len(reply.bytes()) == 8000
    assert server.status(EXTENDED, "users-groups-by-id@openssh.com", ids(*range(1001)), b"") == FAILURE
    assert server.status(EXTENDED, "users-groups-by-id@openssh.com", b"abc", b"") == BAD_MESSAGE


def test_the_unknown_is_unsupported(server):
    assert server.status(EXTENDED, "vendor-id", b"x") == OP_UNSUPPORTED
    assert server.status(EXTENDED, "posix-rename@openssh.co", "a", "b") == OP_UNSUPPORTED
    assert server.status(EXTENDED, "") == OP_UNSUPPORTED
    for kind in (0, 2, 21, 100, 101, 199, 201, 255):
        assert server.status(kind, b"x" * 40) == OP_UNSUPPORTED
    assert server.stat(".")


# ---- files, directories, paths

def test_relative_paths_begin_where_it_was_started(server, home):
    assert server.name(REALPATH, ".") == server.name(REALPATH, "") == os.fsencode(home)
    (home / "d").mkdir()
    os.symlink("d", home / "l")
    for path, real in (("d/..", home), ("l/", home / "d"), ("l/new", home / "d/new"), ("new", home / "new"),
                       ("new/", home / "new"), ("/", "/"), ("/new", "/new"), ("//etc//", "/etc")):
        assert server.name(REALPATH, path) == os.fsencode(real), path
    for path in ("no/new", "no/..", "d/no/new"):
        assert server.status(REALPATH, path) == NO_SUCH_FILE, path
    for path in ("x" * 4096, "/" + "y/" * 3000):
        assert server.status(REALPATH, path) == FAILURE


def test_symlink_has_the_target_first(server, home):
    assert server.status(SYMLINK, "the target", "link") == OK
    assert os.readlink(home / "link") == "the target"
    assert server.name(READLINK, "link") == b"the target"
    assert server.status(READLINK, ".") == FAILURE
    assert server.status(STAT, "link") == NO_SUCH_FILE
    assert stat.S_ISLNK(server.stat("link", LSTAT)[3])


@pytest.mark.parametrize("name", ("a b", "new\nline", "Grüße-容器", b"\xff\xfe\x80", b"\x01\x1b[31m", "-rf", "'\"$(x)\\"))
def test_names_are_bytes(server, home, name):
    name = os.fsencode(name)
    path = os.path.join(os.fsencode(home), name)
    server.close(server.open(name, W | CREAT))
    assert os.listdir(os.fsencode(home)) == [name]
    assert server.name(REALPATH, name) == path
    assert [n for page in server.list(".") for n, long_name, _ in page if long_name.endswith(name)] == [name]
    assert server.status(SYMLINK, name, b"l" + name) == OK and server.name(READLINK, b"l" + name) == name
    assert server.status(RENAME, name, name + b"2") == OK
    assert server.status(REMOVE, name + b"2") == OK
    server.end()


def test_permissions_are_the_umask_s(home, serve):
    server = serve(umask=0o027)
    server.close(server.open("a", W | CREAT))
    server.close(server.open("b", W | CREAT, attrs(mode=0o100777)))
    server.close(server.open("b", W | CREAT | TRUNC, attrs(mode=0o600)))  # it is there: stays as it is
    assert server.status(MKDIR, "c", attrs()) == OK and server.status(MKDIR, "d", attrs(mode=0o700)) == OK
    modes = [stat.S_IMODE(os.stat(home / n).st_mode) for n in "abcd"]
    assert modes == [0o640, 0o750, 0o750, 0o700]
    assert server.status(SETSTAT, "a", attrs(mode=0o104755)) == OK
    assert stat.S_IMODE(os.stat(home / "a").st_mode) == 0o4755


def test_open_flags(server, home):
    (home / "f").write_bytes(b"0123456789")
    assert server.status(OPEN, "f", W | CREAT | EXCL, attrs()) == FAILURE
    assert server.status(OPEN, "no", R, attrs()) == NO_SUCH_FILE
    handle = server.open("f", W | APPEND)
    assert server.status(WRITE, handle, Q(0), b"end") == OK
    assert server.status(READ, handle, Q(0), 1) == FAILURE
    assert (home / "f").read_bytes() == b"0123456789end"
    assert server.status(WRITE, server.open("f"), Q(0), b"x") == FAILURE
    server.open("f", W | TRUNC)
    assert (home / "f").read_bytes() == b""


def test_setstat(server, home):
    (home / "f").write_bytes(b"0123456789")
    assert server.status(SETSTAT, "f", attrs(3, (1, 2), 0o640, (4_000_000_000, 1_234_567_890))) == OK
    assert server.stat("f") == (3, 1, 2, 0o100640, 4_000_000_000, 1_234_567_890)
    handle = server.open("f", R | W)
    assert server.status(FSETSTAT, handle, attrs(5, (3, 4), 0o600, (1, 2))) == OK
    assert server.stat(handle, FSTAT) == (5, 3, 4, 0o100600, 1, 2)
    assert (home / "f").read_bytes() == b"012\0\0"
    # What can be done is done, and the first failure told.
    assert server.status(SETSTAT, ".", attrs(size=1, mode=0o701)) == FAILURE
    assert stat.S_IMODE(os.stat(home).st_mode) == 0o701
    assert server.status(SETSTAT, "f", attrs()) == OK
    extended = Raw(struct.pack(">II", 0x80000004, 0o644) + field(1) + field("name") + field("value"))
    assert server.status(SETSTAT, "f", extended) == OK and server.stat("f")[3] == 0o100644


def test_a_sparse_file_of_5_gib(server, home):
    size = 5 << 30
    handle = server.open("f", R | W | CREAT)
    assert server.status(WRITE, handle, Q(size - 4), b"last") == OK
    assert server.stat("f")[0] == os.stat(home / "f").st_size == size
    assert os.stat(home / "f").st_blocks < 100
    assert server.read(handle, size - 6, 100) == b"\0\0last"
    assert server.read(handle, 3 << 30, DATA_MAX) == bytes(DATA_MAX)
    assert server.read(handle, size, 1) == EOF and server.read(handle, 1 << 63, 1) == FAILURE
    assert server.status(FSETSTAT, handle, attrs(size=6 << 30)) == OK and server.stat("f")[0] == 6 << 30


def test_a_directory_of_10000_files(server):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as many:
        for i in range(10_000):
            os.mknod(f"{many}/file-{i:05}")
        start = time.monotonic()
        pages = server.list(many)
        assert time.monotonic() - start < 5 * SLOW
    names = [name for page in pages for name, _, _ in page]
    assert sorted(names) == [b".", b"..", *(b"file-%05d" % i for i in range(10_000))]
    assert len(pages) > 10


def test_long_names_are_as_ls_writes_them(server, home):
    now = time.time()
    for i, (name, mode, age) in enumerate((("a", 0o4755, 60), ("b", 0o1644, 300 * 86400), ("c", 0o2070, -86400))):
        (home / name).write_bytes(bytes(i))
        os.utime(home / name, (now - age, now - age))
        os.chmod(home / name, mode)
    os.symlink("a", home / "l")
    os.mkfifo(home / "p")
    os.chown(home / "b", 4_000_000, 4_000_000)
    env = {**os.environ, "LC_ALL": "C"}
    ls = run("ls", "-lan", home, env=env).stdout.decode().splitlines()[1:]
    ours = [line.decode() for page in server.list(".") for _, line, _ in page]
    assert len(ls) == len(ours) == 7

    def words(line, n=range(20)):
        return [w for i, w in enumerate(line.split(" -> ")[0].split()) if i in n]
    lines = {words(line)[-1]: line for line in ours if " " in line}
    for line in ls:
        name = words(line)[-1]
        got = words(lines[name])
        assert got[0] == words(line)[0] and got[1] == words(line)[1]
        if name not in ("b", ".."):
            assert got[2:4] == ["root", "root"] and got[4:] == words(line)[4:]
    assert lines["b"].split()[2:5] == ["4000000", "4000000", "1"]


def test_a_fifo_does_not_hold_it_up(server, home):
    os.mkfifo(home / "p")
    assert server.status(OPEN, "p", W, attrs()) == FAILURE  # nobody reads it
    assert server.status(READ, server.open("p"), Q(0), 1) == FAILURE


def test_a_full_disk_is_told(server, home):
    (home / "m").mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", home / "m")
    try:
        handle = server.open("m/f", W | CREAT)
        results = [server.status(WRITE, handle, Q(i * 200_000), bytes(200_000)) for i in range(7)]
        assert results[:5] == [OK] * 5 and results[6] == FAILURE
        assert server.why == "No space left on device"
        server.close(handle)
        assert server.notes() == [f'close path="{home}/m/f" written={1 << 20}']
    finally:
        run("umount", "-l", home / "m")


def test_a_limit_on_file_sizes_is_told(serve):
    server = serve(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
    handle = server.open("f", W | CREAT)
    assert server.status(WRITE, handle, Q(0), bytes(1000)) == OK
    assert server.status(WRITE, handle, Q(1000), b"x") == FAILURE
    assert server.why == "File too large"


def test_another_user_s_files_are_denied(serve, home, tmp_path):
    (home / "f").write_bytes(b"secret")
    (home / "f").chmod(0o600)
    tmp_path.parent.chmod(0o755), tmp_path.chmod(0o755)
    server = serve(user=NOBODY, group=NOBODY, extra_groups=[])
    for denied in ((OPEN, "f", R, attrs()), (OPEN, "g", W | CREAT, attrs()), (REMOVE, "f"), (MKDIR, "d", attrs()),
                   (SETSTAT, "f", attrs(mode=0o666)), (RENAME, "f", "g"), (OPENDIR, "/root")):
        assert server.status(*denied) == PERMISSION_DENIED, denied
    assert server.notes(opens=True) == []


# ---- read-only

def test_read_only_refuses_every_write(serve, home):
    (home / "f").write_bytes(b"kept")
    (home / "d").mkdir()
    before = sorted((n, os.lstat(home / n)) for n in ("f", "d"))
    server = serve("ro")
    handle = server.open("f")
    change = attrs(size=1, mode=0o600, times=(1, 2))
    refused = [(OPEN, "f", flags, attrs()) for flags in (W, R | W, CREAT, R | CREAT, R | TRUNC, R | APPEND, TRUNC, EXCL)]
    refused += [(WRITE, handle, Q(0), b"x"), (SETSTAT, "f", change), (FSETSTAT, handle, change), (REMOVE, "f"),
                (MKDIR, "e", attrs()), (RMDIR, "d"), (RENAME, "f", "g"), (SYMLINK, "f", "g"),
                (WRITE, b"no handle"), (REMOVE,)]
    refused += [(EXTENDED, name, *fields) for name, *fields in (
        ("posix-rename@openssh.com", "f", "g"), ("hardlink@openssh.com", "f", "g"), ("fsync@openssh.com", handle),
        ("lsetstat@openssh.com", "f", change), ("copy-data", handle, Q(0), Q(0), handle, Q(0)))]
    for request in refused:
        assert server.status(*request) == PERMISSION_DENIED, request
    assert server.read(handle, 0, 9) == b"kept"
    assert server.name(REALPATH, "f") and server.stat("f") and server.stat(handle, FSTAT) and server.list(".")
    assert server.extended("statvfs@openssh.com", ".").kind == EXTENDED_REPLY
    assert server.extensions == EXTENSIONS
    assert before == sorted((n, os.lstat(home / n)) for n in ("f", "d"))
    server.end()
    assert server.notes() == [f'close path="{home}/f" read=4']


def test_other_words_are_a_usage_error(home):
    for words in (["rw"], ["ro", "ro"], ["-R"]):
        assert run(HELPER, "sftp", *words, cwd=home, check=False, stdin=subprocess.DEVNULL).returncode == 64


# ---- the audit

def test_what_is_done_is_noted(server, home):
    (home / "f").write_bytes(bytes(1000))
    handle = server.open("f")
    server.read(handle, 0, 600)
    server.read(handle, 0, 600)
    server.close(handle)
    both = server.open("f", R | W)
    server.status(WRITE, both, Q(0), bytes(10))
    server.read(both, 0, 7)
    server.close(both)
    server.close(server.open("new", W | CREAT))
    for request in ((MKDIR, "d", attrs()), (RENAME, "f", "d/g"), (EXTENDED, "posix-rename@openssh.com", "new", "d/h"),
                    (EXTENDED, "hardlink@openssh.com", "d/g", "/tmp/../" + str(home)[1:] + "/i"), (SYMLINK, "d", "s"),
                    (SETSTAT, "d/g", attrs(2, (7, 8), 0o100600)), (SETSTAT, "d", attrs(times=(1, 2))),
                    (EXTENDED, "lsetstat@openssh.com", "s", attrs(owner=(1, 1))), (REMOVE, "i"), (RMDIR, "d")):
        server.status(*request)
    left_open = server.open("d/g")
    server.read(left_open, 0, 2)
    server.list(".")
    server.end()
    assert server.notes() == [line.replace("~", str(home)) for line in (
        'close path="~/f" read=1200',
        'close path="~/f" read=7 written=10',
        'close path="~/new" written=0',
        'mkdir path="~/d"',
        'rename path="~/f" to="~/d/g" size=1000',
        'rename path="~/new" to="~/d/h" size=0',
        f'hardlink path="~/d/g" to="/tmp/../{str(home)[1:]}/i"',
        'symlink path="~/s" target="d"',
        'setstat path="~/d/g" size=2 was=1000 mode=0600 owner=7:8',
        'setstat path="~/s" owner=1:1',
        'remove path="~/i" size=2',
        'close path="~/d/g" read=2')]


def test_what_is_lost_is_noted_with_its_size(server, home):
    for name, size in (("big", 4_000_000_000), ("small", 10), ("cut", 20), ("trunc", 30), ("fcut", 40)):
        with open(home / name, "wb") as f:
            f.truncate(size)
    (home / "l").symlink_to("big")
    (home / "d").mkdir()
    assert server.status(EXTENDED, "posix-rename@openssh.com", "small", "big") == OK
    assert server.status(SETSTAT, "cut", attrs(5)) == OK
    server.close(server.open("trunc", W | CREAT | TRUNC))
    server.close(server.open("fresh", W | CREAT | TRUNC))
    handle = server.open("fcut", W)
    assert server.status(FSETSTAT, handle, attrs(0)) == OK
    assert server.status(REMOVE, "l") == OK  # what it leads to stays
    assert server.status(RENAME, "d", "e") == OK
    server.end()
    assert server.notes(opens=True) == [line.replace("~", str(home)) for line in (
        'rename path="~/small" to="~/big" size=10 was=4000000000',
        'setstat path="~/cut" size=5 was=20',
        'open path="~/trunc" for=write was=30',
        'close path="~/trunc" written=0',
        'open path="~/fresh" for=write',
        'close path="~/fresh" written=0',
        'open path="~/fcut" for=write',
        'setstat path="~/fcut" size=0 was=40',
        'remove path="~/l"',
        'rename path="~/d" to="~/e"',
        'close path="~/fcut" written=0')]


def test_what_is_opened_is_noted_before_the_client_has_it(server, home):
    (home / "f").write_bytes(b"x")
    for name, flags, what in (("f", R, "read"), ("f", W, "write"), ("f", R | W, "both"), ("new", W | CREAT, "write")):
        server.open(name, flags)
        assert server.notes(opens=True)[-1] == f'open path="{home}/{name}" for={what}'
    assert server.status(OPEN, "none", R, attrs()) == NO_SUCH_FILE
    server.list(".")
    assert len(server.notes(opens=True)) == 4


def test_a_name_cannot_make_a_line_of_its_own(server, home):
    name = b'a\nremove path="x"\x1b[2J\\\xff\xe2\x80\xae' + "é容".encode()
    server.close(server.open(name, W | CREAT))
    server.end()
    assert server.notes() == [
        f'close path="{home}/a\\x0aremove path=\\"x\\"\\x1b[2J\\\\\\xff\\u{{202e}}é容" written=0']


def test_a_line_is_bounded_and_keeps_both_ends(server, home):
    deep = "/".join(["\x01" * 200] * 12)
    (home / deep).mkdir(parents=True)
    server.close(server.open(deep + "/the end", W | CREAT))
    assert server.status(RENAME, deep + "/the end", deep + "/" + "\x02" * 255) == OK
    server.end()
    line, rename = server.notes()
    assert line.startswith(f'close path="{home}/\\x01') and '...' in line and line.endswith('/the end" written=0')
    assert len(line) < 2100 and len(rename) < 4096
    assert rename.count("...") == 2 and rename.endswith("\\x01/" + "\\x02" * 255 + '" size=0')


def test_without_an_audit_nothing_goes_on(home, serve):
    r, w = os.pipe()
    with subprocess.Popen([HELPER, "sftp"], cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=w) as proc:
        os.close(w)
        os.close(r)
        proc.stdin.write(packet(INIT, 3) + packet(MKDIR, 1, "a", attrs()) + packet(MKDIR, 2, "b", attrs()))
        proc.stdin.flush()
        assert proc.wait(20 * SLOW) == 1
    assert os.listdir(home) == ["a"]


# ---- hostile packets

HELLO = packet(INIT, 3)


@pytest.mark.parametrize("data", (
    struct.pack(">I", 0), struct.pack(">I", 4) + b"abcd", HELLO + struct.pack(">I", 0),
    HELLO + struct.pack(">I", 4) + b"abcd", HELLO + struct.pack(">I", 256 * 1024 + 1),
    HELLO + struct.pack(">I", 0xffffffff), HELLO + HELLO, packet(STAT, 1, "."), b"GET / HTTP/1.1\r\n\r\n",
    packet(2, 3), packet(255, 3)), ids=lambda d: d[:12].hex())
def test_what_is_no_packet_ends_it(serve, data):
    server = serve(greet=False)
    server.send(data)
    assert server.proc.wait(20 * SLOW) == 1


@pytest.mark.parametrize("data", (
    HELLO + packet(STAT, 1, ".")[:-1], HELLO[:5], b"\0", HELLO + struct.pack(">IB", 256 * 1024, STAT) + bytes(1000)),
    ids=len)
def test_an_end_in_the_middle_is_a_bad_one(serve, data):
    server = serve(greet=False)
    server.send(data)
    server.proc.stdin.close()
    server.proc.stdout.read()
    assert server.proc.wait(20 * SLOW) == 1


def test_fields_that_do_not_fit_are_told(server, home):
    (home / "f").write_bytes(b"x")
    handle = server.open("f", R | W)
    for kind, *fields in ((STAT,), (STAT, Raw(b"\0\0\0")), (STAT, 5), (STAT, 0xffffffff), (STAT, 0x80000000),
                          (STAT, "f\0g"), (STAT, "\0"), (OPEN, "f"), (OPEN, "f", R), (OPEN, "f", R, 4),
                          (OPEN, "f", R, 1, 0), (OPEN, "f", R, 0x80000000), (OPEN, "f", R, 0x80000000, 0xffffffff),
                          (OPEN, "f", R, 0x80000000, 1, "name"), (READ, handle), (READ, handle, Q(0)), (READ, 8),
                          (READ, handle, 0), (WRITE, handle, Q(0)), (WRITE, handle, Q(0), 9, Raw(b"12345678")),
                          (RENAME, "f"), (RENAME, "f", "a\0b"), (SYMLINK, "f", 9), (SETSTAT, "f"), (CLOSE,),
                          (CLOSE, 0xffffffff), (READDIR, 7), (EXTENDED, "copy-data", handle),
                          (EXTENDED, "limits@openssh.co\0"), (EXTENDED, "statvfs@openssh.com"),
                          (EXTENDED, "users-groups-by-id@openssh.com", 4), (EXTENDED, "hardlink@openssh.com", "f", 2)):
        expected = OP_UNSUPPORTED if (kind, fields) == (EXTENDED, ["limits@openssh.co\0"]) else BAD_MESSAGE
        assert server.status(kind, *fields) == expected, (kind, fields)
    assert server.status(STAT, "") == NO_SUCH_FILE
    assert server.ask(STAT, "f", b"what is behind the fields is nobody's").kind == ATTRS
    assert server.status(OPEN, "x" * 100_000, R, attrs()) == FAILURE
    assert server.read(handle, 0, 0) == EOF
    assert server.status(READ, handle, Q(0xffffffffffffffff), 1) == FAILURE
    assert server.status(WRITE, handle, Q(0xffffffffffffffff), b"x") == FAILURE
    assert server.status(WRITE, handle, Q(0), b"") == OK
    assert (home / "f").read_bytes() == b"x"


def test_a_client_that_is_gone_ends_it(serve, home):
    (home / "f").write_bytes(bytes(4_000_000))
    server = serve()
    handle = server.open("f")
    server.send(b"".join(packet(READ, i, handle, Q(0), DATA_MAX) for i in range(100)))
    server.proc.stdout.close()
    assert server.proc.wait(20 * SLOW) == 1
    line, = server.notes()
    assert re.fullmatch(r'close path=".*/f" read=\d+', line)
