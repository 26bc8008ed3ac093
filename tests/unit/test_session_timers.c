/*
 * What time alone does to a connection: when it does it, and what.  The
 * channels and the ends of the connection are this test; so is the clock.
 */
#include "../../src/session/mux_client.h"

#include "jumpbox/util.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The connection began at T; times are ms after that, limits seconds. */
enum { T = 1000000, GRACE = 60, IDLE = 300, WARN = IDLE - 60, ALIVE = 20, ALIVE_MAX = 3 };

/* ---- channels and ends ----------------------------------------------------------- */

static struct {
	char refused[MAX_REASON], expelled[MAX_REASON];
	uint32_t code;
	unsigned keepalives, rested, muxes_rested, warnings;
	struct channel *warned[8];
} seen;

void
conn_refuse(struct conn *c, const struct errtext *why)
{
	c->ended = true;
	c->end_at = T + 1;
	str_copy(seen.refused, sizeof(seen.refused), why->say);
}

void
conn_expel(struct conn *c, int code, const struct errtext *why)
{
	c->ended = true;
	c->end_at = T + 1;
	seen.code = (uint32_t)-code;
	str_copy(seen.expelled, sizeof(seen.expelled), why->say);
}

void
front_warn(struct channel *ch, enum word w)
{
	assert_int_equal(w, W_IDLE_WARNING);
	seen.warned[seen.warnings++] = ch;
}

int64_t
mux_deadline(const struct conn *c)
{
	(void)c;
	return 0;
}

int64_t
chan_deadline(const struct channel *ch)
{
	return ch->blocked;
}

void
mux_rest(struct conn *c)
{
	(void)c;
	seen.muxes_rested++;
}

void
chan_rest(struct channel *ch)
{
	(void)ch;
	seen.rested++;
}

int
ssh_send_keepalive(ssh_session ssh)
{
	(void)ssh;
	seen.keepalives++;
	return SSH_OK;
}

/* ---- the connection ------------------------------------------------------------------ */

static struct config limits;

/* Logged in, and nothing happened since T. */
static struct conn
fresh(void)
{
	memset(&seen, 0, sizeof(seen));
	limits = (struct config){ .login_grace_time = GRACE,
		.idle_timeout = IDLE,
		.client_alive_interval = ALIVE,
		.client_alive_count_max = ALIVE_MAX };
	return (struct conn){ .cfg = &limits,
		.auth = { .done = true },
		.started = T,
		.last_in = T,
		.last_active = T };
}

static void
at(struct conn *c, int seconds)
{
	timers(c, T + seconds * 1000);
}

/* ---- when ------------------------------------------------------------------------------ */

static void
the_first_deadline_counts(void **state)
{
	enum { OFF = 0, PRE = 0, IN = 1 };
	/* clang-format off */
	static const struct {
		const char *what;
		unsigned alive, idle; /* limits */
		bool done;
		int last_in, last_probe, last_active;
		bool warned;
		int stalled, channel; /* 0: none */
		int expected;	      /* 0: never */
	} rows[] = {
		/* what                            alive  idle  done  in probe active warned stalled channel */
		{ "nothing is timed",              OFF,   OFF,  IN,    0,   0,   0, false,   0,   0,   0 },
		{ "login",                         OFF,   OFF,  PRE,   0,   0,   0, false,   0,   0,  60 },
		{ "login, whatever came",          OFF,   OFF,  PRE,  50,   0,  50, false,   0,   0,  60 },
		{ "only login before login",        20,    30,  PRE,   0,   0,   0, false,   0,   0,  60 },
		{ "an answer that libssh forgot",  OFF,   OFF,  PRE,   0,   0,   0, false,   7,   0,   7 },
		{ "that is over with the login",   OFF,   OFF,  IN,    0,   0,   0, false,   7,   0,   0 },
		{ "a keepalive",                    20,   OFF,  IN,    0,   0,   0, false,   0,   0,  20 },
		{ "after the last byte",            20,   OFF,  IN,   30,   0,   0, false,   0,   0,  50 },
		{ "after the last keepalive",       20,   OFF,  IN,    0,  40,   0, false,   0,   0,  60 },
		{ "whichever was later",            20,   OFF,  IN,   45,  40,   0, false,   0,   0,  65 },
		{ "output is no sign of life",      20,   OFF,  IN,    0,   0,  15, false,   0,   0,  20 },
		{ "the warning",                   OFF,   300,  IN,    0,   0,   0, false,   0,   0, 240 },
		{ "after a channel's last byte",   OFF,   300,  IN,    0,   0,  90, false,   0,   0, 330 },
		{ "keepalives are no use",         OFF,   300,  IN,  200, 200,   0, false,   0,   0, 240 },
		{ "the end, once warned",          OFF,   300,  IN,    0,   0,   0, true,    0,   0, 300 },
		{ "too short for a warning",       OFF,    60,  IN,    0,   0,   0, false,   0,   0,  60 },
		{ "just long enough",              OFF,    61,  IN,    0,   0,   0, false,   0,   0,   1 },
		{ "a channel's",                   OFF,   OFF,  IN,    0,   0,   0, false,   0,   9,   9 },
		{ "the first: a channel's",         20,   300,  IN,    0,   0,   0, false,   0,   9,   9 },
		{ "the first: a keepalive",         20,   300,  IN,    0,   0,   0, false,   0,  21,  20 },
		{ "the first: idle",                20,    10,  IN,    0,   0,   0, false,   0,  21,  10 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conn c = fresh();
		struct channel none = { .conn = &c }, timed = { .conn = &c, .next = &none };
		int64_t next;

		limits.client_alive_interval = rows[i].alive;
		limits.idle_timeout = rows[i].idle;
		c.auth.done = rows[i].done;
		c.last_in += rows[i].last_in * 1000;
		c.last_probe = rows[i].last_probe == 0 ? 0 : T + rows[i].last_probe * 1000;
		c.last_active += rows[i].last_active * 1000;
		c.warned = rows[i].warned;
		c.auth.stalled_at = rows[i].stalled == 0 ? 0 : T + rows[i].stalled * 1000;
		timed.blocked = rows[i].channel == 0 ? 0 : T + rows[i].channel * 1000;
		c.channels = &timed;
		next = timers_next(&c);
		if (next != (rows[i].expected == 0 ? 0 : T + rows[i].expected * 1000))
			fail_msg("%s: %lld", rows[i].what, (long long)next - T);
	}
}

/* ---- the login ------------------------------------------------------------------------- */

static void
no_login_in_time_is_refused(void **state)
{
	struct conn c = fresh();

	(void)state;
	c.auth.done = false;
	timers(&c, T + GRACE * 1000 - 1);
	assert_string_equal(seen.refused, "");
	at(&c, GRACE);
	assert_string_equal(seen.refused, "no login in time");
	assert_int_equal(seen.keepalives, 0);
}

static void
who_has_logged_in_is_not_asked_when(void **state)
{
	struct conn c = fresh();

	(void)state;
	limits.idle_timeout = limits.client_alive_interval = 0;
	at(&c, 1000 * GRACE);
	assert_false(c.ended);
}

/* ---- idle -------------------------------------------------------------------------------- */

static void
an_idle_connection_is_warned_once_and_ended(void **state)
{
	struct conn c = fresh();
	struct channel ch = { .conn = &c, .tty = true, .state = CH_STREAM };

	(void)state;
	limits.client_alive_interval = 0;
	c.channels = &ch;
	timers(&c, T + WARN * 1000 - 1);
	assert_int_equal(seen.warnings, 0);
	at(&c, WARN);
	at(&c, WARN + 30);
	assert_int_equal(seen.warnings, 1);
	timers(&c, T + IDLE * 1000 - 1);
	assert_false(c.ended);
	at(&c, IDLE);
	assert_string_equal(seen.expelled, "the connection was idle for 300 seconds");
	assert_int_equal(seen.code, -JB_TRY_AGAIN);
	assert_int_equal(seen.warnings, 1);
}

/* The machine slept, or the loop was held up: a warning is no use any more. */
static void
an_end_that_is_overdue_has_no_warning(void **state)
{
	struct conn c = fresh();
	struct channel ch = { .conn = &c, .tty = true, .state = CH_STREAM };

	(void)state;
	c.channels = &ch;
	at(&c, IDLE);
	assert_true(c.ended);
	assert_int_equal(seen.warnings, 0);
}

static void
a_byte_begins_it_all_again(void **state)
{
	struct conn c = fresh();
	struct channel ch = { .conn = &c, .tty = true, .state = CH_STREAM };
	int64_t before = now_mono_ms();

	(void)state;
	limits.client_alive_interval = 0;
	c.channels = &ch;
	at(&c, WARN);
	timers_active(&c);
	assert_in_range(c.last_active, before, now_mono_ms());
	assert_int_equal(timers_next(&c), c.last_active + WARN * 1000);
	timers(&c, c.last_active + WARN * 1000);
	assert_int_equal(seen.warnings, 2);
	timers(&c, c.last_active + IDLE * 1000);
	assert_true(c.ended);
}

static void
only_a_person_at_a_terminal_is_warned(void **state)
{
	static const struct {
		enum channel_state state;
		bool tty, warned;
	} rows[] = {
		{ CH_NEW, true, false },
		{ CH_ASKING, true, true },
		{ CH_MENU, true, true },
		{ CH_PASSWORD, true, true },
		{ CH_CONNECTING, true, true },
		{ CH_STREAM, true, true },
		{ CH_STREAM, false, false },
		{ CH_ENDING, true, false },
		{ CH_CLOSED, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conn c = fresh();
		struct channel menu = { .conn = &c, .tty = true, .state = CH_MENU };
		struct channel ch = {
			.conn = &c, .tty = rows[i].tty, .state = rows[i].state, .next = &menu
		};

		c.channels = &ch;
		at(&c, WARN);
		assert_int_equal(seen.warnings, rows[i].warned ? 2 : 1);
		assert_ptr_equal(seen.warned[0], rows[i].warned ? &ch : &menu);
	}
}

/* ---- a silent client --------------------------------------------------------------------- */

static void
a_silent_client_is_asked_and_given_up(void **state)
{
	struct conn c = fresh();

	(void)state;
	timers(&c, T + ALIVE * 1000 - 1);
	assert_int_equal(c.unanswered, 0);
	for (unsigned n = 1; n <= ALIVE_MAX; n++) {
		at(&c, (int)n * ALIVE);
		at(&c, (int)n * ALIVE + 1); /* not yet due again */
		assert_int_equal(c.unanswered, n);
		assert_int_equal(seen.keepalives, 2 * n);
		assert_false(c.gone);
	}
	at(&c, (ALIVE_MAX + 1) * ALIVE);
	assert_true(c.gone);
	assert_int_equal(seen.keepalives, 2 * ALIVE_MAX);
}

static void
a_client_that_says_anything_is_there(void **state)
{
	struct conn c = fresh();

	(void)state;
	for (int n = 1; n <= 3 * ALIVE_MAX; n++) {
		at(&c, n * ALIVE);
		c.unanswered = 0; /* as serve.c does with each byte */
	}
	assert_false(c.gone);
	assert_int_equal(seen.keepalives, 2 * 3 * ALIVE_MAX);
}

/* What is kept for a client in haste is given back when it rests. */
static void
every_channel_of_a_silent_client_rests(void **state)
{
	struct conn c = fresh();
	struct channel first = { .conn = &c }, second = { .conn = &c, .next = &first };

	(void)state;
	c.channels = &second;
	timers(&c, T + ALIVE * 1000 - 1);
	assert_int_equal(seen.rested, 0);
	at(&c, ALIVE);
	assert_int_equal(seen.rested, 2);
	assert_int_equal(seen.muxes_rested, 1);
}

/* ---- the end ------------------------------------------------------------------------------- */

static void
nothing_more_happens_to_a_connection_that_ends(void **state)
{
	(void)state;
	for (int done = 0; done <= 1; done++) {
		struct conn c = fresh();

		c.auth.done = done;
		c.end_at = T + 1;
		at(&c, 10 * IDLE);
		assert_string_equal(seen.refused, "");
		assert_string_equal(seen.expelled, "");
		assert_int_equal(seen.keepalives, 0);
		assert_false(c.gone);
	}
}

/* A deadline that is past and that nobody keeps would make the loop spin. */
static void
one_that_ends_waits_for_nothing_but_its_end(void **state)
{
	const int64_t end = T + 10 * IDLE * 1000;

	(void)state;
	for (int done = 0; done <= 1; done++) {
		struct conn c = fresh();
		struct channel ch = { .conn = &c };

		c.auth.done = done;
		c.channels = &ch;
		c.end_at = end;
		assert_int_equal(timers_next(&c), end);
		ch.blocked = end - 1;
		assert_int_equal(timers_next(&c), end - 1);
	}
}

/* ---- the watchdog ---------------------------------------------------------------------------- */

static struct itimerval
left(void)
{
	struct itimerval it;

	getitimer(ITIMER_PROF, &it);
	return it;
}

static _Noreturn void
watched(void)
{
	const struct itimerval mark = { .it_value = { .tv_sec = 5 } };

	timers_watchdog(T);
	if (left().it_value.tv_sec < 9 || left().it_value.tv_sec > 10)
		_exit(1);
	setitimer(ITIMER_PROF, &mark, NULL);
	timers_watchdog(T + 999);
	if (left().it_value.tv_sec > 5) /* a system call for each turn is too much */
		_exit(2);
	timers_watchdog(T + 1000);
	if (left().it_value.tv_sec < 9)
		_exit(3);
	raise(SIGPROF);
	_exit(4);
}

static void
a_turn_that_burns_ten_seconds_ends_the_process(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		watched();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status)); /* no crash */
	assert_int_equal(WEXITSTATUS(status), -JB_INTERNAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_deadline_counts),
		cmocka_unit_test(no_login_in_time_is_refused),
		cmocka_unit_test(who_has_logged_in_is_not_asked_when),
		cmocka_unit_test(an_idle_connection_is_warned_once_and_ended),
		cmocka_unit_test(an_end_that_is_overdue_has_no_warning),
		cmocka_unit_test(a_byte_begins_it_all_again),
		cmocka_unit_test(only_a_person_at_a_terminal_is_warned),
		cmocka_unit_test(a_silent_client_is_asked_and_given_up),
		cmocka_unit_test(a_client_that_says_anything_is_there),
		cmocka_unit_test(every_channel_of_a_silent_client_rests),
		cmocka_unit_test(nothing_more_happens_to_a_connection_that_ends),
		cmocka_unit_test(one_that_ends_waits_for_nothing_but_its_end),
		cmocka_unit_test(a_turn_that_burns_ten_seconds_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
