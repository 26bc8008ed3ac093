/*
 * Every request in every state: what is handed on and to whom, what ends the
 * pair, what is ignored.  The handlers are this test.
 */
#include "../../src/broker/broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the handlers, and the end of the pair ----------------------------------- */

static struct {
	const char *handler; /* NULL: none was called */
	const char *answer;  /* what the next one says is wrong */
	const char *ended;   /* why, NULL: the pair goes on */
	uint32_t type;	     /* of the request that ended it */
	unsigned calls;
} seen;

#define HANDLER(name)                                     \
	const char *name(struct broker *b, struct msg *m) \
	{                                                 \
		(void)b;                                  \
		(void)m;                                  \
		seen.handler = #name;                     \
		seen.calls++;                             \
		return seen.answer;                       \
	}

/* clang-format off */
HANDLER(do_sign)
HANDLER(do_verify)
HANDLER(do_password)
HANDLER(do_offer)
HANDLER(do_key_login)
HANDLER(do_new_password)
HANDLER(do_target)
HANDLER(do_list)
HANDLER(do_attach)
HANDLER(do_cancel)
HANDLER(do_resize)
HANDLER(do_signal)
HANDLER(do_status)
HANDLER(do_detach)
HANDLER(do_log)
HANDLER(do_language)
HANDLER(do_details)
HANDLER(do_stats)
HANDLER(do_logs)
HANDLER(do_power)
HANDLER(do_query)
HANDLER(do_change)
HANDLER(do_passwd)
HANDLER(do_follow)
HANDLER(do_replay)
HANDLER(do_code)
HANDLER(do_enrol)
HANDLER(do_confirm)
HANDLER(do_helper)
HANDLER(do_note)
/* clang-format on */

void
broker_protocol(struct broker *b, uint32_t type, const char *what)
{
	(void)b;
	seen.ended = what;
	seen.type = type;
	seen.calls++;
}

/* '+' handed on, '-' it ended the pair, '.' ignored. */
static char
outcome(void)
{
	assert_true(seen.calls <= 1);
	return seen.handler != NULL ? '+' : seen.ended != NULL ? '-' : '.';
}

static void
request(struct broker *b, uint32_t type, uint32_t id, bool fd)
{
	struct msg m;

	seen.handler = seen.ended = NULL;
	seen.calls = 0;
	msg_init(&m, type, id);
	if (fd)
		msg_put_fd(&m, dup(STDERR_FILENO));
	dispatch(b, &m);
	msg_release(&m);
}

/* ---- the table ----------------------------------------------------------------- */

static const enum broker_state states[] = { STATE_KEX, STATE_PREAUTH, STATE_CHECKING,
	STATE_MUST_CHANGE, STATE_AUTHED, STATE_ENDING, STATE_SECOND, STATE_MUST_ENROL };

enum { STATES = sizeof(states) / sizeof(states[0]) };

/* clang-format off */
static const struct {
	uint32_t type;
	const char *handler;
	char in[STATES + 1];
} rows[] = {
	/*                              kex --- |            */
	/*                          preauth --- :|           */
	/*                         checking --- ::|          */
	/*                      must change --- :::|         */
	/*                           authed --- ::::|        */
	/*                           ending --- :::::|       */
	/*                           second --- ::::::|      */
	/*                       must enrol --- :::::::|     */
	{ REQ_SIGN,         "do_sign",         "++++++++" },
	{ REQ_VERIFY,       "do_verify",       "-+---.+-" },
	{ REQ_PASSWORD,     "do_password",     "-+---.--" },
	{ REQ_OFFER,        "do_offer",        "-+---.--" },
	{ REQ_KEY_LOGIN,    "do_key_login",    "-+---.--" },
	{ REQ_NEW_PASSWORD, "do_new_password", "---+-.--" },
	{ REQ_TARGET,       "do_target",       "----+.--" },
	{ REQ_LIST,         "do_list",         "----+.--" },
	{ REQ_ATTACH,       "do_attach",       "----+.--" },
	{ REQ_CANCEL,       "do_cancel",       "----++--" },
	{ REQ_RESIZE,       "do_resize",       "----++--" },
	{ REQ_SIGNAL,       "do_signal",       "----++--" },
	{ REQ_STATUS,       "do_status",       "----++--" },
	{ REQ_DETACH,       "do_detach",       "----++--" },
	{ REQ_LOG,          "do_log",          "++++++++" },
	{ REQ_LANGUAGE,     "do_language",     "--+++.-+" },
	{ REQ_DETAILS,      "do_details",      "----+.--" },
	{ REQ_POWER,        "do_power",        "----+.--" },
	{ REQ_QUERY,        "do_query",        "----+.--" },
	{ REQ_CHANGE,       "do_change",       "----+.--" },
	{ REQ_PASSWD,       "do_passwd",       "----+.--" },
	{ REQ_STATS,        "do_stats",        "----+.--" },
	{ REQ_LOGS,         "do_logs",         "----+.--" },
	{ REQ_FOLLOW,       "do_follow",       "----+.--" },
	{ REQ_REPLAY,       "do_replay",       "----+.--" },
	{ REQ_CODE,         "do_code",         "-----.+-" },
	{ REQ_ENROL,        "do_enrol",        "----+.-+" },
	{ REQ_CONFIRM,      "do_confirm",      "----+.-+" },
	{ REQ_HELPER,       "do_helper",       "----+.--" },
	{ REQ_NOTE,         "do_note",         "----++--" },
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void
every_request_in_every_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t s = 0; s < STATES; s++) {
			struct broker b = { .state = states[s], .last_id = 6 };

			request(&b, rows[i].type, 7, false);
			if (outcome() != rows[i].in[s])
				fail_msg("%s in state %zu: %c", rows[i].handler, s, outcome());
			if (outcome() == '+')
				assert_string_equal(seen.handler, rows[i].handler);
			if (outcome() == '-')
				assert_int_equal(seen.type, rows[i].type);
			assert_int_equal(b.state, states[s]);
		}
	}
}

static bool
is_request(uint32_t type)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].type == type)
			return true;
	return false;
}

/* From the highest number round to 1023: replies and events are none of a session's either. */
static void
whatever_else_there_is_ends_the_pair_in_every_state(void **state)
{
	(void)state;
	for (uint32_t type = UINT32_MAX; type != 1024; type++) {
		for (size_t s = 0; s < STATES && !is_request(type); s++) {
			struct broker b = { .state = states[s] };

			request(&b, type, 1, false);
			if (outcome() != '-')
				fail_msg("type %u in state %zu: %c", type, s, outcome());
		}
	}
}

/* Nothing hands a broker a descriptor, not even where the request is ignored. */
static void
a_descriptor_ends_the_pair(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t s = 0; s < STATES; s++) {
			struct broker b = { .state = states[s] };

			request(&b, rows[i].type, 1, true);
			assert_int_equal(outcome(), '-');
		}
	}
}

/* ---- ids ------------------------------------------------------------------------- */

static void
an_id_is_greater_than_the_one_before(void **state)
{
	static const struct {
		uint32_t last, id;
		bool good;
	} ids[] = {
		{ 0, 1, true },
		{ 0, 0, false },
		{ 0, UINT32_MAX, true },
		{ 6, 7, true },
		{ 6, 100, true },
		{ 6, 6, false },
		{ 6, 5, false },
		{ 6, 0, false },
		{ UINT32_MAX - 1, UINT32_MAX, true },
		{ UINT32_MAX, UINT32_MAX, false },
		{ UINT32_MAX, 0, false },
		{ UINT32_MAX, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		for (size_t s = 0; s < STATES; s++) {
			struct broker b = { .state = states[s], .last_id = ids[i].last };

			request(&b, REQ_LOG, ids[i].id, false);
			assert_int_equal(outcome(), ids[i].good ? '+' : '-');
			if (ids[i].good)
				assert_int_equal(b.last_id, ids[i].id);
		}
	}
}

static void
an_id_is_used_by_a_request_that_is_ignored(void **state)
{
	struct broker b = { .state = STATE_ENDING };

	(void)state;
	request(&b, REQ_LIST, 5, false);
	assert_int_equal(outcome(), '.');
	request(&b, REQ_LIST, 5, false);
	assert_int_equal(outcome(), '-');
}

/* ---- what a handler says ------------------------------------------------------------ */

static void
what_a_handler_finds_wrong_ends_the_pair(void **state)
{
	struct broker b = { .state = STATE_AUTHED };

	(void)state;
	seen.answer = "malformed";
	request(&b, REQ_LIST, 1, false);
	seen.answer = NULL;
	assert_string_equal(seen.handler, "do_list");
	assert_string_equal(seen.ended, "malformed");
	assert_int_equal(seen.type, REQ_LIST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_in_every_state),
		cmocka_unit_test(whatever_else_there_is_ends_the_pair_in_every_state),
		cmocka_unit_test(a_descriptor_ends_the_pair),
		cmocka_unit_test(an_id_is_greater_than_the_one_before),
		cmocka_unit_test(an_id_is_used_by_a_request_that_is_ignored),
		cmocka_unit_test(what_a_handler_finds_wrong_ends_the_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
