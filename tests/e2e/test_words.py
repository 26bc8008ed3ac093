"""The catalogue of words: no hole in it gets through the compiler, and no sentence gets past it to a user."""

import pathlib
import re
import shutil

import pytest

from lab import run

TOP = pathlib.Path(__file__).resolve().parents[2]
LITERAL = r'"(?:\\.|[^"\\\n])*"'


# ---- a missing translation does not compile ------------------------------------------------


def compiles(directory, rows):
    """words.c with another list; the compiler's complaint, or ""."""
    shutil.copytree(TOP / "include", directory / "include")
    (directory / "include/jumpbox/words_list.h").write_text(rows)
    r = run("cc", "-std=c11", "-D_GNU_SOURCE", "-Werror", "-fsyntax-only", f"-I{directory}/include",
            TOP / "src/common/words.c", check=False)
    assert (r.returncode != 0) == bool(r.stderr)
    return r.stderr.decode()


@pytest.mark.parametrize("last, complaint", (
    ('WORD(W_TEST, "a word", "词")', None),
    ('WORD(W_TEST, "a word")', "WORD"),
    ('WORD(W_TEST, "a word", )', "W_TEST lacks a language"),
    ('WORD(W_TEST, "a word", "")', "W_TEST lacks a language"),
    ('WORD(W_TEST, "", "词")', "W_TEST lacks a language"),
    ('WORD(W_TEST, "a word", NULL)', "error"),
), ids=("whole", "cut short", "nothing", "empty", "no English", "null"))
def test_a_row_without_a_language_does_not_compile(tmp_path, last, complaint):
    rows = (TOP / "include/jumpbox/words_list.h").read_text()
    said = compiles(tmp_path, f"{rows}{last}\n")
    assert (said == "") if complaint is None else complaint in said, said


# ---- nothing else is said -------------------------------------------------------------------


def source(path):
    """Without comments."""
    return re.sub(rf"({LITERAL})|//[^\n]*|/\*.*?\*/", lambda m: m.group(1) or " ", path.read_text(), flags=re.S)


def calls(text, names):
    """(start, end) of each call of one of those functions, with its arguments."""
    for m in re.finditer(rf"\b(?:{names})\s*\(", text):
        depth, at = 1, m.end()
        while depth:
            c = re.compile(rf"{LITERAL}|'(?:\\.|[^'])+'|[()]").search(text, at)
            depth += {"(": 1, ")": -1}.get(c.group(), 0)
            at = c.end()
        yield m.start(), at


def without(text, names):
    for start, end in reversed(list(calls(text, names))):
        text = text[:start] + " " * (end - start) + text[end:]
    return text


# What operators alone read, or whoever compiles: the log, the audit, and a role that cannot start.
OPERATORS = r"fatal|log_\w+|F_STR|err_set|relay_detach|tell_broker|_Static_assert"
# No sentences, though they have two words: algorithms, the name of a memory file, a command line. And one in a file that operators keep.
NO_SENTENCES = re.compile(r"@libssh\.org|^host keys$|the recording ends here|^code --remote ")
SENTENCE = re.compile(r"[A-Za-z]{2,}[ ,:;]+[A-Za-z(\u4e00-\u9fff]|[\u4e00-\u9fff]")
WORD = re.compile(r"[A-Za-z]{2,}|[\u4e00-\u9fff]")


def literals(text):
    return [m.group()[1:-1] for m in re.finditer(LITERAL, text)]


def said_by_the_session(text):
    """Sentences that are no row of the catalogue, and words that are handed to the client as they stand."""
    text = without(text, OPERATORS)
    found = [s for s in literals(text) if SENTENCE.search(s) and not NO_SENTENCES.search(s)]
    for start, end in calls(text, r"chan_say|chan_reason|chan_expel|chan_say_bytes|ssh_session_set_disconnect_message|"
                                  r"ssh_message_auth_interactive_request"):
        found += [s for s in literals(text[start:end]) if WORD.search(s)]
    return found


def said_by_the_broker(text):
    """Texts in messages that are not the catalogue's: literals, and what an error says to operators."""
    found = []
    for start, end in calls(text, "msg_put_str"):
        call = text[start:end]
        found += [s for s in literals(call) if WORD.search(s)]
        found += re.findall(r"\w+(?:\.|->)s\b", call) + re.findall(r"store_error", call)
    return found


# EVT_END carries the operators' sentence, too; children pass both.
BOTH = {"broker.c": ["why->s"], "child.c": ["why->s"]}


def test_the_session_says_nothing_of_its_own():
    files = sorted((TOP / "src/session").glob("*.c"))
    found = {f.name: said for f in files if (said := said_by_the_session(source(f)))}
    assert files and not found, found


def test_the_broker_says_nothing_of_its_own():
    files = sorted((TOP / "src/broker").glob("*.c"))
    found = {f.name: said for f in files if (said := said_by_the_broker(source(f)))}
    assert found == BOTH


def test_what_is_said_is_made_of_the_catalogue():
    """struct errtext's `say`: written by err_words() and err_set(), or as it came from where they did."""
    write = re.compile(r"(?:\.|->)say\s*(?:=[^=]|\[)|(?:snprintf|str_copy|strcpy|memcpy|text_safe)\s*\(\s*[\w>.-]+(?:\.|->)say\b")
    found = [f.name for d in ("common", "access", "store", "docker", "broker", "session")
             for f in sorted((TOP / "src" / d).glob("*.c")) if write.search(source(f))]
    assert not found


def test_these_tests_see_what_they_look_for():
    session = 'void f(void)\n{\n\t/* chan_say(ch, "a comment"); */\n\t%s\n}\n'
    for line, said in (('chan_say(ch, "Hello there\\n");', True), ('chan_say(ch, "\\n");', False),
                       ('chan_reason(ch, "gone");', True), ('fatal(1, "not (for) users, %s", x("a b"));', False),
                       ('s = ok ? "all is well" : "";', True), ('chan_words(ch, W_HELP, NULL, NULL, NULL);', False),
                       ('chan_say(ch, "好");', True), ('find("ls --json");', False)):
        text = re.sub(r"/\*.*?\*/", " ", session % line, flags=re.S)
        assert bool(said_by_the_session(text)) == said, line
    for line, said in (('msg_put_str(&m, "no");', True), ('msg_put_str(&m, ok ? e.s : "");', True),
                       ('msg_put_str(&m, e.say);', False), ('msg_put_str(&m, row->name);', False),
                       ('msg_put_str(&m, store_error(b->st));', True)):
        assert bool(said_by_the_broker(session % line)) == said, line
