/*
 * Which recordings are synced: those that were written to, also when they have
 * just ended; nobody is started for nothing.
 */
#include "store_fixture.h"

#include "../../src/watcher/sync_recordings.h"

#include "jumpbox/recordings.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { LONG_AGO = 1000000000 };

/* ---- the disk: says what is synced, and waits as long as it is told ---- */

static int said[2], slow[2];
static pid_t tester;

/* False: it is a file of SQLite's. */
static bool
say(int fd)
{
	char path[64], name[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = '\0';
	if (strstr(name, "/recordings") == NULL)
		return false;
	dprintf(said[1], "%s ", strrchr(name, '/') + 1);
	return true;
}

int
fdatasync(int fd)
{
	char byte;

	/* Until the end of the file, or a byte; not beyond the end of the test. */
	if (slow[1] >= 0 && getpid() != tester)
		close(slow[1]);
	return say(fd) && read(slow[0], &byte, 1) < 0 ? -1 : 0;
}

int
fsync(int fd)
{
	say(fd);
	return 0;
}

/* ---- around it ---------------------------------------------------------- */

struct scene {
	struct fixture *f;
	struct config c;
	struct sync_recordings s;
	int dir;
	int64_t attach;
};

static void
age(struct scene *s, const char *name)
{
	static const struct timespec when[2] = { { LONG_AGO, 0 }, { LONG_AGO, 0 } };

	assert_int_equal(utimensat(s->dir, name, when, 0), 0);
}

static void
make(struct scene *s, const char *name)
{
	int fd = recording_create(s->dir, name);

	assert_true(fd >= 0);
	close(fd);
}

static const char old[] = "20010101T000000Z-1-1.cast.gz", live[] = "20010101T000000Z-1-2.cast.gz";
static const struct actor alice = { "alice", "10.0.0.1", 7 };

static int
setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));
	struct session session = fixture_session("alice");
	struct attach a = { .conn = 7,
		.request = 1,
		.marker = "7.1",
		.node = "one",
		.container_id = "0123456789abcdef",
		.container = "bb",
		.kind = "shell",
		.tty = true,
		.recording = live };

	if (fixture_setup((void **)&s->f) != 0 || pipe(said) < 0 || pipe(slow) < 0)
		return -1;
	close(slow[1]);
	slow[1] = -1;
	tester = getpid();
	fcntl(said[0], F_SETFL, O_NONBLOCK);
	s->c.database = s->f->path;
	s->dir = recordings_open_dir(s->f->path, true);
	make(s, old);
	make(s, live);
	age(s, old);
	age(s, live);
	age(s, ".");
	add_user(s->f, "alice");
	assert_int_equal(session_open(s->f->st, &session, 0, 0, &a.session_id), 0);
	assert_int_equal(attach_open(s->f->st, &alice, &a, &s->attach), 0);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	unlinkat(s->dir, old, 0);
	unlinkat(s->dir, live, 0);
	unlinkat(s->dir, "20010101T000000Z-1-3.cast.gz", 0);
	unlinkat(s->dir, "../recordings", AT_REMOVEDIR);
	close(s->dir);
	close(said[0]);
	close(said[1]);
	close(slow[0]);
	*state = s->f;
	free(s);
	return fixture_teardown(state);
}

static void
turn(struct scene *s)
{
	s->s.due = 0;
	assert_int_equal(sync_recordings(&s->s, &s->c, s->f->st), 0);
}

/* What a round has synced, the directory last. */
static const char *
round_of(struct scene *s)
{
	static char text[256];
	ssize_t n;

	turn(s);
	if (s->s.child != 0)
		assert_int_equal(waitpid(s->s.child, NULL, 0), s->s.child);
	n = read(said[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
what_was_written_to_while_it_is_made_and_once_after(void **state)
{
	struct scene *s = *state;

	assert_string_equal(round_of(s), "recordings ");
	assert_int_equal(utimensat(s->dir, live, NULL, 0), 0);
	assert_string_equal(round_of(s), "20010101T000000Z-1-2.cast.gz recordings ");
	age(s, live);
	assert_string_equal(round_of(s), "recordings ");
	assert_int_equal(attach_close(s->f->st, &alice, s->attach, 0, 0, 0, "exit"), 0);
	assert_int_equal(utimensat(s->dir, live, NULL, 0), 0);
	assert_string_equal(round_of(s), "20010101T000000Z-1-2.cast.gz recordings ");
	assert_string_equal(round_of(s), "");
}

static void
one_that_came_and_went_between(void **state)
{
	struct scene *s = *state;

	assert_int_equal(attach_close(s->f->st, &alice, s->attach, 0, 0, 0, "exit"), 0);
	assert_string_equal(round_of(s), "");
	make(s, "20010101T000000Z-1-3.cast.gz");
	assert_string_equal(round_of(s), "20010101T000000Z-1-3.cast.gz recordings ");
}

static void
a_slow_disk_has_one_at_it(void **state)
{
	struct scene *s = *state;
	struct pollfd p = { said[0], POLLIN, 0 };
	pid_t first;

	assert_int_equal(pipe(slow), 0);
	assert_int_equal(utimensat(s->dir, live, NULL, 0), 0);
	turn(s);
	first = s->s.child;
	assert_true(first > 0);
	assert_int_equal(poll(&p, 1, 10000), 1);
	turn(s);
	assert_int_equal(s->s.child, first);
	assert_int_equal(write(slow[1], "x", 1), 1);
	assert_int_equal(waitid(P_PID, (id_t)first, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	close(slow[1]);
	turn(s);
	assert_int_not_equal(s->s.child, first);
	assert_int_equal(waitpid(s->s.child, NULL, 0), s->s.child);
}

static void
not_before_it_is_due(void **state)
{
	struct scene *s = *state;

	assert_string_equal(round_of(s), "recordings ");
	s->s.child = 0;
	assert_int_equal(sync_recordings(&s->s, &s->c, s->f->st), 0);
	assert_int_equal(s->s.child, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    what_was_written_to_while_it_is_made_and_once_after, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_came_and_went_between, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_disk_has_one_at_it, setup, teardown),
		cmocka_unit_test_setup_teardown(not_before_it_is_due, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
