"""The documents say what the program does: keywords, commands, messages, events and files."""

import pathlib
import re

from lab import PREFIX, run

TOP = pathlib.Path(__file__).resolve().parents[2]
DOCS = TOP / "docs"


def text(name):
    return (DOCS / name).read_text()


def plain(page):
    return re.sub(".\b", "", run("mandoc", "-T", "ascii", "-O", "width=200", DOCS / page).stdout.decode())


def sources():
    return sorted(str(p.relative_to(TOP)) for d in ("src", "include") for p in (TOP / d).rglob("*.[ch]"))


def test_every_source_file_is_in_the_map_and_nothing_else():
    mentioned = set(re.findall(r"\b((?:src|include)/[\w/.-]+\.[ch])\b", text("ARCHITECTURE.md")))
    assert mentioned == set(sources())


def test_every_message_is_in_the_table():
    header = (TOP / "include/jumpbox/proto.h").read_text()
    names = set(re.findall(r"^\t((?:REQ|REP|EVT)_\w+)", header, re.M))
    table = text("ARCHITECTURE.md").split("\n## Messages\n")[1].split("\n## ")[0]
    assert {"REQ_SIGN", "REQ_SIGNAL"} <= names == set(re.findall(r"\b(?:REQ|REP|EVT)_\w+", table))


def test_every_keyword_is_in_its_page_and_the_sample():
    conf = run(PREFIX / "sbin/jumpboxd", "-T", "-f", "/dev/null").stdout.decode()
    keywords = {line.split()[0] for line in conf.splitlines() if line}
    source = set(re.findall(r'\{ *"([a-z0-9-]+)",', (TOP / "src/common/config.c").read_text()))
    assert len(keywords) > 20 and keywords <= source
    page, sample = text("jumpbox.conf.5"), (TOP / "etc/jumpbox.conf").read_text()
    missing = [k for k in sorted(keywords | source) if k not in page.replace("\\-", "-") or k not in sample]
    assert not missing


def test_manual_pages_are_well_formed():
    for page in ("jumpboxd.8", "jumpbox.conf.5", "jumpboxctl.8"):
        r = run("mandoc", "-T", "lint", "-W", "warning", DOCS / page, check=False)
        assert r.returncode == 0, r.stdout.decode()


EVENT = r"[a-z_]+\.[a-z0-9_]+"


def events():
    """Whatever looks like one, and is no header's name; a session's events get their prefix from its broker."""
    found = set()
    for name in sources():
        source = (TOP / name).read_text()
        found |= set(re.findall(rf'(?<!#include )"({EVENT})"', source))
        for event in re.findall(r"\bREQ_LOG,.*?\bmsg_put_str\(&m, \"([a-z_.]+)\"", source, re.S):
            found.add(f"session.{event}")
    return {event for event in found if not event.startswith("jumpbox.")}


def test_every_event_is_in_a_manual_and_there_are_no_others():
    items = "\n".join(re.findall(r"^\.It (?!Pa )(.*)", text("jumpboxctl.8") + text("jumpboxd.8"), re.M))
    listed = set(re.findall(EVENT, items)) - {"jumpboxd.fatal"}
    assert {"session.refused", "node.add", "login.ok"} <= events()
    assert listed == events()


# ---- what a client gets

def clients():
    """The section of jumpboxd(8) for those who log in: as source, and as it reads."""
    source = text("jumpboxd.8").split("\n.Sh CLIENTS\n")[1].split("\n.Sh ")[0].replace("\\-", "-").replace("\\&", "")
    return source, re.search(r"^CLIENTS\n(.*?)^\w", plain("jumpboxd.8"), re.M | re.S).group(1)


def table(name, start):
    """The strings of a table in a source file."""
    body = (TOP / "src" / name).read_text().split(start)[1].split("\n\n")[0].split("};")[0]
    return re.findall(r'"((?:[^"\\]|\\.)*)"', body)


def test_every_command_of_clients_is_in_the_manual():
    source, _ = clients()
    assert set(re.findall(r"^\.It Cm (.+)$", source, re.M)) == set(table("session/commands.c", "command commands[] = {"))


def test_every_key_of_ls_is_in_the_manual():
    keys = set(re.findall(r'\w+\(out, "(\w+)"', (TOP / "src/session/ui_plain.c").read_text()))
    assert {"name", "id", "allow"} <= keys
    assert keys == keys_said("ls")


def keys_said(command):
    """What is in bold in the manual's item of a command: the keys of its objects."""
    source, _ = clients()
    item = source.split(f"\n.It Cm {command}\n")[1].split("\n.It Cm ")[0].split("\n.El")[0]
    return set(re.findall(r"\b[a-z_]+\b", " ".join(re.findall(r"^\.Cm (.+)$", item, re.M))))


def test_every_key_of_the_other_commands_is_in_the_manual():
    """The tables that the JSON is made from."""
    def keys(file, start, indent):
        return {re.match(r"[\w]+", k).group(0) for k in re.findall(rf'^\t+{indent}\{{ "(\w+)"', (
            TOP / "src/session" / file).read_text().split(start)[1].split("};")[0], re.M)}
    assert keys_said("show") - {"exec"} == keys("ui_details.c", "details[DETAIL_KEYS] = {", r"\[\w+\] += ")
    for command, start in (("who", "who[] = {"), ("nodes", "nodes[] = {"), ("keys", "keys[] = {"),
                           ("whoami", "account[] = {")):
        said = keys_said(command) - ({"list", "add", "del", "user", "keys"} if command == "keys" else set())
        assert said == keys("ui_table.c", start, ""), command
    stats = (TOP / "src/session/ui_stats.c").read_text()
    assert keys_said("top") == set(re.findall(r'json_\w+\(out, "(\w+)"', stats))


def test_every_exit_status_for_clients_is_in_the_manual():
    numbers = dict(re.findall(r"(JB_\w+) = -(\d+)", (TOP / "include/jumpbox/errors.h").read_text()))
    files = [*(TOP / "src/docker").glob("*.c"),
             *(TOP / "src/session" / f"{f}.c" for f in ("channel", "command_account", "commands", "front", "relay", "renew", "serve", "task", "task_logs", "task_top",
                                                        "timers")),
             *(TOP / "src/broker" / f"{f}.c" for f in ("action", "broker", "do_attach", "do_change", "do_logs",
                                                       "do_passwd", "do_power", "do_query", "do_stats", "do_target",
                                                       "exec_jobs", "held_node", "job", "login", "recheck"))]
    code = "".join(f.read_text() for f in files)
    statuses = {numbers[name] for name in re.findall(r"(?<!fatal\()\b(JB_\w+)", code)}
    statuses |= {"0", *re.findall(r"UNKNOWN_CODE = (\d+)", code)}
    source, _ = clients()
    assert set(re.findall(r"^\.It (\d+)$", source, re.M)) == statuses


def test_names_that_clients_send_are_in_the_manual():
    _, page = clients()
    words = set(re.findall(r"[\w*%]+", page))
    assert {"LANG", "LC_*"} <= set(table("common/client.c", "names[] = "))
    assert set(table("common/client.c", "names[] = ")) <= words
    assert set(table("common/client.c", "signals[] = ")) <= words
    assert {code for code in table("common/target.c", "encoded[] = ") if len(code) == 3} <= words
    assert all(c in page for c in table("common/target.c", "separators[] = ")[0])
    ours = set(re.findall(r'env_add\(a, n, "(\w+)"', (TOP / "src/broker/do_attach.c").read_text()))
    inside = re.findall(r"export ([A-Z_ ]+)", (TOP / "src/docker/shell_argv.c").read_text())
    ours |= {name for names in inside for name in names.split()}
    assert {"SSH_TTY", "SSH_CLIENT", "SHELL"} <= ours <= words


def test_every_option_is_in_its_page():
    said = run(PREFIX / "sbin/jumpboxd", "-h").stdout.decode()
    options = re.findall(r"^  (-\w(?: [A-Z]+)?) ", said, re.M)
    page = re.findall(r"^\.It Fl (\w(?: Ar \w+)?)$", text("jumpboxd.8"), re.M)
    assert len(options) == 5 and sorted("-" + o.replace(" Ar", "") for o in page) == sorted(options)


def test_the_menu_in_the_readme_is_the_menu():
    """Its frame is that of a kept screen: the head but for who and where, the titles, the hints."""
    shown = (TOP / "README.md").read_text().split("sorted by last use\n")[1].split("\n```")[0].split("\n")
    kept = (TOP / "tests/e2e/screens/alice-80x24.txt").read_text().rstrip("\n").split("\n")
    assert "sorted by last use" in kept[0] and shown[-1] == kept[-1]
    assert shown[0].split() == kept[1].split() and shown[0].index("NAME") == shown[1].index("demo-")
    assert shown[1][:3] == "> 1" == kept[2][:3]


def test_messages_explained_to_users_are_said():
    """CLIENTS.md quotes beginnings and parts of sentences; names in capitals stand for what is filled in."""
    words = re.sub(r'"\n\s*"', "", (TOP / "include/jumpbox/words_list.h").read_text())
    said = [re.sub(r"\{\d\}", "X", s) for s in re.findall(r'"((?:[^"\\]|\\.)*)"', words)]
    table = text("CLIENTS.md").split("| jumpbox says |")[1].split("\n\n")[0]
    quoted = [q for row in table.splitlines()[2:] for q in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert len(quoted) > 15
    assert [q for q in quoted if not any(re.sub(r"\b(NAME|NODE|USER)\b", "X", q) in s for s in said)] == []


def test_what_clients_ask_has_tests():
    """Each test that CLIENTS.md names is there, and those that are about clients alone are all in it."""
    table = text("CLIENTS.md").split("\n## What clients ask")[1]
    rows = [row for row in table.splitlines() if row.startswith("| ") and not row.endswith("| |")][1:]
    named = [re.findall(r"`(\w+):(\w+)`", row.rsplit("|", 2)[1]) for row in rows]
    assert len(rows) > 30 and all(named), rows
    tests = {}
    for f in {f for row in named for f, _ in row}:
        source = (TOP / "tests/e2e" / (f"{f}.py" if f == "soak" else f"test_{f}.py")).read_text()
        tests[f] = set(re.findall(r"^(?:def|from \w+ import) test_(\w+)", source, re.M))
    assert [f"{f}:{t}" for row in named for f, t in row if t not in tests[f]] == []
    assert [f"{f}:{t}" for f in ("editors", "clients_tools", "soak") for t in sorted(tests[f])
            if not any((f, t) in row for row in named)] == []


def test_the_project_speaks_of_itself_only():
    tracked = run("git", "-c", "safe.directory=*", "-C", TOP, "ls-files").stdout.decode().split()
    banned = re.compile(r"/work/|/home/\w+/|deb\.debian\.org|registry\.npmjs|\bissue #?\d|\bsession of work\b", re.I)
    found = []
    for name in tracked:
        path = TOP / name
        if path.is_file() and path.suffix not in (".png",) and name != "tests/e2e/test_docs.py":
            with open(path, "rb") as f:
                if banned.search(f.read().decode(errors="replace")):
                    found.append(name)
    assert not found
