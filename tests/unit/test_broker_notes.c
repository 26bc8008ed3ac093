/*
 * What a helper says of files, while another process has the database: who
 * waits for it, and what is said of the lines that were lost.
 */
#include "../../src/broker/attached.h"

#include "store_fixture.h"

#include "jumpbox/log.h"

#include <sys/mman.h>

enum { ID = 1, LONG_AGO_MS = 3600 * 1000 };

static struct fixture *f;
static struct config cfg;
static struct broker b;
static struct attached *helper;
static sqlite3 *other;

/* As the broker has it, but nobody is waited for for long. */
static void
open_store(void)
{
	struct errtext e;

	assert_int_equal(store_open_busy(f->path, STORE_OPEN, 1, &b.st, &e), 0);
	store_turn(b.st);
}

static int64_t
open_row(void)
{
	const struct session s = fixture_session("alice");
	struct attach a = { .conn = 7,
		.request = ID,
		.marker = "7.1",
		.node = "n1",
		.container_id = "0123",
		.container = "web",
		.kind = "helper" };
	int64_t id;

	add_user(f, "alice");
	assert_int_equal(session_open(f->st, &s, 0, 0, &a.session_id), 0);
	assert_int_equal(attach_open(f->st, &op, &a, &id), 0);
	return id;
}

static int
setup(void **state)
{
	struct errtext e;

	log_init("test", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	if (fixture_setup(state) != 0 || config_load("/dev/null", &cfg, &e) != 0)
		return -1;
	f = *state;
	memset(&b, 0, sizeof(b));
	b.cfg = &cfg;
	b.pair = b.status = b.clock = -1;
	b.attached_tail = &b.attached;
	b.last_attach = ID;
	str_copy(b.user, sizeof(b.user), "alice");
	helper = attached_new(&b, ID);
	helper->kind = ATTACH_HELPER;
	helper->phase = AT_OPEN;
	helper->row = open_row();
	open_store();
	return 0;
}

static int
teardown(void **state)
{
	while (b.attached != NULL)
		attached_forget(&b, b.attached);
	broker_store_close(&b);
	config_release(&cfg);
	return fixture_teardown(state);
}

static void
lock(void)
{
	other = raw_open(f);
	assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
}

static void
unlock(void)
{
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
}

/* One, in a turn of its own.  True: the database was waited for in vain. */
static bool
note_waits(void)
{
	struct msg m;

	msg_init(&m, REQ_NOTE, 2);
	msg_put_u32(&m, ID);
	msg_put_str(&m, "remove path=\"/x\"");
	broker_store_turn(&b);
	assert_null(do_note(&b, &m));
	msg_release(&m);
	return b.st->tired;
}

/* How many rows say so; LIKE. */
static long
rows(const char *detail)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM audit WHERE event = 'file.note' AND target = 'n1/web'"
	    " AND detail LIKE 'attach=1 %s'",
	    detail);
	return raw_int(f, sql);
}

/* ---- who waits -------------------------------------------------------------------- */

static void
test_a_lock_is_waited_for_once_in_a_while(void **state)
{
	(void)state;
	lock();
	assert_true(note_waits());
	assert_false(note_waits());
	b.notes_late -= LONG_AGO_MS;
	assert_true(note_waits());
	assert_false(note_waits());
	unlock();
	assert_int_equal(helper->unnoted, 4);
}

static void
test_it_is_waited_for_once_one_was_taken(void **state)
{
	(void)state;
	lock();
	assert_true(note_waits());
	unlock();
	assert_false(note_waits());
	assert_int_equal(helper->unnoted, 0);
	assert_int_equal(rows("lost: 1 lines that could not be recorded"), 1);
	assert_int_equal(rows("said: remove path=\"/x\""), 1);
	lock();
	assert_true(note_waits());
	unlock();
}

/* ---- what is said of those that were lost -------------------------------------------- */

/* Its stream ends, in a turn of its own: what is logged meanwhile. */
static const char *
end(void)
{
	static char log[1024];
	int file = memfd_create("log", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
	ssize_t n;

	dup2(file, STDERR_FILENO);
	broker_store_turn(&b);
	attached_forget(&b, helper);
	dup2(saved, STDERR_FILENO);
	n = pread(file, log, sizeof(log) - 1, 0);
	log[n > 0 ? n : 0] = '\0';
	close(saved);
	close(file);
	return log;
}

static void
end_again(void)
{
	broker_store_turn(&b);
	closing_again(&b);
}

static long
closed(void)
{
	return raw_int(f, "SELECT count(*) FROM audit WHERE event = 'attach.close'");
}

static void
test_what_was_lost_is_said_at_the_end(void **state)
{
	(void)state;
	lock();
	for (int i = 0; i < 3; i++)
		note_waits();
	assert_non_null(strstr(end(), " attach.notes_lost attach=1 lines=3\n"));
	end_again();
	unlock();
	assert_int_equal(closed(), 0);
	end_again();
	assert_int_equal(rows("lost: 3 lines that could not be recorded"), 1);
	assert_int_equal(closed(), 1);
	assert_null(b.unclosed);
}

static void
test_where_nothing_was_lost_nothing_is_said(void **state)
{
	(void)state;
	assert_false(note_waits());
	assert_string_equal(end(), "");
	assert_int_equal(rows("lost: %"), 0);
	assert_int_equal(closed(), 1);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_a_lock_is_waited_for_once_in_a_while),
		TEST(test_it_is_waited_for_once_one_was_taken),
		TEST(test_what_was_lost_is_said_at_the_end),
		TEST(test_where_nothing_was_lost_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
