/*
 * Which attaches have a recording, as the database knows it.
 */
#include "store_fixture.h"

struct seen {
	char text[512];
};

static int
see(const struct attach *a, void *arg)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "%lld:%s:%d ", (long long)a->id, a->recording,
	    a->opened > 0 && (a->closed == 0 || a->closed >= a->opened));
	return 0;
}

static const char *
recorded(struct fixture *f, int64_t session)
{
	static struct seen s;

	s.text[0] = '\0';
	assert_int_equal(attach_each_recorded(f->st, session, see, &s), 0);
	return s.text;
}

static int
see_newest(const struct recording_row *r, void *arg)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "%lld.%lld:%s:%s/%s:%d ", (long long)r->session,
	    (long long)r->n, r->user, r->node, r->container, r->closed >= r->opened);
	return 0;
}

static const char *
newest(struct fixture *f)
{
	static struct seen s;

	s.text[0] = '\0';
	assert_int_equal(recording_each(f->st, see_newest, &s), 0);
	return s.text;
}

static int
count(const struct session *s, void *arg)
{
	*(int64_t *)arg = s->recordings;
	return 0;
}

static int64_t
recordings_of(struct fixture *f, int64_t session)
{
	int64_t n = -1;

	assert_int_equal(session_get(f->st, session, count, &n), 0);
	return n;
}

static const struct actor alice = { "alice", "10.0.0.1", 7 };

static int64_t
attached(struct fixture *f, int64_t session, const char *recording)
{
	const struct attach a = { .session_id = session,
		.conn = 7,
		.request = 1,
		.marker = "7.1",
		.node_id = 3,
		.node = "one",
		.container_id = "0123456789abcdef",
		.container = "bb",
		.kind = "shell",
		.tty = true,
		.recording = recording };
	int64_t id = 0;

	assert_int_equal(attach_open(f->st, &alice, &a, &id), 0);
	return id;
}

static void
recordings_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct session s = fixture_session("alice");
	int64_t session = 0, other = 0, first, second;

	add_user(f, "alice");
	assert_int_equal(session_open(f->st, &s, 0, 0, &session), 0);
	assert_int_equal(session_open(f->st, &s, 0, 0, &other), 0);
	assert_string_equal(recorded(f, session), "");
	first = attached(f, session, "a.cast.gz");
	assert_non_null(strstr(last_audit(f), " recording=a.cast.gz"));
	attached(f, session, NULL);
	second = attached(f, session, "b.cast.gz");
	attached(f, other, "c.cast.gz");
	assert_int_equal(attach_close(f->st, &alice, first, 0, 0, 0, "exit"), 0);
	assert_string_equal(recorded(f, session), "1:a.cast.gz:1 3:b.cast.gz:1 ");
	assert_int_equal(recordings_of(f, session), 2);
	assert_string_equal(newest(f), "2.1:alice:one/bb:0 1.2:alice:one/bb:0 1.1:alice:one/bb:1 ");
	assert_int_equal(attach_unrecorded(f->st, second), 0);
	assert_string_equal(recorded(f, session), "1:a.cast.gz:1 ");
	assert_int_equal(attach_unrecorded(f->st, 99), JB_NOT_FOUND);
	assert_int_equal(recording_forget(f->st, &op, "a.cast.gz"), 0);
	assert_string_equal(
	    last_audit(f), "recording.del|operator:root(uid 0)|local|-|a.cast.gz|-");
	assert_int_equal(recordings_of(f, session), 0);
	assert_int_equal(recordings_of(f, other), 1);
	/* A file that no attach names: said all the same. */
	assert_int_equal(recording_forget(f->st, &op, "z.cast.gz"), 0);
	assert_non_null(strstr(last_audit(f), "z.cast.gz"));
}

/* It can be played for as long as it is kept. */
static void
retention_leaves_the_session_of_a_recording(void **state)
{
	struct fixture *f = *state;
	struct session s = fixture_session("alice");
	int64_t session = 0, other = 0, removed;

	add_user(f, "alice");
	assert_int_equal(session_open(f->st, &s, 0, 0, &session), 0);
	assert_int_equal(session_open(f->st, &s, 0, 0, &other), 0);
	attached(f, session, "a.cast.gz");
	attached(f, other, NULL);
	assert_int_equal(raw(f, "UPDATE sessions SET ended = 1000"), SQLITE_OK);
	assert_int_equal(store_maintain(f->st, 2000, &removed), 0);
	assert_int_equal(recordings_of(f, session), 1);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM sessions"), 1);
	assert_int_equal(recording_forget(f->st, &op, "a.cast.gz"), 0);
	assert_int_equal(store_maintain(f->st, 2000, &removed), 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM sessions"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    recordings_come_and_go, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
		    retention_leaves_the_session_of_a_recording, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
