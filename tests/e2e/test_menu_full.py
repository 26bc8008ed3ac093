"""The full-screen menu in real terminals: tmux runs the real client, and what is on the screen is looked at.

Whole screens are compared with those kept in screens/; JUMPBOX_UPDATE_SCREENS=1 writes them anew, to be looked at.
"""

import contextlib
import os
import re
import sqlite3
import time

import pytest

from fleet import Fleet, container
from lab import HERE, SLOW, wait_for
from screen import Screen

SCREENS = HERE / "screens"
UPDATE = "JUMPBOX_UPDATE_SCREENS" in os.environ

STATES = ("running", "running", "exited", "running", "paused", "created")
NAMES = ("web", "db", "数据库-主", "🐳-whale", "cafe\u0301", "a-name-that-is-longer-than-any-column-for-names-can-be")
IMAGES = ("nginx:1", "registry.example.org/team/project/service:2024.1")


def thirty():
    """Some of each: states, scripts, lengths."""
    rows = [container(i, NAMES[i] if i < len(NAMES) else f"job-{i}", STATES[i % len(STATES)], IMAGES[i % 2])
            for i in range(30)]
    rows[0]["Labels"] = {"tier": "gold"}
    return rows


@pytest.fixture(scope="module")
def fleet(lab):
    """A jump host over an engine with thirty containers; users who reach all, one and none of them."""
    engine = Fleet(lab.dir / "fleet.sock", thirty())
    host = lab.host(max_startups_per_source=100, backoff_after=0)
    host.engine = engine
    host.node(engine, "one")
    for name, selector in (("alice", "*"), ("only", "web"), ("nobody", None)):
        host.user(name)
        if selector:
            host.ctl("grant", "add", name, selector)
    for name in ("alice", "only", "nobody"):
        chinese = name + "-zh"
        host.user(chinese)
        host.ctl("user", "set", chinese, "language", "zh")
        if name != "nobody":
            host.ctl("grant", "add", chinese, "*" if name == "alice" else "web")
    host.start()
    wait_for(lambda: b"job-29" in host.ssh("alice", "ls").stdout, 10, "the inventory")
    yield host
    host.stop()
    engine.stop()


@pytest.fixture
def screens():
    """Makes screens, and closes them."""
    made = []

    def make(*args, **kw):
        made.append(Screen(*args, **kw))
        return made[-1]
    yield make
    for s in made:
        s.close()


@pytest.fixture
def menu(fleet, screens):
    """alice's menu, on a terminal of the usual size."""
    s = screens(fleet.ssh_argv("alice"))
    s.expect(r"q quit")
    return s


def kept(name, screen, settled):
    """The screen is the kept one, once it shows what it is waited for."""
    screen.expect(settled)
    path = SCREENS / f"{name}.txt"
    if UPDATE:
        path.write_text(screen.show() + "\n")
        return
    want = path.read_text().rstrip("\n")

    def same():
        return screen.show().rstrip("\n") == want
    try:
        wait_for(same, 5, name)
    except AssertionError:
        raise AssertionError(f"{path.name}: not this\n{screen.show()}\nbut this\n{want}") from None


# ---- whole screens

@pytest.mark.parametrize("user", ("alice", "only", "nobody"))
@pytest.mark.parametrize("language", ("", "-zh"), ids=("en", "zh"))
@pytest.mark.parametrize("cols, rows", ((80, 24), (132, 50), (40, 12)))
def test_kept_screens(fleet, screens, user, language, cols, rows):
    s = screens(fleet.ssh_argv(user + language), cols, rows)
    kept(f"{user}{language}-{cols}x{rows}", s, r"q (quit|退出)")
    assert s.alternate == (cols > 40)


@pytest.mark.parametrize("language", ("", "-zh"), ids=("en", "zh"))
def test_kept_screens_of_help_and_filter(fleet, screens, language):
    s = screens(fleet.ssh_argv("alice" + language))
    s.expect("q (quit|退出)")
    s.type("/JOB 2 nginx")
    kept(f"filter{language}", s, r"JOB 2 nginx")
    s.keys("Tab", "?")
    kept(f"help{language}", s, r"list anew|重新列出")


# ---- the way through it

@pytest.fixture
def real(host, screens):
    """alice's menu over a real engine."""
    def open_menu(login="alice", **kw):
        s = screens(host.ssh_argv(login, options=kw.pop("options", ())), **kw)
        s.expect(r"q quit")
        return s
    return open_menu


def shell_in(s, name):
    """The shell that was opened answers, on the normal screen."""
    s.expect(rf"Connecting to {name} ")
    assert not s.alternate
    s.type("echo rea''dy; stty size\n").expect(r"^ready$")


def test_menu_shell_and_back(real):
    s = real()
    s.type("/debian").expect(r"^> *\d+ +deb ")
    s.keys("Enter")
    shell_in(s, "deb")
    s.type("exit 3\n").expect(r"^deb: ended with exit code 3$")
    s.expect("q quit")
    assert s.alternate
    # Its filter is there still; so is where it was, and it comes first now.
    s.expect(r"Filter|exit code 3")
    s.keys("Escape")
    wait_for(lambda: re.match(r"> *\d+ +deb ", s.text()[2]), 5, "it to be the first")
    # Enter, Enter.
    s.keys("q")
    assert s.status() == 0 and not s.alternate
    s = real()
    s.keys("Enter")
    shell_in(s, "deb")
    s.type("exit\n").expect(r"exit code 0")
    s.keys("C-d")
    assert s.status() == 0
    assert "deb: ended with exit code 0" in s.history()


def test_a_number_is_a_container_for_the_whole_session(real):
    s = real()
    number = s.expect(r"^.? +(\d+)  bb ").group(1)
    s.type("s/debian").expect(r"^> *\d+ +deb ")
    s.keys("Tab").type(number).expect(rf"Number: {number}  bb on one")
    s.keys("Enter")
    shell_in(s, "bb")


def test_keys_typed_ahead(host, screens):
    """Before the menu is there, as before a slow prompt; what follows Enter is the shell's."""
    s = screens(host.ssh_argv("alice"))
    s.type("/debian\recho rea''dy\rexit 5\r")
    s.expect("^deb: ended with exit code 5")
    s.keys("C-d")
    assert s.status() == 0 and re.search("^ready$", s.history(), re.M)


def test_a_container_that_cannot_be_entered(real):
    s = real()
    s.type("/bare\r").expect("the container has no shell")
    assert s.alternate


def test_ambiguous_shows_what_fits(real, docker, host):
    docker.container("twin-a", "busybox")
    docker.container("twin-b", "busybox")
    try:
        wait_for(lambda: host.ssh("alice+twin-b", "true").returncode == 0, 10, "the inventory")
        s = real("alice+twin")
        s.expect("2 of")
        shown = [line.split()[-5] for line in s.text()[2:-2] if line]
        assert "twin" in s.show() and "deb" not in s.show(), shown
        s.keys("Escape").expect(" deb ")
        s.keys("q")
        assert s.status() == 0
    finally:
        docker.remove("twin-a")
        docker.remove("twin-b")


LEAVING = ("q", "C-d", "C-c")


@pytest.mark.parametrize("key", LEAVING)
def test_leaving_gives_the_terminal_back(fleet, screens, key):
    s = screens(fleet.ssh_argv("alice"))
    s.expect("q quit")
    assert s.alternate
    s.keys(key)
    assert s.status() == 0 and not s.alternate
    assert "job-" not in s.show()


def test_the_end_of_the_session_is_said_on_the_normal_screen(fleet, screens):
    fleet.user("killed")
    fleet.ctl("grant", "add", "killed", "*")
    s = screens(fleet.ssh_argv("killed"))
    s.expect("q quit")
    fleet.ctl("user", "lock", "killed")
    s.status()
    assert not s.alternate
    assert re.search("your account is locked", s.history())


def test_the_idle_warning_is_in_the_menu(own_host, screens):
    """On its status line; the screen stays whole, and the end is on the normal one."""
    host = own_host(idle_timeout=62)
    s = screens(host.ssh_argv("alice"))
    s.expect("q quit")
    s.expect(r"^jumpbox: idle; this connection ends in a minute$", 10)
    assert s.alternate and s.expect("q quit") and s.expect(" deb ")
    s.keys("j").gone("idle; this")


# ---- each key

def selected(s):
    """Row of the screen, and the name, of the container under the cursor; none in the middle of a frame."""
    for y, line in enumerate(s.text()):
        if line.startswith(">") and len(line.split()) > 2:
            return y, line[1:].split()[1]
    return None, None


def comes_to(s, row=None, name=None):
    """Until that is selected, or anything; what is."""
    def there():
        y, what = now = selected(s)
        return y is not None and row in (None, y) and name in (None, what) and now
    return wait_for(there, 5, f"row {row}, {name} to be selected: {s.show()}")


def test_moving(menu):
    menu.keys("s").expect("sorted by name")
    first = comes_to(menu, 2)
    for keys, row in (("j", 3), ("Down", 4), ("k", 3), ("Up", 2), ("G", 21), ("g", 2), ("End", 21), ("Home", 2),
                      ("NPage", 21), ("PPage", 2), ("C-f", 21), ("C-b", 2)):
        menu.keys(keys)
        wait_for(lambda: selected(menu)[0] == row and menu.cursor == (row, 0), 5, f"{keys}: row {row}")
    comes_to(menu, *first)


VARIANTS = {b"\x1b[A": -1, b"\x1bOA": -1, b"\x1b[B": 1, b"\x1bOB": 1, b"\x1b[H": "first", b"\x1bOH": "first",
            b"\x1b[1~": "first", b"\x1b[7~": "first", b"\x1b[F": "last", b"\x1bOF": "last", b"\x1b[4~": "last",
            b"\x1b[8~": "last"}


def test_what_terminals_send_for_a_key(menu):
    """xterm, screen, tmux, linux, vt100 and rxvt, in both modes."""
    for data, what in VARIANTS.items():
        menu.keys("g", "j", "j", "j")
        comes_to(menu, 5)
        menu.raw(data)
        comes_to(menu, {"first": 2, "last": 21}.get(what) or 5 + what)


def test_sorting(menu):
    for by in ("name", "node", "state", "time in that state", "last use"):
        menu.keys("s").expect(f"sorted by {by}$")
        assert len([line for line in menu.text()[2:22] if line]) == 20

        def in_order():  # the head is drawn before the rows
            states = re.findall(r"(created|exited|paused|running)", menu.show())
            return by != "state" or states == sorted(states)
        wait_for(in_order, 5, "the rows in their order")


def test_the_region_of_a_node(fleet, screens):
    s = screens(fleet.ssh_argv("alice"), 160)
    assert "REGION" not in s.expect(r"q quit").string
    fleet.ctl("node", "set", "one", "region", "eu-west")
    try:
        s.expect(r"NODE +REGION ", 3)
        s.type("/web EU-W").expect(r"^> *\d+ +web .* one +eu-west ")
        s.expect(r"1 of 30 containers")
        assert b"eu-west" in fleet.ssh("alice", "ls --json eu-west").stdout
    finally:
        fleet.ctl("node", "set", "one", "region", "")


def test_the_filter(menu):
    menu.type("/JOB").expect("24 of 30")
    menu.type(" job-1").expect(r"^Filter: JOB job-1$")
    assert all("job-1" in line for line in menu.text()[2:20] if line)
    menu.keys(*["BSpace"] * 6).expect(r"^Filter: JOB$")
    menu.raw(b"\x08").expect(r"^Filter: JO$")
    menu.keys("C-w").expect(r"^Filter:$")
    menu.type("two words").keys("C-w").expect(r"^Filter: two$")
    menu.keys("C-u").type("tier=gold").expect(r"1 of 30")
    menu.expect(r"^> *\d+ +web ")
    menu.keys("C-u").type("数据").expect(r"^> *\d+ +数据库-主 ")
    menu.keys("Escape").expect(" 30 containers")
    menu.type("/web").keys("C-c").expect(" 30 containers")  # leaves the filter, not the menu
    menu.type("/web").keys("Tab").expect("q quit")
    menu.expect(r"^Filter: web$")
    menu.keys("Escape").expect(" 30 containers")
    menu.type("/\\x1b no such").expect("No container matches")
    menu.keys("Enter").expect("No container matches")


def test_numbers(menu):
    menu.type("29").expect(r"^Number: 29  数据库-主 on one$")
    comes_to(menu, name="数据库-主")
    menu.keys("BSpace").expect(r"^Number: 2 ")
    menu.type("99").expect(r"^Number: 299$")
    menu.keys("Enter").expect("no container with the number 299")
    menu.keys("j").gone("with the number")


def test_help_and_back(menu):
    for back in ("q", "Escape", "?", "C-c"):
        menu.keys("?").expect("^ Keys$")
        menu.keys("G").expect("While something is read")
        menu.keys(back).expect("q quit")
        menu.gone("^ Keys$")


def test_ctrl_z_and_unknown_keys_do_nothing(menu):
    before = menu.show()
    menu.keys("C-z", "F1", "IC", "C-a", "x", "Q").raw(b"\x1b[200~")
    menu.keys("j").keys("k")
    wait_for(lambda: menu.show() == before, 5, "the same screen")


def test_redraw(menu):
    before = menu.show()
    menu.keys("C-l")
    wait_for(lambda: menu.show() == before, 5, "the same screen")


# ---- what changes while it is open

@pytest.fixture
def lively(lab, screens):
    """A menu of somebody with a grant for w* on an engine of its own, and that host and engine."""
    engine = Fleet(lab.dir / "lively.sock", [container(i, name) for i, name in enumerate(("wa", "wb", "wc", "other"))])
    host = lab.host(max_startups_per_source=100, backoff_after=0)
    host.node(engine, "one")
    host.user("mia")
    host.grant = host.ctl_json("grant", "add", "mia", "w*")
    host.start()
    wait_for(lambda: b"wc" in host.ssh("mia", "ls").stdout, 10, "the inventory")
    s = screens(host.ssh_argv("mia"))
    s.expect("q quit")
    yield s, host, engine
    host.stop()
    engine.stop()


def test_a_grant_shows_within_two_seconds(lively):
    s, host, _ = lively
    s.expect(" wc ")
    host.ctl("grant", "add", "mia", "other")
    s.expect(" other ", 2)
    for g in host.ctl_json("grant", "list", "--user", "mia"):
        if g["selector"] == "w*":
            host.ctl("grant", "del", str(g["id"]))
    s.gone(" wa ", 2)
    s.expect("^>.* other ")


def test_a_grant_that_is_narrowed_shows_within_two_seconds(lively):
    s, host, _ = lively
    s.expect(r" l logs ")
    host.ctl("grant", "add", "mia", "w*", "--allow", "shell")
    host.ctl("grant", "del", str(host.grant["id"]))
    s.gone(" l logs ", 2)
    s.expect(" wa ")


def test_a_grant_that_expires_shows_within_two_seconds(lively):
    s, host, _ = lively
    grant = host.ctl_json("grant", "add", "mia", "other", "--until", "+1h")["id"]
    s.expect(" other ")
    until = int(time.time()) + 4
    with contextlib.closing(sqlite3.connect(host.database, timeout=10)) as db:
        db.execute("update grants set until = ? where id = ?", (until, grant))
        db.commit()
    wait_for(lambda: time.time() >= until, 10, "that second")
    s.gone(r"\d +other ", 2)
    s.expect(" wa ")


def test_access_that_ends_soon_is_said(lively):
    s, host, _ = lively
    host.ctl("grant", "add", "mia", "other", "--until", "+4m")
    s.expect(r"^Your access to other ends in 4 min\.", 3)
    s.keys("Down").gone("Your access")
    s.type("m").expect(r"^Your access to other ends in 4 min\.")
    s.keys("q").expect("q quit")
    host.ctl("grant", "del", str(host.grant["id"]))
    host.ctl("grant", "add", "mia", "w*", "--until", "+3m")
    s.expect(r"^Your access to w[abc] and 2 more ends in 3 min\.", 3)


def test_a_grant_given_while_a_shell_runs(host, screens):
    """Nobody followed then; the list is another one all the same."""
    host.user("ned")
    host.ctl("grant", "add", "ned", "deb")
    s = screens(host.ssh_argv("ned"))
    s.expect("q quit")
    s.keys("Enter")
    shell_in(s, "deb")
    other = screens(host.ssh_argv("ned"))
    other.expect("q quit")
    host.ctl("grant", "add", "ned", "bb")
    other.expect(" bb ")  # the brokers have been told
    s.type("exit\n").expect(" bb ")
    for g in host.ctl_json("grant", "list", "--user", "ned"):
        host.ctl("grant", "del", str(g["id"]))


def test_the_cursor_follows_its_container(lively):
    s, host, engine = lively
    s.type("/wb").keys("Tab", "Escape").expect(r"^> *\d+ +wb ")
    engine.become([container(90 + i, f"w0{i}") for i in range(3)] + engine.rows)
    s.expect(" w02 ", 5)
    comes_to(s, name="wb")
    # Its row is another one's when it has gone.
    engine.become(r for r in engine.rows if r["Names"] != ["/wb"])
    s.gone(" wb ", 5)
    comes_to(s)


def test_the_cursor_follows_a_container_that_is_renamed_or_made_anew(lively):
    s, host, engine = lively
    s.type("/wb").keys("Tab", "Escape").expect(r"^> *\d+ +wb ")
    # Renamed: the same one, with its number.
    number = s.expect(r"^> *(\d+) +wb ").group(1)
    engine.become({**r, "Names": ["/wz"]} if r["Names"] == ["/wb"] else r for r in engine.rows)
    s.expect(rf"^> *{number} +wz ", 5)
    # Made anew under its name, at once.
    rows = [r for r in engine.rows if r["Names"] != ["/wz"]]
    engine.become([*rows, container(70, "wz")])
    s.expect(r"^> *\d+ +wz .*", 5)
    s.gone(rf"^>? *{number} +wz ", 5)
    comes_to(s, name="wz")  # there may have been a moment without one
    # And after a while in which there was none.
    engine.become(rows)
    s.gone(" wz ", 5)
    comes_to(s)
    engine.become([container(71, "w0"), *rows, container(72, "wz")])
    s.expect(r"^> *\d+ +wz ", 5)


def test_a_row_that_was_just_lost_is_refused(lively):
    s, host, _ = lively
    for g in host.ctl_json("grant", "list", "--user", "mia"):
        host.ctl("grant", "del", str(g["id"]))
    s.keys("Enter").expect("no such container|may not|There is no container", 10)
    s.expect("q quit")


# ---- sizes and terminals

def test_resizing_in_every_state(fleet, screens):
    s = screens(fleet.ssh_argv("alice"), 80, 24)
    s.expect("q quit")
    for keys, sign in (((), "q quit"), (("/", "w", "e"), "Filter: we"), (("Tab", "?"), "^ Keys"), (("q", "1", "2"), "Number: 12")):
        s.keys(*keys).expect(sign)
        for cols, rows in ((132, 50), (20, 8), (400, 120), (5, 3), (80, 24)):
            s.resize(cols, rows)
            if cols >= 80:
                s.expect(sign)
            s.expect("alice on" if cols >= 20 else "too")
    s.keys("Escape", "q")
    assert s.status() == 0


def test_resizing_what_is_read_and_what_is_asked(writer):
    """Details, logs, a search in them, a question, a confirmation, somebody's name; each is still there, and works."""
    s = writer()
    for keys, sign, leave in ((("i",), "Details of writer", ("q",)), (("l",), "Logs of writer", ("q",)),
                              (("l", "/", "o", "d"), "^Search: od$", ("Escape", "q")),
                              (("T",), r"^Stop writer\? \[y/N\]", ("n",)), (("u", "r"), "^User there.*: r$", ("Escape",)),
                              (("w",), "administrators", ("k",))):
        s.keys(*keys).expect(sign)
        for cols, rows in ((132, 50), (20, 8), (5, 3), (100, 30), (80, 24)):
            s.resize(cols, rows)
            if cols >= 80:
                s.expect(sign)
                wait_for(lambda r=rows: s.text()[r - 1], 5, "the hints on the last line")
            else:
                s.expect("alice on" if cols >= 20 else "too")
        s.keys(*leave).expect("q quit")
    assert s.alternate
    s.keys("q")
    assert s.status() == 0 and not s.alternate


def test_resizing_while_a_shell_runs(real):
    s = real()
    s.type("/debian\r")
    shell_in(s, "deb")
    s.resize(100, 30).type("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.1; done; echo siz''ed\n").expect("^sized$")
    s.type("exit\n").expect("q quit")
    wait_for(lambda: "quit" in s.text()[29], 5, "the hints on the last line")


TERMS = ("xterm", "xterm-256color", "screen", "screen-256color", "tmux", "tmux-256color", "linux", "vt100", "rxvt",
         "rxvt-unicode-256color")


@pytest.mark.parametrize("term", TERMS)
def test_every_terminal(fleet, screens, term):
    s = screens(fleet.ssh_argv("alice"), term=term)
    kept("alice-80x24", s, "q quit")
    s.keys("j", "/").type("job-2").expect("Filter: job-2")
    comes_to(s)
    s.keys("Escape", "q")
    assert s.status() == 0 and not s.alternate


@pytest.mark.parametrize("term, said", (("dumb", False), ("xterm-kitty", True), ("no.such-term", True)))
def test_the_plain_menu_where_the_terminal_is_not_known(fleet, screens, term, said):
    s = screens(fleet.ssh_argv("alice"), 100, 50, term=term)
    s.expect(r"q quit\)")
    assert not s.alternate
    assert (f"Terminal type {term} is not known here" in s.history()) == said


def test_the_setting(fleet, screens):
    fleet.user("simple")
    fleet.ctl("grant", "add", "simple", "web")
    fleet.ctl("user", "set", "simple", "menu", "plain")
    s = screens(fleet.ssh_argv("simple"))
    s.expect(r"q quit\)")
    assert not s.alternate


def test_colour(fleet, screens):
    green, red = "\x1b[32m", "\x1b[31m"
    s = screens(fleet.ssh_argv("alice"))
    s.expect("q quit")
    assert green in s.attributes()
    s = screens(fleet.ssh_argv("alice", options=("-o", "SendEnv=NO_COLOR")), env=("NO_COLOR=1",))
    s.expect("q quit")
    assert green not in s.attributes() and red not in s.attributes()


ODD = "\x1b[31mred\x1b]0;title\x07\u202e\u2066\x9b2J\r\nnew"


def test_foreign_text_reaches_no_terminal(lab, screens):
    """Every byte that the client gets; what is not ours is escaped, and the terminal is where it was."""
    engine = Fleet(lab.dir / "odd.sock", [container(1, "odd" + ODD, image="image" + ODD, Labels={
        "l" + ODD: ODD, "com.docker.compose.project": ODD, "com.docker.compose.service": ODD, "jumpbox.owner": ODD})])
    host = lab.host(max_startups_per_source=100, backoff_after=0)
    host.node(engine, "one")
    host.user("alice")
    host.ctl("grant", "add", "alice", "*")
    host.start()
    try:
        wait_for(lambda: b"odd" in host.ssh("alice", "ls").stdout, 10, "the inventory")
        t = host.terminal("alice", cols=200, rows=24)
        t.expect(b"quit")
        seen = t.before
        t.send("/odd\t?qq")
        t.expect(b"1049l")
        seen += t.before
        for bad in ("\x1b[31mred", "\x1b]0;", "\u202e", "\u2066", "\x9b2J", "\r\nnew", "\x07"):
            assert bad.encode() not in seen, bad
        assert b"odd\\x1b[31mred" in seen
        t.close()
        s = screens(host.ssh_argv("alice"), 132, 30)
        s.expect(r"^> +1 +odd\\x1b\[31mred")
    finally:
        host.stop()
        engine.stop()


def nothing_raw(seen):
    """Of what a container, an engine or another person said no byte that a terminal would obey."""
    for bad in ("\x1b[31mred", "\x1b]0;", "\u202e", "\u2066", "\x9b2J", "\x07"):
        assert bad.encode() not in seen, bad
    assert b"\x9b" not in re.sub(rb"[\xc2-\xf4][\x80-\xbf]+", b"", seen)


def test_foreign_text_in_every_face_and_page(lab, docker, screens):
    """Labels, variables, output and a command of a container: details, logs, questions, the plain menu, the log."""
    host = lab.site(docker)
    docker.container("odd", "busybox", "--label", "l=" + ODD.replace("\r\n", " "), "--env", "X\x1b[31mred=1", "--stop-timeout", "1",
                     command=("sh", "-c", "printf 'first \\033[31mred\\033]0;title\\007 \\342\\200\\256 \\302\\2332J \\233 \\r over\\n'; "
                                          "sleep 1000000 # \x1b[31mred\x07"))
    host.ctl("grant", "add", "alice", "odd", "--allow", "shell,logs,power")
    host.start()
    try:
        wait_for(lambda: b"odd" in host.ssh("alice", "ls").stdout, 10, "the inventory")
        t = host.terminal("alice", cols=200, rows=60)
        seen = b""

        def until(text):
            nonlocal seen
            t.expect_exact(text)
            seen += t.before + t.after
        until(b"quit")
        t.send("/odd\t")
        until(b"1 of ")
        t.send("i")
        until(b"Restart policy")
        t.send("/no\u202esuch\r")
        until(b"not found")
        t.send("ql")
        until(b"first \\x1b[31mred")
        t.send("qc")
        until(b"server-address")
        t.send("qT")
        until(b"[y/N]")
        t.send("nu\x1b\x1bq")
        until(b"1049l")
        assert b"\\x1b[31mred" in seen
        nothing_raw(seen)
        t.close()
        t = host.terminal("alice", term="dumb", cols=200)
        prompt = rb"quit\)[^:]*: "
        t.expect(prompt)
        seen = t.before
        for line in ("i odd", "l odd", "c odd", "/red\u202e", "/", "no\u202esuch"):
            t.sendline(line)
            t.expect(rb"\n")  # the line as the terminal echoed it
            t.expect(prompt)
            seen += t.before
        assert seen.count(b"\\x1b[31mred") >= 3
        nothing_raw(seen)
        t.sendline("q")
        t.close()
        assert "\x1b" not in host.log_text() and "\x07" not in host.log_text() and "\u202e" not in host.log_text()
    finally:
        host.stop()
        docker.remove("odd")


# ---- ends

def test_the_idle_end_is_on_the_normal_screen(own_host, screens):
    host = own_host(idle_timeout=5)
    s = screens(host.ssh_argv("alice"))
    s.expect("q quit")
    s.status(40)
    assert not s.alternate
    assert re.search("idle", s.history())


def test_a_broker_that_dies_gives_the_terminal_back(own_host, screens):
    """In the list, in a page, and while a recording or shell is not there: the client's terminal is as it was."""
    host = own_host()
    host.may_crash = True
    for keys, sign in (("", "q quit"), ("?", "^ Keys$"), ("/x", "^Filter: x")):
        wait_for(lambda: not host.serving("jumpbox-broker"), 10, "the end of the one before")
        s = screens(host.ssh_argv("alice"))
        s.expect("q quit")
        s.type(keys).expect(sign)
        victim, = host.serving("jumpbox-broker")
        os.kill(victim, 9)
        s.status()
        assert not s.alternate

def test_kill_9_leaves_nothing(fleet, screens):
    fleet.may_crash = True
    roles = ("jumpbox-session", "jumpbox-broker")
    wait_for(lambda: not any(fleet.serving(r) for r in roles), 10, "the end of those before")
    s = screens(fleet.ssh_argv("alice"))
    s.expect("q quit")
    victim, = fleet.serving("jumpbox-session")
    os.kill(victim, 9)
    s.status()
    wait_for(lambda: not any(fleet.serving(r) for r in roles), 10, "the end of both")
    assert victim not in fleet.processes("jumpbox-session")


def test_several_menus_on_one_connection(fleet):
    """Each on a channel of its own, taking turns at the keyboard; none shows what another one's user typed."""
    t = fleet.transport("alice")
    try:
        channels = []
        for term in ("xterm", "vt100", "linux"):
            ch = t.open_session()
            ch.get_pty(term, 80, 24)
            ch.invoke_shell()
            ch.settimeout(20 * SLOW)
            channels.append(ch)

        def until(ch, text):
            got = b""
            while text not in got:
                chunk = ch.recv(65536)
                assert chunk, got
                got += chunk
            return got
        for ch in channels:
            until(ch, b"quit")
        for turn in range(3):
            for i, ch in enumerate(channels):
                ch.sendall(b"/who-%d-%d" % (i, turn))
                got = until(ch, b"matches")
                assert not re.search(rb"who-[^%d]" % i, got), got
                ch.sendall(b"\x1b")
                until(ch, b"30 containers")
        for ch in channels:
            ch.sendall(b"q")
            assert ch.recv_exit_status() == 0
    finally:
        t.close()


# ---- ten thousand

@pytest.fixture(scope="module")
def crowd(lab):
    """Ten thousand containers on a hundred nodes, which are gone as far as anybody can tell."""
    host = lab.host(max_startups_per_source=100, backoff_after=0)
    for name in ("alice", "alice-zh"):
        host.user(name)
        host.ctl("grant", "add", name, "*")
    host.ctl("user", "set", "alice-zh", "language", "zh")
    with contextlib.closing(sqlite3.connect(host.database, timeout=10)) as db:
        db.executemany("insert into nodes (id, name, url, insecure) values (?, ?, 'tcp://127.0.0.1:1', 1)",
                       [(100 + n, f"far{n:02}") for n in range(100)])
        db.executemany("insert into containers (node_id, container_id, name, image, state, status, labels, created)"
                       " values (?, ?, ?, 'registry.example.org/team/project/image:1', 'running', 'Up',"
                       " '{\"env\":\"prod\",\"team\":\"one\"}', ?)",
                       [(100 + i // 100, f"{i:064x}", f"job-{i:05}", int(time.time()) - 86400 * 3) for i in range(10000)])
        db.commit()
    yield host.start()
    host.stop()


def test_ten_thousand(crowd, screens):
    s = screens(crowd.ssh_argv("alice"))
    s.expect(" 10000 containers", 20)
    s.type("/9 99").expect(r"^Filter: 9 99$")
    s.expect(r"\d+ of 10000")
    s.keys("C-u").type("job-04999 TEAM=one").expect(r"^> *\d+ +job-04999 ")
    s.expect("1 of 10000")
    s.keys("Escape").expect(" 10000 containers")
    s.keys("G").expect(r"^>\d+ +job-09999 ")
    s.type("10000").expect("Number: 10000  job-09999 on far99")
    s.keys("Escape", "q")
    assert s.status() == 0


@pytest.mark.parametrize("language", ("", "-zh"), ids=("en", "zh"))
@pytest.mark.parametrize("cols, rows", ((80, 24), (132, 50), (40, 12)))
def test_kept_screens_of_ten_thousand(crowd, screens, language, cols, rows):
    wait_for(lambda: b"running" not in crowd.ssh("alice", "ls").stdout, 30, "all nodes to be missed")
    s = screens(crowd.ssh_argv("alice" + language), cols, rows)
    s.expect(r"10000")
    kept(f"crowd{language}-{cols}x{rows}", s, r"q (quit|退出)")


def test_ten_thousand_soon(crowd):
    """First paint and each key of a filter, by the client's clock."""
    t = crowd.transport("alice")
    try:
        ch = t.open_session()
        ch.get_pty("xterm", 80, 24)

        def first_byte():
            start = time.monotonic()
            yield
            ch.settimeout(20 * SLOW)
            assert ch.recv(65536)
            yield time.monotonic() - start
            ch.settimeout(0.05)  # the rest of that frame is no answer to the next key
            with contextlib.suppress(TimeoutError):
                while ch.recv(65536):
                    pass
            yield

        def taken(do):
            watch = first_byte()
            next(watch)
            do()
            seconds = next(watch)
            next(watch)
            return seconds
        painted = taken(ch.invoke_shell)
        s = b""
        ch.sendall(b"\x0c")
        ch.settimeout(20 * SLOW)
        while b"10000 containers" not in s:
            s += ch.recv(65536)
        taken(lambda: ch.sendall(b"/"))
        keys = [taken(lambda key=key: ch.sendall(bytes([key]))) for key in b"9 3 far\x7f\x7f\x7f\x7f\x7f\x7f1\x15j" * 4]
        assert painted < 0.2 * SLOW, painted
        assert sorted(keys)[-2] < 0.05 * SLOW, sorted(keys)[-5:]
    finally:
        t.close()




# ---- what can be done with a container

@pytest.fixture(scope="module")
def acting(lab, docker):
    """A jump host where alice may do everything and bob may look; a container for them that writes."""
    host = lab.site(docker, server_address="gw.example.org")
    host.user("bob")
    host.ctl("grant", "add", "bob", "writer", "--allow", "shell")
    host.ctl("grant", "add", "alice", "writer", "--allow", "shell,exec,logs,power")
    docker.container("writer", "busybox", "--label", "tier=gold", "--env", "SECRET=hidden", command=(
        "sh", "-c", "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; printf 'odd \\033[31mred\\n'; "
        "while [ ! -e /more ]; do sleep 0.1; done; echo grown; exec sleep 1000000"))
    host.start()
    wait_for(lambda: b"writer" in host.ssh("alice", "ls").stdout, 10, "the inventory")
    yield host
    host.stop()
    docker.remove("writer")


@pytest.fixture
def writer(acting, screens):
    def open_menu(user="alice", **kw):
        s = screens(acting.ssh_argv(user), **kw)
        s.expect("q quit")
        s.type("/writer").expect(r"^> *\d+ +writer ")
        s.keys("Tab").expect("q quit")
        return s
    return open_menu


def test_details_and_figures(writer):
    s = writer(cols=120, rows=50)
    s.type("i").expect("Details of writer")
    s.expect(r"^Image +busybox:latest$")
    s.expect(r"tier=gold")
    s.expect(r"SECRET")
    assert "hidden" not in s.show()
    s.expect(r"^writer +\d+\.\d\d%", 20)  # the engine takes a second for the first
    s.resize(80, 20).expect("Details of writer")
    s.keys("G").expect(r"\d+ to (\d+) of \1$")
    s.type("/tier\n").expect("tier=gold")
    s.keys("q").expect("q quit")


def test_logs(writer, docker):
    s = writer()
    s.type("l").expect("Logs of writer")
    s.expect(r"^odd \\x1b\[31mred$")
    s.expect("following$")
    docker.exec("writer", "touch", "/more")
    s.expect("^grown$")
    s.keys("k").expect(r"\d+ to \d+ of 302$")
    s.type("/LINE 123\n").expect("^line 123$")
    wait_for(lambda: s.text()[s.cursor[0]] == "line 123", 5, "the cursor to be there")
    s.type("n").expect("^line 123$")
    s.type("/nothing like it\n").expect("not found")
    s.keys("g").expect("^line 0$")
    s.keys("NPage").gone("^line 0$")
    s.keys("f").expect("^grown$")
    s.keys("Escape").expect("q quit")
    s.keys("q")
    assert s.status() == 0


def test_power_asks_first(writer, docker, acting):
    def state():
        return docker.cli("inspect", "--format", "{{.State.Status}}", "writer").stdout.decode().strip()
    s = writer()
    for no in ("Enter", "n", "Escape", "C-c"):
        s.type("T").expect(r"^Stop writer\? \[y/N\]")
        s.keys(no).expect("q quit")
    assert state() == "running" and not acting.audit("power.stop")
    s.type("Ty").expect("^Waiting for the engine|writer", 5)
    wait_for(lambda: state() == "exited", 30, "the container to stop")
    s.expect(r"^> *\d+ +writer +exited", 10)
    s.type("Sy")
    wait_for(lambda: state() == "running", 30, "the container to start")
    s.expect(r"^> *\d+ +writer +running", 10)
    s.type("Ry").expect("writer is restarted", 30)
    assert s.alternate


def test_what_is_not_allowed_is_not_offered(writer):
    s = writer("bob")
    assert "l logs" not in s.show() and "i details" in s.show()
    for key in "lSTR":
        s.type(key).expect("You may not do that with writer")
        s.keys("k").gone("You may not")
    s.keys("?").expect("^ Keys$")
    assert "restart" not in s.show() and "stop it" not in s.show()
    s.keys("q").expect("q quit")


def test_connection_lines(writer, acting):
    s = writer()
    s.type("c").expect(rf"^ssh -p {acting.port} alice\+writer@gw\.example\.org$")
    s.expect(rf"^scp -P {acting.port} FILE alice\+writer@gw\.example\.org:$")
    s.expect(rf"^code --remote ssh-remote\+alice~writer@gw\.example\.org:{acting.port} /$")


def test_another_user_and_shell(writer):
    s = writer()
    s.type("u").expect("^User there")
    s.type("nobody-such\n").expect("^Shell")
    s.keys("Enter")
    s.expect("q quit", 20)  # the grant says as whom
    s.type("u" + "x" * 80 + "\n").expect("^Shell")  # more than a name can have is not taken
    s.keys("Enter").expect("^you may not be x{60}", 20)
    s.type("u\n").expect("^Shell")
    s.type("no such; shell\n").expect("a shell is a plain name", 20)
    s.type("u\n").expect("^Shell")
    s.type("/bin/ash\n")
    shell_in(s, "writer")
    s.type("echo $0-$SHELL\n").expect(r"^-?(/bin/)?ash-/bin/ash$")
    s.type("exit\n").expect("q quit")


def test_a_page_ends_with_the_grant(lab, docker, screens):
    host = lab.site(docker)
    host.user("eve")
    host.ctl("grant", "add", "eve", "bb", "--allow", "shell,logs")
    host.start()
    try:
        wait_for(lambda: b"bb" in host.ssh("eve", "ls").stdout, 10, "the inventory")
        s = screens(host.ssh_argv("eve"))
        s.expect("q quit")
        s.type("l").expect("Logs of bb")
        for g in host.ctl_json("grant", "list", "--user", "eve"):
            host.ctl("grant", "del", str(g["id"]))
        s.expect("was withdrawn", 10)
        s.gone("Logs of bb")
    finally:
        host.stop()


def test_the_message_of_the_day(lab, docker, screens):
    motd = lab.dir / "motd"
    motd.write_text("Maintenance on Sunday.\nThe second line.\n")
    host = lab.site(docker, motd=motd)
    host.start()
    try:
        s = screens(host.ssh_argv("alice"))
        s.expect(r"^Maintenance on Sunday\. \(m shows all\)$")
        s.type("m").expect("^The second line\\.$")
        s.keys("q").expect("q quit")
        s.keys("Enter").expect("Connecting")
    finally:
        host.stop()
