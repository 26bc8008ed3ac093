/*
 * What of a live session is taken back, and what the session is told: the
 * whole broker but for its loop, over a real database that somebody else
 * changes.  The session is this test.
 */
#include "../../src/broker/attached.h"
#include "../../src/broker/listing.h"

#include "store_fixture.h"

#include "jumpbox/log.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

/* ---- a live session ---------------------------------------------------------------- */

struct scene {
	struct fixture *f;
	struct config cfg;
	struct broker b;
	int session; /* its end of the pair */
};

static int64_t
open_session(struct fixture *f)
{
	const struct session s = { .conn = 7,
		.user = "alice",
		.source = "10.0.0.1",
		.method = "password",
		.host = host_name(),
		.boot_id = boot_id(),
		.pid = getpid(),
		.pid_start = proc_start_time(getpid()) };
	int64_t id;

	assert_int_equal(session_open(f->st, &s, 0, 0, &id), 0);
	return id;
}

static int
setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));
	const struct grant g = { .user = "alice", .selector = "n1/web", .allow = "shell" };
	struct broker *b = &s->b;
	struct errtext e;
	int64_t grant;
	int pair[2];

	log_init("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	if (fixture_setup(state) != 0 || config_load("/dev/null", &s->cfg, &e) != 0)
		return -1;
	s->f = *state;
	*state = s;
	add_user(s->f, "alice");
	add_node(s->f, "n1");
	assert_int_equal(grant_add(s->f->st, &op, &g, &grant), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	free(s->cfg.database);
	s->cfg.database = xstrdup(s->f->path);
	s->session = pair[1];
	b->cfg = &s->cfg;
	b->listing = xcalloc(1, sizeof(*b->listing));
	b->pair = pair[0];
	b->status = b->clock = -1;
	b->state = STATE_AUTHED;
	b->out_tail = &b->out;
	b->attached_tail = &b->attached;
	b->user_id = 1;
	str_copy(b->user, sizeof(b->user), "alice");
	b->session_row = open_session(s->f);
	return 0;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	while (s->b.attached != NULL)
		attached_forget(&s->b, s->b.attached);
	child_forget_all(&s->b);
	while (wait(NULL) > 0)
		;
	list_release(&s->b);
	broker_store_close(&s->b);
	close(s->b.pair);
	if (s->b.clock >= 0)
		close(s->b.clock);
	close(s->session);
	config_release(&s->cfg);
	*state = s->f;
	free(s);
	return fixture_teardown(state);
}

static struct attached *
attach(struct scene *s, uint32_t id, const char *name, enum attached_phase phase)
{
	struct attached *a = attached_new(&s->b, id);

	assert_non_null(broker_store(&s->b));
	assert_int_equal(held_node_get(&s->b, 1, &a->exec.node), 0);
	a->kind = ATTACH_SHELL;
	a->phase = phase;
	a->started = phase >= AT_DECIDED;
	a->name = xstrdup(name);
	a->image = xstrdup("debian");
	a->labels = xstrdup("{}");
	return a;
}

/* Somebody changes the database, and it is looked at. */
static void
look(struct scene *s, const char *sql)
{
	assert_int_equal(raw(s->f, sql), SQLITE_OK);
	broker_store_turn(&s->b);
	recheck(&s->b);
}

/* The next notice of that attach (0: of the account): in how many seconds it ends; -1: there is none. */
static int64_t
noticed(struct scene *s, uint32_t attach)
{
	int64_t when = -1;
	struct msg m;

	msg_init(&m, 0, 0);
	if (msg_recv(s->session, &m) == 0) {
		assert_int_equal(m.type, EVT_NOTICE);
		assert_int_equal(msg_get_u32(&m), attach);
		when = (int64_t)msg_get_u64(&m);
		assert_true(msg_end(&m));
		when = when == 0 ? 0 : when - now_unix();
	}
	msg_release(&m);
	return when;
}

/* The next message as "NAME code sentence", with the attach that it is about; "": none.  Not of notices. */
static const char *
heard(struct scene *s)
{
	static char text[1024];
	char reason[MAX_REASON + 1], english[MAX_REASON + 1] = "";
	uint32_t attach, code;
	struct msg m;
	int r;

	text[0] = '\0';
	msg_init(&m, 0, 0);
	do
		r = msg_recv(s->session, &m);
	while (r == 0 && m.type == EVT_NOTICE);
	if (r == 0) {
		attach = m.type == EVT_DETACH ? msg_get_u32(&m) : m.id;
		code = msg_get_u32(&m);
		msg_get_str(&m, reason, sizeof(reason));
		if (m.type == REP_ATTACH)
			for (int i = 0; i < 3; i++) /* not recorded, not carried, no environment */
				assert_int_equal(msg_get_u32(&m), 0);
		if (m.type == EVT_END)
			msg_get_str(&m, english, sizeof(english));
		assert_true(msg_end(&m));
		if (m.type == EVT_END && strcmp(reason, english) != 0)
			snprintf(text, sizeof(text), "END %u %s = %s", code, reason, english);
		else if (m.type == EVT_END)
			snprintf(text, sizeof(text), "END %u %s", code, reason);
		else
			snprintf(text, sizeof(text), "%s %u: %u %s",
			    m.type == EVT_DETACH ? "DETACH" : "ATTACH", attach, code, reason);
	}
	msg_release(&m);
	return text;
}

#define NOW "CAST(strftime('%s', 'now') AS INTEGER)"

/* ---- the end of a session --------------------------------------------------------------- */

#define ADMIN_ENDED "END 77 an administrator ended this session"

static const struct {
	const char *change, *told, *how; /* told "": it goes on */
} ends[] = {
	{ "SELECT 1", "", "" },
	{ "UPDATE users SET must_change = 1, hash = NULL, max_sessions = 1", "", "" },
	{ "UPDATE users SET expires = " NOW " + 3600", "", "" },
	{ "UPDATE users SET role = 'admin'", "", "" },
	{ "UPDATE users SET locked = 1", "END 77 your account is locked: ask an administrator",
	    "locked" },
	{ "UPDATE users SET expires = " NOW, "END 77 your account is expired: ask an administrator",
	    "expired" },
	{ "UPDATE users SET role = 'auditor'",
	    "END 77 your account is without a role: ask an administrator", "without a role" },
	{ "DELETE FROM users", "END 77 your account is deleted: ask an administrator", "deleted" },
	/* a new account of the old name */
	{ "UPDATE users SET id = id + 1", "END 77 your account is deleted: ask an administrator",
	    "deleted" },
	{ "UPDATE sessions SET kill_reason = ''", ADMIN_ENDED, "killed" },
	{ "UPDATE sessions SET kill_reason = 'go home'", ADMIN_ENDED ": go home", "killed" },
	{ "UPDATE users SET locked = 1; UPDATE sessions SET kill_reason = 'both'",
	    ADMIN_ENDED ": both", "killed" },
	{ "UPDATE sessions SET kill_reason = 'another' WHERE id <> 1", "", "" },
	{ "DELETE FROM sessions", "", "" },
};

static void
try_end(size_t i, enum broker_state in)
{
	void *state;
	struct scene *s;

	assert_int_equal(setup(&state), 0);
	s = state;
	open_session(s->f); /* of the same user, elsewhere */
	s->b.state = in;
	look(s, ends[i].change);
	assert_string_equal(heard(s), ends[i].told);
	assert_string_equal(s->b.how, ends[i].how);
	assert_int_equal(s->b.state, ends[i].told[0] != '\0' ? STATE_ENDING : in);
	look(s, "SELECT 1");
	assert_string_equal(heard(s), "");
	teardown(&state);
}

static void
the_account_and_a_wish_are_looked_at(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		try_end(i, STATE_AUTHED);
		try_end(i, STATE_MUST_CHANGE);
	}
}

static void
a_long_reason_is_cut(void **state)
{
	struct scene *s = *state;

	look(s, "UPDATE sessions SET kill_reason = hex(zeroblob(1000))");
	assert_int_equal(
	    strlen(heard(s)), strlen("END 77 ") + sizeof(((struct errtext *)0)->say) - 1);
}

/* The user's language is the user's: the log, and a disconnect message, stay English. */
static void
the_user_is_told_in_the_user_s_language(void **state)
{
	struct scene *s = *state;

	words_speak(LANGUAGE_ZH);
	attach(s, 5, "web", AT_OPEN);
	look(s, "DELETE FROM grants");
	assert_string_equal(heard(s), "DETACH 5: 77 您对 web 的访问权限已被收回");
	look(s, "UPDATE users SET locked = 1");
	assert_string_equal(heard(s),
	    "END 77 您的账号已被锁定；请联系管理员 = your account is locked: ask an administrator");
	assert_string_equal(s->b.how, "locked");
	words_speak(LANGUAGE_EN);
}

static void
who_has_no_session_or_leaves_it_is_left_alone(void **state)
{
	struct scene *s = *state;
	int64_t row = s->b.session_row;

	attach(s, 5, "web", AT_OPEN);
	s->b.session_row = 0;
	s->b.state = STATE_PREAUTH;
	look(s, "DELETE FROM grants");
	assert_string_equal(heard(s), "");
	s->b.session_row = row;
	s->b.state = STATE_ENDING;
	look(s, "SELECT 1");
	assert_string_equal(heard(s), "");
	assert_int_equal(s->b.recheck_at, 0);
}

/* ---- what is attached -------------------------------------------------------------------- */

#define WITHDRAWN "77 your access to web was withdrawn"

static void
only_what_was_decided_is_decided_again(void **state)
{
	static const struct {
		enum attached_phase before, after;
		const char *told;
	} rows[] = {
		{ AT_QUEUED, AT_QUEUED, "" },
		{ AT_OPENING, AT_OPENING, "" },
		{ AT_DECIDED, AT_LEAVING, "ATTACH 5: " WITHDRAWN },
		{ AT_OPEN, AT_LEAVING, "DETACH 5: " WITHDRAWN },
		{ AT_LEAVING, AT_LEAVING, "" },
	};
	struct scene *s = *state;
	struct attached *a;

	assert_int_equal(raw(s->f, "DELETE FROM grants"), SQLITE_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = attach(s, 5, "web", rows[i].before);
		look(s, "SELECT 1");
		assert_string_equal(heard(s), rows[i].told);
		assert_int_equal(a->phase, rows[i].after);
		assert_int_equal(a->ender != NULL, rows[i].told[0] != '\0');
		assert_string_equal(a->how, rows[i].told[0] != '\0' ? "withdrawn" : "");
		look(s, "SELECT 1");
		assert_string_equal(heard(s), "");
		attached_forget(&s->b, a);
	}
	assert_int_equal(s->b.state, STATE_AUTHED);
}

/* The session is to give up what it was handed; what was not handed out is over. */
static void
what_is_open_has_its_time_to_be_given_up(void **state)
{
	struct scene *s = *state;
	struct attached *decided = attach(s, 5, "web", AT_DECIDED),
			*open = attach(s, 6, "web", AT_OPEN);
	int64_t before = now_mono_ms();

	look(s, "DELETE FROM grants");
	assert_true(decided->detached);
	assert_int_equal(decided->detach_by, 0);
	assert_false(open->detached);
	assert_in_range(open->detach_by, before + END_LIMIT_MS, now_mono_ms() + END_LIMIT_MS);
}

static void
a_grant_must_give_what_it_gave(void **state)
{
	static const char other[] = "INSERT INTO grants (user_id, selector, allow, run_as, created)"
				    " VALUES (1, '*', 'shell', ";
	static const struct {
		const char *change, *more;
		bool goes_on;
	} rows[] = {
		{ "SELECT 1", "", true },
		{ "UPDATE grants SET allow = 'shell,exec', until = " NOW " + 3600", "", true },
		{ "UPDATE grants SET allow = 'exec,logs'", "", false },
		{ "UPDATE grants SET selector = 'n1/db'", "", false },
		{ "UPDATE grants SET selector = 'n2/web'", "", false },
		{ "UPDATE grants SET until = " NOW, "", false },
		{ "UPDATE grants SET user_id = 2", "", false },
		{ "DELETE FROM grants", "", false },
		{ "DELETE FROM grants; UPDATE users SET role = 'admin'", "", true },
		/* as somebody else */
		{ "UPDATE grants SET run_as = 'bin'", "", false },
		{ "UPDATE grants SET run_as = ''", "", true },
		/* another grant takes its place */
		{ "DELETE FROM grants", "NULL, 0)", true },
		{ "DELETE FROM grants", "'bin', 0)", false },
		/* the first one that gives it says as whom */
		{ "SELECT 1", "'bin', 0)", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene *s;
		void *again;
		char sql[512];
		bool went_on;

		assert_int_equal(setup(&again), 0);
		s = again;
		attach(s, 5, "web", AT_OPEN);
		snprintf(sql, sizeof(sql), "%s;%s%s", rows[i].change,
		    rows[i].more[0] != '\0' ? other : "", rows[i].more);
		look(s, sql);
		went_on = heard(s)[0] == '\0';
		teardown(&again);
		if (went_on != rows[i].goes_on)
			fail_msg("%s", sql);
	}
}

static void
it_goes_on_as_whom_it_began(void **state)
{
	struct scene *s = *state;
	struct attached *a = attach(s, 5, "web", AT_OPEN);

	a->exec.run_as = xstrdup("bin");
	look(s, "UPDATE grants SET run_as = 'bin'");
	assert_string_equal(heard(s), "");
	look(s, "UPDATE grants SET run_as = NULL");
	assert_string_equal(heard(s), "DETACH 5: " WITHDRAWN);
}

static void
each_attach_is_looked_at_for_itself(void **state)
{
	struct scene *s = *state;

	attach(s, 5, "web", AT_OPEN);
	attach(s, 6, "db", AT_OPEN);
	attach(s, 7, "web", AT_DECIDED);
	attach(s, 8, "db", AT_OPEN);
	look(s, "UPDATE grants SET selector = 'n1/db'");
	assert_string_equal(heard(s), "DETACH 5: " WITHDRAWN);
	assert_string_equal(heard(s), "ATTACH 7: " WITHDRAWN);
	assert_string_equal(heard(s), "");
	assert_int_equal(attached_find(&s->b, 6)->phase, AT_OPEN);
	assert_int_equal(attached_find(&s->b, 8)->phase, AT_OPEN);
}

static void
nothing_is_withdrawn_one_by_one_when_all_ends(void **state)
{
	struct scene *s = *state;

	attach(s, 5, "web", AT_OPEN);
	look(s, "DELETE FROM grants; UPDATE sessions SET kill_reason = ''");
	assert_string_equal(heard(s), ADMIN_ENDED);
	assert_string_equal(heard(s), "");
}

/* ---- a database that cannot be read ---------------------------------------------------------- */

/* Whatever it would have said: nobody is thrown out for that, and it is looked at again. */
static void
assert_tried_again(struct scene *s, int64_t before)
{
	assert_string_equal(heard(s), "");
	assert_int_equal(s->b.state, STATE_AUTHED);
	assert_in_range(s->b.recheck_at, before + 1000, now_mono_ms() + 1000);
}

static void
no_database_is_no_reason(void **state)
{
	struct scene *s = *state;
	int64_t before = now_mono_ms();
	char away[128];

	snprintf(away, sizeof(away), "%s.away", s->f->path);
	assert_int_equal(raw(s->f, "UPDATE users SET locked = 1"), SQLITE_OK);
	assert_int_equal(rename(s->f->path, away), 0);
	recheck(&s->b);
	assert_tried_again(s, before);
	assert_int_equal(rename(away, s->f->path), 0);
	look(s, "SELECT 1");
	assert_string_equal(heard(s), "END 77 your account is locked: ask an administrator");
}

static void
a_table_that_cannot_be_read_is_no_reason(void **state)
{
	static const char *const tables[] = { "users", "grants", "sessions" };
	struct scene *s = *state;
	int64_t before;
	char sql[128];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		attach(s, (uint32_t)i + 1, "web", AT_OPEN);
		before = now_mono_ms();
		snprintf(sql, sizeof(sql), "ALTER TABLE %s RENAME TO away", tables[i]);
		look(s, sql);
		assert_tried_again(s, before);
		snprintf(sql, sizeof(sql), "ALTER TABLE away RENAME TO %s", tables[i]);
		look(s, sql);
		assert_string_equal(heard(s), "");
		assert_int_equal(s->b.recheck_at, 0);
	}
	look(s, "UPDATE sessions SET kill_reason = ''");
	assert_string_equal(heard(s), ADMIN_ENDED);
}

/* Nor the other way round: to who is gone nobody says that the database does not answer. */
static void
who_is_gone_is_told_that_and_nothing_else(void **state)
{
	struct scene *s = *state;
	struct pending p = { .type = REQ_LIST, .id = 9 };
	struct subject who = { 0 };
	struct errtext e;

	assert_int_equal(raw(s->f, "DELETE FROM users"), SQLITE_OK);
	assert_int_equal(broker_subject(&s->b, &who, &e), JB_DENIED);
	assert_string_equal(e.say, "your account is deleted: ask an administrator");
	s->b.recheck_at = 0;
	assert_true(list_look(&s->b, &p, 1000));
	assert_string_equal(heard(s), "");
	assert_in_range(s->b.recheck_at, 1, now_mono_ms());
	recheck(&s->b);
	assert_string_equal(heard(s), "END 77 your account is deleted: ask an administrator");
}

/* ---- when ------------------------------------------------------------------------------------- */

/* What is left until the timer, ms; 0: it is off. */
static int64_t
left(const struct scene *s)
{
	struct itimerspec at = { 0 };

	if (s->b.clock >= 0)
		assert_int_equal(timerfd_gettime(s->b.clock, &at), 0);
	return at.it_value.tv_sec * 1000 + at.it_value.tv_nsec / 1000000;
}

static void
time_alone_is_looked_out_for(void **state)
{
	static const int64_t rows[] = { 10, 24 * 3600, 365 * 24 * 3600 };
	struct scene *s = *state;
	struct pollfd p = { .events = POLLIN };

	recheck_until(&s->b, 0);
	assert_int_equal(s->b.clock, -1); /* most have no use for one */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t before = now_unix_ms(), until = before / 1000 + rows[i], remains;

		s->b.clock_at = 0;
		recheck_until(&s->b, until);
		remains = left(s);
		assert_in_range(
		    remains, until * 1000 + 199 - now_unix_ms(), until * 1000 + 200 - before);
	}
	s->b.clock_at = 0; /* what is over is looked at again, and not in circles */
	recheck_until(&s->b, now_unix() - 3600);
	assert_in_range(left(s), 1, 1200);
	p.fd = s->b.clock;
	assert_int_equal(poll(&p, 1, 5000), 1);
	recheck(&s->b);
	assert_int_equal(left(s), 0);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(s->b.clock_at, 0);
}

/* The kernel sees to it that one which is absolute, on that clock, is due when the clock says so. */
static void
the_clock_may_be_set(void **state)
{
	struct scene *s = *state;
	char path[64], line[64];
	bool wall = false, absolute = false;
	FILE *f;

	recheck_until(&s->b, now_unix() + 3600);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s->b.clock);
	assert_non_null(f = fopen(path, "r"));
	while (fgets(line, sizeof(line), f) != NULL) {
		wall |= strcmp(line, "clockid: 0\n") == 0;
		absolute |= strcmp(line, "settime flags: 01\n") == 0;
	}
	fclose(f);
	assert_true(wall && absolute);
}

static void
the_sooner_counts(void **state)
{
	struct scene *s = *state;
	int64_t now = now_unix();

	recheck_until(&s->b, now + 100);
	assert_in_range(left(s), 95 * 1000, 101 * 1000);
	recheck_until(&s->b, now + 200);
	recheck_until(&s->b, 0);
	assert_in_range(left(s), 95 * 1000, 101 * 1000);
	recheck_until(&s->b, now + 50);
	assert_in_range(left(s), 45 * 1000, 51 * 1000);
}

/* 0: no timer; else in how many seconds, more or less. */
static void
a_look_sets_the_timer_anew(void **state)
{
	static const struct {
		const char *change;
		int expected;
	} rows[] = {
		{ "UPDATE users SET expires = " NOW " + 500", 500 },
		{ "UPDATE grants SET until = " NOW " + 300", 300 },
		{ "UPDATE users SET expires = " NOW " + 100", 100 },
		{ "UPDATE users SET expires = 0", 300 },
		{ "UPDATE grants SET until = 0", 0 },
	};
	struct scene *s = *state;

	attach(s, 5, "web", AT_OPEN);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		look(s, rows[i].change);
		if (rows[i].expected == 0)
			assert_int_equal(left(s), 0);
		else
			assert_in_range(left(s) / 1000, rows[i].expected - 5, rows[i].expected);
	}
	assert_string_equal(heard(s), "");
}

/* ---- what will end ----------------------------------------------------------------------------- */

#define GRANT(run_as, until)                                                    \
	"INSERT INTO grants (user_id, selector, allow, run_as, until, created)" \
	" VALUES (1, 'n1/*', 'shell', " run_as ", " until ", 1)"

static void
what_ends_soon_is_announced_once(void **state)
{
	static const struct {
		const char *change;
		int told, timer; /* in how many seconds: -1 nothing is said; 0 no timer */
	} rows[] = {
		{ "SELECT 1", -1, 0 },
		{ "UPDATE grants SET until = " NOW " + 3600", -1, 3300 },
		{ "UPDATE grants SET until = " NOW " + 200", 200, 200 },
		{ "SELECT 1", -1, 200 },
		{ GRANT("NULL", "0"), -1, 200 },		   /* which lasts */
		{ "DELETE FROM grants WHERE until = 0", -1, 200 }, /* it was said */
		{ GRANT("NULL", NOW " + 250"), 250, 200 },
		{ "DELETE FROM grants WHERE selector = 'n1/*'", 200, 200 },
		{ GRANT("'nobody'", "0"), -1, 200 }, /* which makes it another user's */
		{ "UPDATE grants SET until = " NOW " + 100 WHERE until <> 0", 100, 100 },
	};
	struct scene *s = *state;

	attach(s, 5, "web", AT_OPEN)->tty = true;
	attach(s, 6, "web", AT_OPEN);		     /* no terminal */
	attach(s, 7, "web", AT_DECIDED)->tty = true; /* no stream yet */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t told;

		look(s, rows[i].change);
		told = noticed(s, 5);
		if (told != rows[i].told && told != rows[i].told - 1)
			fail_msg("row %zu: %lld", i, (long long)told);
		assert_int_equal(noticed(s, 5), -1);
		if (rows[i].timer == 0)
			assert_int_equal(left(s), 0);
		else
			assert_in_range(left(s) / 1000, rows[i].timer - 5, rows[i].timer);
	}
}

/* A whole list is asked for: what comes with it says that access ends, as "NAME +MORE seconds". */
static const char *
ending(struct scene *s, int64_t *when)
{
	static char text[320];
	struct pending p = { .type = REQ_LIST, .id = 9 };
	char name[256];
	struct msg m;

	text[0] = '\0';
	broker_store_turn(&s->b);
	assert_true(list_look(&s->b, &p, 1000));
	msg_init(&m, 0, 0);
	while (msg_recv(s->session, &m) == 0) {
		if (m.type != EVT_ENDING)
			continue;
		*when = (int64_t)msg_get_u64(&m);
		msg_get_str(&m, name, sizeof(name));
		snprintf(text, sizeof(text), "%s +%u", name, msg_get_u32(&m));
		assert_true(msg_end(&m));
	}
	msg_release(&m);
	return text;
}

static void
the_first_end_of_access_comes_with_the_list(void **state)
{
	static const struct {
		const char *change, *told;
		int64_t in;
		int timer; /* 0: off */
	} rows[] = {
		{ "SELECT 1", "", 0, 0 },
		{ "UPDATE grants SET until = " NOW " + 3600", "", 0, 3300 },
		{ "UPDATE grants SET until = " NOW " + 200", "web +0", 200, 200 },
		{ "SELECT 1", "", 0, 200 },	       /* it was said */
		{ GRANT("NULL", "0"), " +0", 0, 200 }, /* which lasts */
		{ "DELETE FROM grants WHERE until <> 0", "", 0, 0 },
		{ "UPDATE grants SET until = " NOW " + 100", "db +1", 100, 100 },
		{ GRANT("NULL", NOW " + 150"), "db +1", 150, 100 }, /* it goes on for a while */
	};
	static const struct container two[] = {
		{ .id = "a", .name = "web", .image = "i", .state = "running", .labels = "{}" },
		{ .id = "b", .name = "db", .image = "i", .state = "running", .labels = "{}" },
	};
	struct scene *s = *state;

	assert_int_equal(container_replace(s->f->st, 1, two, 2), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t when = 0, now;

		look(s, rows[i].change);
		assert_string_equal(ending(s, &when), rows[i].told);
		now = now_unix();
		if (rows[i].in > 0)
			assert_in_range(when, now + rows[i].in - 5, now + rows[i].in);
		else
			assert_int_equal(when, 0);
		if (rows[i].timer == 0)
			assert_int_equal(left(s), 0);
		else
			assert_in_range(left(s) / 1000, rows[i].timer - 5, rows[i].timer);
	}
}

static void
the_session_knows_when_the_account_expires(void **state)
{
	struct scene *s = *state;

	look(s, "SELECT 1");
	assert_int_equal(noticed(s, 0), -1);
	look(s, "UPDATE users SET expires = " NOW " + 1000000");
	assert_in_range(noticed(s, 0), 999990, 1000000);
	look(s, "SELECT 1");
	assert_int_equal(noticed(s, 0), -1);
	look(s, "UPDATE users SET expires = 0");
	assert_int_equal(noticed(s, 0), 0);
	assert_int_equal(noticed(s, 0), -1);
}

/* ---- without a supervisor ---------------------------------------------------------------------- */

static void
the_epoch_is_followed(void **state)
{
	struct scene *s = *state;

	s->b.epoch = epoch(s->f);
	s->b.recheck_at = 1;
	recheck_epoch(&s->b);
	assert_int_equal(s->b.recheck_at, 1); /* nothing moved, nothing was looked at */
	assert_int_equal(raw(s->f, "UPDATE users SET expires = " NOW " + 3600"), SQLITE_OK);
	recheck_epoch(&s->b);
	assert_true(left(s) > 0);
	assert_int_equal(s->b.epoch, epoch(s->f));
	assert_int_equal(user_set_locked(s->f->st, &op, "alice", true), 0);
	recheck_epoch(&s->b);
	assert_string_equal(heard(s), "END 77 your account is locked: ask an administrator");
}

static void
an_epoch_that_cannot_be_read_has_not_moved(void **state)
{
	struct scene *s = *state;
	int64_t was = s->b.epoch = epoch(s->f);

	assert_int_equal(user_set_locked(s->f->st, &op, "alice", true), 0);
	s->b.no_store = true;
	recheck_epoch(&s->b);
	assert_int_equal(s->b.epoch, was);
	broker_store_turn(&s->b);
	recheck_epoch(&s->b);
	assert_string_equal(heard(s), "END 77 your account is locked: ask an administrator");
}

#define SCENE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_account_and_a_wish_are_looked_at),
		SCENE_TEST(a_long_reason_is_cut),
		SCENE_TEST(the_user_is_told_in_the_user_s_language),
		SCENE_TEST(who_has_no_session_or_leaves_it_is_left_alone),
		SCENE_TEST(only_what_was_decided_is_decided_again),
		SCENE_TEST(what_is_open_has_its_time_to_be_given_up),
		cmocka_unit_test(a_grant_must_give_what_it_gave),
		SCENE_TEST(it_goes_on_as_whom_it_began),
		SCENE_TEST(each_attach_is_looked_at_for_itself),
		SCENE_TEST(nothing_is_withdrawn_one_by_one_when_all_ends),
		SCENE_TEST(no_database_is_no_reason),
		SCENE_TEST(a_table_that_cannot_be_read_is_no_reason),
		SCENE_TEST(who_is_gone_is_told_that_and_nothing_else),
		SCENE_TEST(time_alone_is_looked_out_for),
		SCENE_TEST(the_clock_may_be_set),
		SCENE_TEST(the_sooner_counts),
		SCENE_TEST(a_look_sets_the_timer_anew),
		SCENE_TEST(what_ends_soon_is_announced_once),
		SCENE_TEST(the_first_end_of_access_comes_with_the_list),
		SCENE_TEST(the_session_knows_when_the_account_expires),
		SCENE_TEST(the_epoch_is_followed),
		SCENE_TEST(an_epoch_that_cannot_be_read_has_not_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
