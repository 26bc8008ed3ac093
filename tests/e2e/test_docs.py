"""The documents say what the program does: keywords, commands, messages, events and files."""

import json
import os
import pathlib
import re

from lab import PREFIX, run

TOP = pathlib.Path(__file__).resolve().parents[2]
DOCS = TOP / "docs"


def text(name):
    return (DOCS / name).read_text()


def plain(page):
    return run("mandoc", "-T", "ascii", "-O", "width=200", DOCS / page).stdout.decode().replace("\b", "")


def sources():
    return sorted(str(p.relative_to(TOP)) for d in ("src", "include") for p in (TOP / d).rglob("*.[ch]"))


def test_every_source_file_is_in_the_map_and_nothing_else():
    mentioned = set(re.findall(r"\b((?:src|include)/[\w/.-]+\.[ch])\b", text("ARCHITECTURE.md")))
    assert mentioned == set(sources())


def test_every_message_is_in_the_table():
    header = (TOP / "include/jumpbox/proto.h").read_text()
    names = set(re.findall(r"^\t((?:REQ|REP|EVT)_\w+)", header, re.M))
    architecture = text("ARCHITECTURE.md")
    assert not [n for n in names if n not in architecture]


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


def test_every_event_is_in_a_manual():
    events = set()
    for name in sources():
        for call in re.finditer(r"\b(?:log_(?:error|warn|info|debug|event|write)|audit_add|audit_\w+)\s*\(([^;]*?);",
                                (TOP / name).read_text(), re.S):
            events |= set(re.findall(r'"([a-z]+\.[a-z_]+)"', call.group(1)))
    manuals = (text("jumpboxctl.8") + text("jumpboxd.8")).replace("\\-", "-")
    assert len(events) > 20
    assert not [e for e in sorted(events) if e not in manuals]


def test_the_project_speaks_of_itself_only():
    tracked = run("git", "-C", TOP, "ls-files").stdout.decode().split()
    banned = re.compile(r"/work/|/home/\w+/|deb\.debian\.org|registry\.npmjs|\bissue #?\d|\bsession of work\b", re.I)
    found = []
    for name in tracked:
        path = TOP / name
        if path.is_file() and path.suffix not in (".png",) and name != "tests/e2e/test_docs.py":
            with open(path, "rb") as f:
                if banned.search(f.read().decode(errors="replace")):
                    found.append(name)
    assert not found
