"""Tools that work over ssh: rsync, scp, sshfs, git, curl, lftp, ansible, and other people's clients with files.

Each meets a real sshd first, then a jump host.
"""

import asyncio
import contextlib
import filecmp
import json
import os
import pathlib
import uuid

import asyncssh
import paramiko
import pytest

from far import PASSWORD
from lab import SLOW, run

FILES = int(os.environ.get("JUMPBOX_TEST_FILES", "400"))  # 10,000 where there is time
NAMES = (b"with a space", b"two\nlines", "\u00fcber-\u4e2d\u6587".encode(), b"not-utf8-\xff\xfe", b"-dash",
         b"'quote\"", b"*")


@pytest.fixture
def there(far):
    """A directory of the container's for one test."""
    path = f"/tmp/tools-{uuid.uuid4().hex[:8]}"
    far.exec("mkdir", path)
    yield path
    far.exec("rm", "-rf", path)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Many small files, a large one, an empty one, links, and names that break scripts."""
    top = tmp_path_factory.mktemp("tree")
    for i in range(FILES):
        (top / f"d{i % 20}").mkdir(exist_ok=True)
        (top / f"d{i % 20}/f{i}").write_bytes(b"%d\n" % i * (i % 50))
    (top / "large").write_bytes(os.urandom(4 << 20))
    (top / "link").symlink_to("large")
    for name in NAMES:
        (pathlib.Path(os.fsdecode(os.fsencode(top) + b"/" + name))).write_bytes(name)
    return top


def same(a, b):
    """Whether two trees hold the same names and bytes."""
    def walk(top):
        top = os.fsencode(top)
        return sorted(os.path.relpath(os.path.join(d, n), top) for d, ds, fs in os.walk(top) for n in ds + fs)
    names = walk(a)
    assert names == walk(b)
    files = [os.fsdecode(n) for n in names if (pathlib.Path(a) / os.fsdecode(n)).is_file()]
    return filecmp.cmpfiles(a, b, files, shallow=False)[1:] == ([], [])


def sums(far, directory):
    text = far.exec("sh", "-c", f"cd {directory} && find . -type f -exec sha256sum {{}} + | sort")
    return sorted(line.split()[0] for line in text.splitlines())


def test_rsync_both_ways_and_an_empty_second_run(far, tree, there, tmp_path):
    rsync = ["rsync", "--archive", "--itemize-changes", "-e", far.ssh_command]
    assert len(run(*rsync, f"{tree}/", f"far:{there}/", timeout=300).stdout.splitlines()) > FILES
    assert run(*rsync, f"{tree}/", f"far:{there}/", timeout=300).stdout == b""
    assert len(run(*rsync, f"far:{there}/", f"{tmp_path}/", timeout=300).stdout.splitlines()) > FILES
    assert run(*rsync, "--checksum", f"far:{there}/", f"{tmp_path}/", timeout=300).stdout == b""
    assert same(tree, tmp_path)


@pytest.mark.parametrize("mode", ("sftp", "scp"))
def test_scp_recursive_both_ways(far, tree, there, tmp_path, mode):
    flags = ("-r", "-p", *(("-O",) if mode == "scp" else ()))
    # The old protocol has no way to say a name with a newline, and follows links.
    names = [n for n in tree.iterdir() if "\n" not in n.name and not n.is_symlink()]
    run(*far.argv("scp", *flags, "--", *names, f"far:{there}/"), timeout=120)
    run(*far.argv("scp", *flags, f"far:{there}", tmp_path / "back"), timeout=120)
    for n in names:
        back = tmp_path / "back" / n.name
        assert same(n, back) if n.is_dir() else n.read_bytes() == back.read_bytes(), n


def test_sshfs(far, tree, there, tmp_path):
    far.exec("sh", "-c", f"echo old >{there}/old")
    run(*far.argv("sshfs", f"far:{there}", tmp_path))
    try:
        assert (tmp_path / "old").read_text() == "old\n"
        run("cp", tree / "large", tmp_path)  # the owner of a link is set through it: what it names has to be there
        run("cp", "--archive", f"{tree}/.", tmp_path, timeout=120)
        (tmp_path / "old").unlink()
        assert same(tree, tmp_path)
        (tmp_path / "large").rename(tmp_path / "moved")
        with open(tmp_path / "moved", "r+b") as f:
            f.seek(1 << 20)
            f.write(b"in the middle")
            f.truncate(2 << 20)
        assert os.stat(tmp_path / "moved").st_size == 2 << 20
        assert os.statvfs(tmp_path).f_blocks > 0
    finally:
        run("fusermount", "-u", tmp_path)
    assert far.exec("sh", "-c", f"head -c 1048589 {there}/moved | tail -c 13") == "in the middle"


def test_git_clone_fetch_and_push(far, there, tmp_path):
    env = {**os.environ, "GIT_SSH_COMMAND": far.ssh_command, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TRACE_PACKET": "1"}

    def git(*args, cwd=tmp_path / "work"):
        return run("git", "-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "protocol.version=2", *args,
                   cwd=cwd, env=env, timeout=120)
    far.exec("git", "init", "--quiet", "--bare", "--initial-branch=main", there)
    git("clone", f"far:{there}", "work", cwd=tmp_path)
    (tmp_path / "work/big").write_bytes(os.urandom(3 << 20))
    for i in range(20):
        (tmp_path / f"work/f{i}").write_text(f"{i}\n")
        git("add", "--all")
        git("commit", "--quiet", "-m", f"{i}")
    git("push", "origin", "HEAD:main")
    again = git("clone", f"ssh://far{there}", "again", cwd=tmp_path)
    assert b"version 2" in again.stderr  # GIT_PROTOCOL has come there
    assert (tmp_path / "again/big").read_bytes() == (tmp_path / "work/big").read_bytes()
    head = git("rev-parse", "HEAD").stdout
    git("fetch", "origin")
    assert git("ls-remote", "origin", "main").stdout.split()[0] == head.strip()


def test_curl_sftp(far, there, tmp_path):
    data = tmp_path / "data"
    data.write_bytes(os.urandom(2 << 20))
    url = f"sftp://{far.encoded}@127.0.0.1:{far.port}{there}"
    curl = ("curl", "--silent", "--show-error", "--insecure", "--key", far.key, "--pubkey", f"{far.key}.pub")
    run(*curl, "--upload-file", data, f"{url}/data")
    run(*curl, "--output", tmp_path / "back", f"{url}/data")
    assert (tmp_path / "back").read_bytes() == data.read_bytes()
    assert run(*curl, "--range", "1000-1999", f"{url}/data").stdout == data.read_bytes()[1000:2000]
    run(*curl, "--quote", f'rename "{there}/data" "{there}/moved"', f"{url}/")
    assert set(run(*curl, "--list-only", f"{url}/").stdout.split()) == {b".", b"..", b"moved"}


def test_lftp_mirror(far, tree, there, tmp_path):
    def lftp(*lines):
        script = "\n".join((f'set sftp:connect-program "{far.ssh_command} -a -x"', "set cmd:fail-exit true",
                            "set net:max-retries 1", f"open sftp://{far.encoded}@far", *lines))
        return run("lftp", "-f", "/dev/stdin", input=script.encode(), timeout=120)
    lftp(f"mirror --reverse --parallel=4 {tree}/d0 {there}/d0", f"put {tree}/large -o {there}/large", f"cd {there}",
         "chmod 600 large", "mv large moved", f"mirror --parallel=4 d0 {tmp_path}/back",
         f"get moved -o {tmp_path}/large")
    assert same(tree / "d0", tmp_path / "back")
    assert (tmp_path / "large").read_bytes() == (tree / "large").read_bytes()
    assert far.exec("stat", "-c", "%a", f"{there}/moved") == "600\n"


@pytest.mark.parametrize("transfer, pipelining", (("sftp", "False"), ("scp", "True"), ("piped", "False")))
def test_ansible(far, there, tmp_path, transfer, pipelining):
    """Four hosts that are one, in four forks, with ControlPersist; a file there, a command, and the file back."""
    (tmp_path / "data").write_bytes(os.urandom(300_000))
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    hosts = [f"h{i}" for i in range(4)]
    (tmp_path / "hosts").write_text("\n".join(hosts) + "\n[all:vars]\nansible_python_interpreter=/usr/bin/python3\n"
                                    f"ansible_ssh_common_args=-F {far.config}\nansible_host=far\n")
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [
        {"copy": {"src": str(tmp_path / "data"), "dest": f"{there}/{{{{ inventory_hostname }}}}"}},
        {"command": f"sha256sum {there}/{{{{ inventory_hostname }}}}"},
        {"fetch": {"src": f"{there}/{{{{ inventory_hostname }}}}", "dest": f"{tmp_path}/back/", "flat": True}}]}]))
    env = {**os.environ, "ANSIBLE_PIPELINING": pipelining, "ANSIBLE_SSH_TRANSFER_METHOD": transfer,
           "ANSIBLE_FORKS": "4", "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
           "ANSIBLE_SSH_CONTROL_PATH_DIR": str(tmp_path / "cp"), "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
           "HOME": str(tmp_path), "LC_ALL": "C.UTF-8",
           "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=10s"}
    r = run("ansible-playbook", "-i", tmp_path / "hosts", tmp_path / "play.yml", env=env, timeout=240, check=False)
    assert r.returncode == 0, r.stdout.decode() + r.stderr.decode()
    assert r.stdout.count(b"changed=") == 4 and b"WARNING" not in r.stderr, r.stderr
    for h in hosts:
        assert (tmp_path / "back" / h).read_bytes() == (tmp_path / "data").read_bytes()


# ---- clients with an SSH of their own


def fingerprint(far):
    known = run("ssh-keyscan", "-t", "ed25519", "-p", far.port, "127.0.0.1").stdout
    return run("ssh-keygen", "-lf", "-", input=known).stdout.decode().split()[1]


@pytest.mark.parametrize("mode", ("-sftp", "-scp"))
def test_pscp(far, tree, there, tmp_path, mode):
    putty = ("pscp", "-batch", mode, "-r", "-p", "-P", far.port, "-l", far.user, "-pw", PASSWORD,
             "-hostkey", fingerprint(far))
    run(*putty, tree / "d0", tree / "large", f"127.0.0.1:{there}/", timeout=120)
    run(*putty, f"127.0.0.1:{there}/large", tmp_path, timeout=120)
    run(*putty, f"127.0.0.1:{there}/d0", tmp_path, timeout=120)
    assert same(tree / "d0", tmp_path / "d0") and (tmp_path / "large").read_bytes() == (tree / "large").read_bytes()


def test_psftp(far, tree, there, tmp_path):
    """FileZilla's engine is made of it; `reput` and `reget` go on where a transfer has broken off."""
    half = (tree / "large").read_bytes()[:1 << 20]
    for name in ("half", "back"):
        (tmp_path / name).write_bytes(half)
    script = (f"cd {there}\nlcd {tmp_path}\nput half large\nreput {tree}/large large\nput -r {tree}/d0 d0\n"
              "reget large back\nget -r d0 d0\nren large moved\nchmod 600 moved\nls\ndel moved\nquit\n")
    (tmp_path / "script").write_text(script)
    r = run("psftp", "-batch", "-b", tmp_path / "script", "-P", far.port, "-l", far.user, "-pw", PASSWORD,
            "-hostkey", fingerprint(far), "127.0.0.1", timeout=120)
    assert b"-rw-------" in r.stdout and b"moved" in r.stdout
    assert (tmp_path / "back").read_bytes() == (tree / "large").read_bytes() and same(tree / "d0", tmp_path / "d0")
    assert "moved" not in far.exec("ls", there)


def test_dropbear(far, tree, there, tmp_path):
    """dbclient as the transport of rsync and scp, and its own forwarding."""
    env = {**os.environ, "DROPBEAR_PASSWORD": PASSWORD, "HOME": str(tmp_path)}
    transport = f"dbclient -y -y -p {far.port} -l {far.user}"
    rsync = ("rsync", "--archive", "--itemize-changes", "-e", transport)
    run(*rsync, f"{tree}/", f"127.0.0.1:{there}/", env=env, timeout=120)
    assert run(*rsync, f"{tree}/", f"127.0.0.1:{there}/", env=env, timeout=120).stdout == b""
    run(*rsync, f"127.0.0.1:{there}/", f"{tmp_path}/back/", env=env, timeout=120)
    assert same(tree, tmp_path / "back")
    r = run(*transport.split(), "127.0.0.1", "echo out; echo err >&2; exit 42", env=env, check=False)
    assert (r.returncode, r.stdout) == (42, b"out\n") and r.stderr.endswith(b"err\n")


def test_paramiko_files(far, tree, there, tmp_path):
    with contextlib.closing(paramiko.Transport(("127.0.0.1", far.port))) as t:
        t.start_client(timeout=30 * SLOW)
        t.auth_publickey(far.user, paramiko.Ed25519Key(filename=str(far.key)))
        sftp = paramiko.SFTPClient.from_transport(t)
        sftp.chdir(there)
        sftp.put(str(tree / "large"), "large")
        sftp.get("large", str(tmp_path / "back"))
        with sftp.open("large", "rb") as f:
            f.prefetch()
            assert f.read() == (tree / "large").read_bytes()
        sftp.posix_rename("large", "moved")
        sftp.symlink("moved", "link")
        assert sftp.readlink("link") == "moved" and sorted(sftp.listdir()) == ["link", "moved"]
    assert (tmp_path / "back").read_bytes() == (tree / "large").read_bytes()


def test_winscp(far, tree, there):
    """Its requests: a name of its own while it writes, on again after a break, then times, and the old file goes."""
    data = (tree / "large").read_bytes()
    part = f"{there}/large.filepart"

    @contextlib.contextmanager
    def session():
        with contextlib.closing(paramiko.Transport(("127.0.0.1", far.port))) as t:
            t.start_client(timeout=30 * SLOW)
            t.auth_publickey(far.user, paramiko.Ed25519Key(filename=str(far.key)))
            sftp = paramiko.SFTPClient.from_transport(t)
            assert sftp.normalize(".").startswith("/")
            yield sftp

    def write(f, pieces):
        f.set_pipelined(True)
        for at in range(*pieces, 32768):
            f.seek(at)
            f.write(data[at:at + 32768])

    with session() as sftp:
        with sftp.open(f"{there}/large", "w") as f:
            f.write(b"of before")
        f = sftp.open(part, "wx")
        write(f, (0, len(data) // 2))
        f.stat()  # all of it has come there; then it breaks
    with session() as sftp:
        size = sftp.stat(part).st_size
        assert size == len(data) // 2
        with sftp.open(part, "r+") as f:
            write(f, (size, len(data)))
        sftp.utime(part, (1_000_000_000, 1_100_000_000))
        sftp.chmod(part, 0o640)
        sftp.remove(f"{there}/large")
        sftp.rename(part, f"{there}/large")
        assert sftp.listdir(there) == ["large"]
        with sftp.open(f"{there}/large", "rb") as f:
            f.prefetch()
            assert f.read() == data
    assert far.exec("stat", "-c", "%a %Y", f"{there}/large") == "640 1100000000\n"


def test_asyncssh_files(far, tree, there, tmp_path):
    async def go():
        async with asyncssh.connect("127.0.0.1", far.port, username=far.user, password=PASSWORD, known_hosts=None,
                                    client_keys=None) as c, c.start_sftp_client() as sftp:
            await sftp.put([str(tree / "large"), str(tree / "d0")], there, recurse=True)
            await sftp.get([f"{there}/large", f"{there}/d0"], str(tmp_path), recurse=True)
            await sftp.posix_rename(f"{there}/large", f"{there}/moved")
            assert await sftp.glob(f"{there}/mov*") == [f"{there}/moved"]
            assert (await sftp.statvfs(there)).blocks > 0
    asyncio.run(asyncio.wait_for(go(), 120 * SLOW))
    assert same(tree / "d0", tmp_path / "d0") and (tmp_path / "large").read_bytes() == (tree / "large").read_bytes()
