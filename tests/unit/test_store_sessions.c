/*
 * Sessions and attaches: limits counted from live rows, rows of processes
 * that are gone, bytes, kills, and the audit rows of each.
 */
#include "store_fixture.h"

#include <sys/wait.h>

struct seen {
	char text[1024];
	int rows;
};

static int
see(const struct session *s, void *arg)
{
	struct seen *o = arg;
	size_t used = strlen(o->text);

	snprintf(o->text + used, sizeof(o->text) - used, "%lld %s %s %s %s %lld/%lld %s %s %s\n",
	    (long long)s->id, s->user, s->source, s->method,
	    strcmp(s->host, host_name()) == 0 ? "here" : s->host, (long long)s->bytes_in,
	    (long long)s->bytes_out, s->how != NULL ? s->how : "-",
	    s->container != NULL ? s->container : "-",
	    s->kill_reason != NULL ? s->kill_reason : "-");
	o->rows++;
	return 0;
}

static int
see_attach(const struct attach *a, void *arg)
{
	struct seen *o = arg;
	size_t used = strlen(o->text);

	snprintf(o->text + used, sizeof(o->text) - used,
	    "%lld %lld %llu %u %s %lld %s %s %s %s %s %s %s %d\n", (long long)a->id,
	    (long long)a->session_id, (unsigned long long)a->conn, a->request, a->marker,
	    (long long)a->node_id, a->node, a->container_id, a->container,
	    a->run_as != NULL ? a->run_as : "-", a->exec_id != NULL ? a->exec_id : "-", a->kind,
	    a->command != NULL ? a->command : "-", a->tty);
	o->rows++;
	return 0;
}

/* A session of this very process. */
static struct session
of(const char *user)
{
	return (struct session){
		.conn = 0xfedcba9876543210u,
		.user = user,
		.source = "10.0.0.1",
		.method = "publickey",
		.host = host_name(),
		.boot_id = boot_id(),
		.pid = getpid(),
		.pid_start = proc_start_time(getpid()),
	};
}

static int64_t
opened(struct fixture *f, const struct session *s)
{
	int64_t id = 0;

	assert_int_equal(session_open(f->st, s, 0, 0, &id), 0);
	assert_true(id > 0);
	return id;
}

static const struct actor alice = { "alice", "10.0.0.1", 7 };

static int64_t
attached(struct fixture *f, int64_t session, uint32_t request, const char *container)
{
	const struct attach a = { .session_id = session,
		.conn = 7,
		.request = request,
		.marker = "7.1",
		.node_id = 3,
		.node = "gpu1",
		.container_id = "0123456789abcdef",
		.container = container,
		.run_as = "dev",
		.kind = "exec",
		.command = "ls -la; id" };
	int64_t id = 0;

	assert_int_equal(attach_open(f->st, &alice, &a, &id), 0);
	return id;
}

/* ---- a life ---------------------------------------------------------------- */

static void
a_session_and_its_attaches(void **state)
{
	struct fixture *f = *state;
	struct session s;
	struct seen live = { 0 }, open = { 0 }, after = { 0 };
	int64_t id, first, second;

	add_user(f, "alice");
	s = of("alice");
	s.key = "SHA256:abc";
	id = opened(f, &s);
	assert_string_equal(last_audit(f), "login.ok|alice|10.0.0.1|alice|1|publickey SHA256:abc");
	assert_string_equal(
	    raw_text(f, "SELECT printf('%x', conn) FROM audit WHERE event = 'login.ok'"),
	    "fedcba9876543210");
	assert_true(raw_int(f, "SELECT last_login FROM users") > 0);
	first = attached(f, id, 1, "web");
	assert_string_equal(last_audit(f),
	    "attach.open|alice|10.0.0.1|alice|gpu1/web|attach=1 session=1 "
	    "container=0123456789ab kind=exec tty=no as=dev recording=- command=ls -la; id");
	second = attached(f, id, 2, "db");
	assert_int_equal(attach_set_exec(f->st, second, "exec-2"), 0);
	assert_int_equal(session_each(f->st, false, see, &live), 0);
	assert_string_equal(live.text, "1 alice 10.0.0.1 publickey here 0/0 - gpu1/db -\n");
	assert_int_equal(attach_each_open(f->st, id, see_attach, &open), 0);
	assert_int_equal(attach_each_open(f->st, 0, see_attach, &open), 0);
	assert_int_equal(open.rows, 4);
	assert_non_null(strstr(
	    open.text, "2 1 7 2 7.1 3 gpu1 0123456789abcdef db dev exec-2 exec ls -la; id 0\n"));

	assert_int_equal(attach_note(f->st, &alice, second, "said", "remove path=\"/x\""), 0);
	assert_string_equal(last_audit(f),
	    "file.note|alice|10.0.0.1|alice|gpu1/db|attach=2 said: remove path=\"/x\"");
	assert_int_equal(attach_note(f->st, &alice, 99, "said", "x"), JB_NOT_FOUND);

	assert_int_equal(attach_close(f->st, &alice, second, 10, 2000, 3, "exit"), 0);
	assert_string_equal(last_audit(f),
	    "attach.close|alice|10.0.0.1|alice|gpu1/db|attach=2 in=10 out=2000 status=3 how=exit");
	assert_int_equal(attach_close(f->st, &alice, second, 10, 2000, 3, "exit"), JB_NOT_FOUND);
	assert_int_equal(attach_set_exec(f->st, second, "late"), JB_NOT_FOUND);
	assert_int_equal(attach_leave(f->st, second, 1, 1, "late"), JB_NOT_FOUND);
	/* What is left open with all that is known of it is closed by whom knows nothing. */
	assert_int_equal(attach_leave(f->st, first, 1, 1, "killed"), 0);
	assert_int_equal(raw_int(f, "SELECT bytes_out FROM sessions"), 2001);
	assert_int_equal(attach_close(f->st, &alice, first, 0, 0, -1, "lost"), 0);
	assert_non_null(strstr(last_audit(f), "in=1 out=1 status=unknown how=killed"));
	assert_int_equal(session_close(f->st, id, "logout"), 0);
	assert_string_equal(
	    last_audit(f), "session.close|alice|10.0.0.1|alice|1|how=logout in=11 out=2001");
	assert_int_equal(session_close(f->st, id, "logout"), JB_NOT_FOUND);
	assert_int_equal(session_each(f->st, false, see, &after), 0);
	assert_int_equal(after.rows, 0);
	assert_int_equal(session_each(f->st, true, see, &after), 0);
	assert_string_equal(
	    after.text, "1 alice 10.0.0.1 publickey here 11/2001 logout gpu1/db -\n");
}

static void
no_live_session_no_attach(void **state)
{
	struct fixture *f = *state;
	struct session s;
	struct attach a = { .session_id = 9,
		.marker = "m",
		.node = "n",
		.container_id = "c",
		.container = "c",
		.kind = "shell" };
	int64_t id = 55;
	long rows;

	add_user(f, "alice");
	s = of("alice");
	rows = raw_int(f, "SELECT count(*) FROM audit");
	assert_int_equal(attach_open(f->st, &alice, &a, &id), JB_NOT_FOUND);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM audit"), rows);
	a.session_id = opened(f, &s);
	a.kind = NULL;
	assert_int_equal(attach_open(f->st, &alice, &a, &id), JB_BAD_INPUT);
	a.kind = "shell";
	assert_int_equal(session_close(f->st, a.session_id, "logout"), 0);
	assert_int_equal(attach_open(f->st, &alice, &a, &id), JB_NOT_FOUND);
	assert_int_equal(id, 55);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM attaches"), 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM audit WHERE event = 'attach.open'"), 0);
}

/* The audit cannot be written: the attach does not happen either. */
static void
no_audit_row_no_attach(void **state)
{
	struct fixture *f = *state;
	struct session s;
	struct attach a = {
		.marker = "m", .node = "n", .container_id = "c", .container = "c", .kind = "shell"
	};
	int64_t id;

	add_user(f, "alice");
	s = of("alice");
	a.session_id = opened(f, &s);
	assert_int_equal(raw(f,
			     "CREATE TRIGGER no_audit BEFORE INSERT ON audit"
			     " BEGIN SELECT RAISE(ABORT, 'no'); END"),
	    SQLITE_OK);
	assert_true(attach_open(f->st, &alice, &a, &id) < 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM attaches"), 0);
	assert_true(session_open(f->st, &s, 0, 0, &id) < 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM sessions"), 1);
	assert_true(user_set_locked(f->st, &op, "alice", true) < 0);
	assert_int_equal(raw_int(f, "SELECT locked FROM users"), 0);
}

static void
a_kill_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct session s;
	struct seen o = { 0 };
	int64_t id;

	add_user(f, "alice");
	s = of("alice");
	id = opened(f, &s);
	assert_int_equal(session_kill(f->st, &op, id, "maintenance at six"), 0);
	assert_string_equal(
	    last_audit(f), "session.kill|operator:root(uid 0)|local|alice|1|maintenance at six");
	assert_int_equal(session_get(f->st, id, see, &o), 0);
	assert_string_equal(o.text, "1 alice 10.0.0.1 publickey here 0/0 - - maintenance at six\n");
	/* Asked for without a reason is not the same as not asked for. */
	assert_int_equal(session_kill(f->st, &op, id, NULL), 0);
	assert_string_equal(last_audit(f), "session.kill|operator:root(uid 0)|local|alice|1|-");
	assert_string_equal(raw_text(f, "SELECT kill_reason = '' FROM sessions"), "1");
	assert_int_equal(session_close(f->st, id, "killed"), 0);
	assert_int_equal(session_kill(f->st, &op, id, "again"), JB_NOT_FOUND);
	assert_int_equal(session_kill(f->st, &op, 99, "none"), JB_NOT_FOUND);
	assert_int_equal(session_get(f->st, 99, see, &o), JB_NOT_FOUND);
}

/* ---- limits ----------------------------------------------------------------- */

static void
limits_hold(void **state)
{
	struct fixture *f = *state;
	struct session a, b;
	int64_t id = 0, first;

	add_user(f, "alice");
	add_user(f, "bob");
	a = of("alice");
	b = of("bob");
	assert_int_equal(session_open(f->st, &a, 3, 2, &first), 0);
	assert_int_equal(session_open(f->st, &a, 3, 2, &id), 0);
	assert_int_equal(session_open(f->st, &a, 3, 2, &id), JB_TRY_AGAIN);
	assert_non_null(strstr(store_error(f->st), "alice has 2 sessions open"));
	assert_int_equal(session_open(f->st, &b, 3, 2, &id), 0);
	assert_int_equal(session_open(f->st, &b, 3, 2, &id), JB_TRY_AGAIN);
	assert_non_null(strstr(store_error(f->st), "has its 3 sessions"));
	assert_int_equal(raw_int(f, "SELECT count(*) FROM sessions"), 3);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM audit WHERE event = 'login.ok'"), 3);
	assert_int_equal(session_close(f->st, first, "logout"), 0);
	assert_int_equal(session_open(f->st, &a, 3, 2, &id), 0);
	assert_int_equal(session_open(f->st, &a, 0, 0, &id), 0); /* 0: none */
}

static void
a_user_that_is_gone_opens_nothing(void **state)
{
	struct fixture *f = *state;
	struct session s = of("alice");
	int64_t id = 55;

	assert_int_equal(session_open(f->st, &s, 0, 0, &id), JB_NOT_FOUND);
	assert_int_equal(id, 55);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM sessions"), 0);
}

static pid_t
dead_pid(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void
alive_is_the_same_process_of_this_boot_and_host(void **state)
{
	struct session s = of("alice");

	(void)state;
	assert_true(session_alive(&s));
	s.pid_start++;
	assert_false(session_alive(&s));
	s = of("alice");
	s.pid = dead_pid();
	assert_false(session_alive(&s));
	s = of("alice");
	s.boot_id = "boot-1";
	assert_false(session_alive(&s));
	s = of("alice");
	s.host = "jump2";
	assert_false(session_alive(&s));
}

static void
the_dead_make_room(void **state)
{
	struct fixture *f = *state;
	struct session live, dead, recycled, before, elsewhere;
	struct seen left = { 0 };
	int64_t id, lost[4], kept[2];

	add_user(f, "alice");
	live = dead = recycled = before = elsewhere = of("alice");
	dead.pid = dead_pid();
	recycled.pid_start++; /* that pid is another process now */
	before.boot_id = "boot-1";
	elsewhere.host = "jump2";
	elsewhere.pid = dead.pid;
	lost[0] = opened(f, &dead);
	lost[1] = opened(f, &recycled);
	lost[2] = opened(f, &before);
	kept[0] = opened(f, &live);
	kept[1] = opened(f, &elsewhere);
	lost[3] = opened(f, &dead);
	attached(f, lost[3], 1, "web");
	attached(f, kept[0], 1, "db");
	assert_int_equal(attach_each_left(f->st, live.host, see_attach, &left), 0);
	assert_int_equal(left.rows, 0);

	assert_int_equal(session_open(f->st, &live, 0, 2, &id), 0);
	for (int i = 0; i < 4; i++) {
		char sql[96];

		snprintf(sql, sizeof(sql), "SELECT how FROM sessions WHERE id = %lld",
		    (long long)lost[i]);
		assert_string_equal(raw_text(f, sql), "lost");
	}
	for (int i = 0; i < 2; i++) {
		char sql[96];

		snprintf(sql, sizeof(sql), "SELECT ended FROM sessions WHERE id = %lld",
		    (long long)kept[i]);
		assert_int_equal(raw_int(f, sql), 0);
	}
	/* What a lost one left open is known, and to its own host only. */
	assert_int_equal(attach_each_left(f->st, live.host, see_attach, &left), 0);
	assert_int_equal(attach_each_left(f->st, "jump2", see_attach, &left), 0);
	assert_int_equal(left.rows, 1);
	assert_non_null(strstr(left.text, " web "));
	assert_int_equal(raw_int(f,
			     "SELECT count(*) FROM audit WHERE event = 'session.close'"
			     " AND detail LIKE 'how=lost%'"),
	    4);
	/* live and the new one: full, and nothing left to lose */
	assert_int_equal(session_open(f->st, &live, 0, 2, &id), JB_TRY_AGAIN);
	assert_non_null(strstr(store_error(f->st), "2 sessions open"));
}

static void
other_hosts_and_boots_do_not_count(void **state)
{
	struct fixture *f = *state;
	struct session live, before, elsewhere;
	int64_t id;

	add_user(f, "alice");
	live = before = elsewhere = of("alice");
	before.boot_id = "boot-1";
	elsewhere.host = "jump2";
	opened(f, &before);
	opened(f, &elsewhere);
	assert_int_equal(session_open(f->st, &live, 1, 1, &id), 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM sessions WHERE ended = 0"), 3);
}

/* Twenty at once for five places. */
static void
limits_hold_against_a_crowd(void **state)
{
	struct fixture *f = *state;
	enum { CROWD = 20, PLACES = 5 };
	pid_t pid[CROWD];
	int in = 0;

	add_user(f, "alice");
	fixture_close(f);
	for (int i = 0; i < CROWD; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct errtext e;
			struct store *st;
			struct session s = of("alice");
			int64_t id;
			int err;

			s.pid = getppid();
			s.pid_start = proc_start_time(s.pid);
			if (store_open(f->path, STORE_OPEN, &st, &e))
				_exit(1);
			err = session_open(st, &s, 0, PLACES, &id);
			_exit(err == 0 || strstr(store_error(st), "the limit") ? -err : 1);
		}
	}
	for (int i = 0; i < CROWD; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status));
		assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == -JB_TRY_AGAIN);
		in += WEXITSTATUS(status) == 0;
	}
	assert_int_equal(in, PLACES);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM sessions"), PLACES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_session_and_its_attaches),
		FIXTURE_TEST(no_live_session_no_attach),
		FIXTURE_TEST(no_audit_row_no_attach),
		FIXTURE_TEST(a_kill_is_asked_for),
		FIXTURE_TEST(limits_hold),
		FIXTURE_TEST(a_user_that_is_gone_opens_nothing),
		cmocka_unit_test(alive_is_the_same_process_of_this_boot_and_host),
		FIXTURE_TEST(the_dead_make_room),
		FIXTURE_TEST(other_hosts_and_boots_do_not_count),
		FIXTURE_TEST(limits_hold_against_a_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
