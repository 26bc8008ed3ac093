/*
 * Counters: each event counts once, in its own transaction; nothing takes them
 * back, and nothing that is reported makes them overflow.
 */
#include "store_fixture.h"

static int
take(const struct counter *c, void *arg)
{
	char row[160];

	snprintf(row, sizeof(row), "%s %s %s %lld", c->node[0] != '\0' ? c->node : "-", c->what,
	    c->result[0] != '\0' ? c->result : "-", (long long)c->value);
	return copied(arg, row);
}

/* Those that are not 0, as lines; static storage. */
static const char *
counted(struct fixture *f, const char *name)
{
	static struct copy c;
	static char text[sizeof(c.text)];
	char *line, *save = NULL;

	memset(&c, 0, sizeof(c));
	text[0] = '\0';
	assert_int_equal(counter_each(f->st, name, take, &c), 0);
	for (line = strtok_r(c.text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		if (strcmp(line + strlen(line) - 2, " 0") != 0)
			strcat(strcat(text, line), "\n");
	return text;
}

static int64_t
open_session(struct fixture *f, const char *method)
{
	const struct session s = { .conn = 5,
		.user = "alice",
		.source = "192.0.2.1",
		.method = method,
		.host = host_name(),
		.boot_id = boot_id(),
		.pid = getpid(),
		.pid_start = proc_start_time(getpid()) };
	int64_t id;

	assert_int_equal(session_open(f->st, &s, 0, 0, &id), 0);
	return id;
}

static int64_t
open_attach(struct fixture *f, int64_t session, const char *node, const char *kind)
{
	const struct attach a = { .session_id = session,
		.conn = 5,
		.request = 1,
		.marker = "5.1",
		.node_id = 1,
		.node = node,
		.container_id = "abc",
		.container = "web",
		.kind = kind };
	int64_t id;

	assert_int_equal(attach_open(f->st, &op, &a, &id), 0);
	return id;
}

static void
close_attach(struct fixture *f, int64_t id, int64_t in, int64_t out)
{
	assert_int_equal(attach_close(f->st, &op, id, in, out, 0, "exit"), 0);
}

static void
logins_by_method_and_result(void **state)
{
	struct fixture *f = *state;
	const struct actor by = { "alice", "192.0.2.1", 5 };

	add_user(f, "alice");
	open_session(f, "publickey");
	open_session(f, "password");
	open_session(f, "password");
	assert_int_equal(audit_add(f->st, &by, "login.fail", "alice", NULL,
			     "method=password reason=wrong method=publickey"),
	    0);
	assert_int_equal(audit_add(f->st, &by, "login.fail", NULL, NULL, "method=publickey"), 0);
	/* What is no login is not counted as one. */
	assert_int_equal(
	    audit_add(f->st, &by, "login.other", NULL, NULL, "method=password reason=x"), 0);
	assert_string_equal(counted(f, "logins"),
	    "- password failed 1\n- password ok 2\n- publickey failed 1\n- publickey ok 1\n");
}

static void
what_was_refused_is_not_counted(void **state)
{
	struct fixture *f = *state;
	struct session s = {
		.user = "nobody", .source = "x", .method = "password", .host = "h", .boot_id = "b"
	};
	int64_t id;

	assert_int_equal(session_open(f->st, &s, 0, 0, &id), JB_NOT_FOUND);
	assert_string_equal(counted(f, "logins"), "");
}

static void
lockouts_of_users_and_of_sources(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(backoff_fail(f->st, BACKOFF_USER, "alice", "192.0.2.1", 2), 0);
	assert_string_equal(counted(f, "lockouts"), "");
	assert_int_equal(backoff_fail(f->st, BACKOFF_USER, "alice", "192.0.2.1", 2), 0);
	assert_int_equal(backoff_fail(f->st, BACKOFF_USER, NULL, "192.0.2.1", 2), 0);
	assert_string_equal(counted(f, "lockouts"), "- source - 2\n- user - 1\n");
	assert_int_equal(backoff_clear(f->st, BACKOFF_USER, "alice"), 0);
	assert_string_equal(counted(f, "lockouts"), "- source - 2\n- user - 1\n");
}

static void
attaches_and_their_bytes_by_node(void **state)
{
	struct fixture *f = *state;
	int64_t s, a, b;

	add_user(f, "alice");
	add_node(f, "one");
	add_node(f, "two");
	s = open_session(f, "password");
	a = open_attach(f, s, "one", "shell");
	b = open_attach(f, s, "one", "exec");
	close_attach(f, open_attach(f, s, "two", "shell"), 1, 2);
	assert_int_equal(attach_leave(f->st, a, 10, 20, "lost"), 0);
	close_attach(f, a, 5, 5);
	close_attach(f, b, 0, 7);
	assert_string_equal(counted(f, "attaches"), "one exec - 1\none shell - 1\ntwo shell - 1\n");
	assert_string_equal(
	    counted(f, "bytes"), "one in - 15\none out - 32\ntwo in - 1\ntwo out - 2\n");
	assert_int_equal(counter_attach_failed(f->st, "one", "denied"), 0);
	assert_int_equal(counter_attach_failed(f->st, "one", "denied"), 0);
	assert_int_equal(counter_attach_failed(f->st, "", "not_found"), 0);
	assert_string_equal(counted(f, "attach_failures"), "- not_found - 1\none denied - 2\n");
}

static void
lies_about_bytes_do_not_overflow(void **state)
{
	struct fixture *f = *state;
	int64_t s;

	add_user(f, "alice");
	add_node(f, "one");
	assert_int_equal(raw(f,
			     "INSERT INTO counters VALUES"
			     " ('bytes', 'one', 'in', '', 9223372036854775807)"),
	    SQLITE_OK);
	for (int i = 0; i < 3; i++) {
		s = open_session(f, "password");
		close_attach(f, open_attach(f, s, "one", "exec"), INT64_MAX, INT64_MAX);
	}
	assert_string_equal(
	    counted(f, "bytes"), "one in - 9001125899906842624\none out - 3377699720527872\n");
}

static int
take_latency(const struct latency *l, void *arg)
{
	char row[96];

	if (l->n == 0)
		return 0;
	snprintf(row, sizeof(row), "%lld %lld %lld", (long long)l->le_ms, (long long)l->n,
	    (long long)l->sum_ms);
	return copied(arg, row);
}

static void
each_latency_is_in_its_bucket_once(void **state)
{
	static const int64_t ms[] = { 0, 25, 26, 30000, 30001, -1 };
	struct fixture *f = *state;
	struct copy c = { .rows = 0 };
	int64_t s, a;

	add_user(f, "alice");
	s = open_session(f, "password");
	for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++) {
		a = open_attach(f, s, "one", "shell");
		assert_int_equal(attach_set_opened(f->st, a, ms[i]), 0);
		assert_int_equal(attach_set_opened(f->st, a, 70), 0); /* it was counted */
	}
	assert_int_equal(latency_each(f->st, take_latency, &c), 0);
	assert_string_equal(
	    c.text, "25 2 25\n50 1 26\n30000 1 30000\n9223372036854775807 1 30001\n");
}

static void
retention_takes_nothing_back(void **state)
{
	struct fixture *f = *state;
	const struct actor by = { "alice", "192.0.2.1", 5 };
	int64_t s, n = 1;

	add_user(f, "alice");
	add_node(f, "one");
	s = open_session(f, "password");
	close_attach(f, open_attach(f, s, "one", "shell"), 3, 4);
	assert_int_equal(
	    audit_add(f->st, &by, "login.fail", "alice", NULL, "method=password x"), 0);
	assert_int_equal(session_close(f->st, s, "logout"), 0);
	assert_int_equal(raw(f, "UPDATE sessions SET ended = 1"), SQLITE_OK);
	assert_int_equal(store_maintain(f->st, now_unix() + 10, &n), 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM attaches"), 0);
	assert_string_equal(counted(f, "logins"), "- password failed 1\n- password ok 1\n");
	assert_string_equal(counted(f, "attaches"), "one shell - 1\n");
	assert_string_equal(counted(f, "bytes"), "one in - 3\none out - 4\n");
}

static void
a_node_takes_its_counters_along(void **state)
{
	struct fixture *f = *state;
	int64_t s, late;

	add_user(f, "alice");
	add_node(f, "one");
	add_node(f, "two");
	s = open_session(f, "password");
	open_attach(f, s, "two", "shell");
	late = open_attach(f, s, "one", "shell");
	assert_int_equal(node_del(f->st, &op, "one"), 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM counters WHERE node = 'one'"), 0);
	close_attach(f, late, 5, 5);
	assert_string_equal(counted(f, "attaches"), "two shell - 1\n");
	assert_string_equal(counted(f, "bytes"), "");
}

static int
take_state(const char *name, const char *state, bool enabled, int64_t seen, void *arg)
{
	char row[96];

	snprintf(row, sizeof(row), "%s %s %d %d", name, state, enabled, seen != 0);
	return copied(arg, row);
}

static void
what_is_so_now(void **state)
{
	struct fixture *f = *state;
	struct copy c = { .rows = 0 };
	int64_t n = -1, s;

	add_user(f, "alice");
	add_node(f, "one");
	add_node(f, "two");
	assert_int_equal(node_set_failed(f->st, 1, "no answer"), 0);
	assert_int_equal(node_enable(f->st, &op, "two", false), 0);
	assert_int_equal(node_each_state(f->st, take_state, &c), 0);
	assert_string_equal(c.text, "one failed 1 0\ntwo unknown 0 0\n");
	assert_int_equal(session_count(f->st, &n), 0);
	assert_int_equal(n, 0);
	s = open_session(f, "password");
	open_session(f, "publickey");
	assert_int_equal(raw(f,
			     "INSERT INTO sessions (conn, user_name, source, method, host,"
			     " boot_id, pid, pid_start, started)"
			     " VALUES (1, 'x', 'x', 'password', 'elsewhere', 'x', 1, 1, 1)"),
	    SQLITE_OK);
	assert_int_equal(session_close(f->st, s, "logout"), 0);
	assert_int_equal(session_count(f->st, &n), 0);
	assert_int_equal(n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(logins_by_method_and_result),
		FIXTURE_TEST(what_was_refused_is_not_counted),
		FIXTURE_TEST(lockouts_of_users_and_of_sources),
		FIXTURE_TEST(attaches_and_their_bytes_by_node),
		FIXTURE_TEST(lies_about_bytes_do_not_overflow),
		FIXTURE_TEST(each_latency_is_in_its_bucket_once),
		FIXTURE_TEST(retention_takes_nothing_back),
		FIXTURE_TEST(a_node_takes_its_counters_along),
		FIXTURE_TEST(what_is_so_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
