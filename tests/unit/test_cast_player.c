/*
 * Playing a recording: what is shown when, and which keys end it.
 */
#include "jumpbox/cast.h"

#include "jumpbox/recordings.h"
#include "jumpbox/util.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
	char dir[64];
	int top, writer;
	struct player p;
	struct buf out;
	int64_t next;
};

static void
add(struct scene *s, const char *text)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_int_equal(cast_member(&b, text, strlen(text)), 0);
	assert_int_equal(write(s->writer, buf_ptr(&b), buf_len(&b)), buf_len(&b));
	buf_release(&b);
}

static int
setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));

	strcpy(s->dir, "/tmp/jumpbox-player-XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		return -1;
	s->top = open(s->dir, O_RDONLY | O_DIRECTORY);
	s->writer = recording_create(s->top, "a");
	buf_init(&s->out, PLAYER_OUT);
	add(s, "{\"version\":2,\"width\":80,\"height\":24}\n");
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	player_release(&s->p);
	if (s->writer >= 0)
		close(s->writer);
	unlinkat(s->top, "a", 0);
	close(s->top);
	rmdir(s->dir);
	buf_release(&s->out);
	free(s);
	return 0;
}

static void
begin(struct scene *s, bool follow)
{
	assert_true(player_init(&s->p, recording_open(s->top, "a"), follow));
	assert_int_equal(s->p.cols * 1000 + s->p.rows, 80024);
}

/* What is due then; the state that it leaves is checked. */
static const char *
turn(struct scene *s, int64_t now, enum player_state want)
{
	static char text[4096];

	buf_reset(&s->out);
	assert_int_equal(player_turn(&s->p, now, &s->out, &s->next), want);
	snprintf(text, sizeof(text), "%.*s", (int)buf_len(&s->out), (const char *)buf_ptr(&s->out));
	return text;
}

static void
in_its_own_time(void **state)
{
	struct scene *s = *state;

	add(s, "[0.5,\"o\",\"a\"]\n[0.5,\"i\",\"typed\"]\n[0.6,\"o\",\"b\"]\n[10,\"o\",\"c\"]\n");
	begin(s, false);
	assert_string_equal(turn(s, 1000, PLAYER_WAITS), "");
	assert_int_equal(s->next, 1500);
	assert_string_equal(turn(s, 1499, PLAYER_WAITS), "");
	assert_string_equal(turn(s, 1500, PLAYER_WAITS), "a");
	assert_int_equal(s->next, 1600);
	assert_string_equal(turn(s, 1700, PLAYER_WAITS), "b"); /* late, and not ever later */
	assert_int_equal(s->next, 11000);
	assert_string_equal(turn(s, 11000, PLAYER_ENDED), "c");
}

static void
faster_and_without_long_pauses(void **state)
{
	struct scene *s = *state;

	add(s, "[1,\"o\",\"a\"]\n[100,\"o\",\"b\"]\n");
	begin(s, false);
	s->p.speed = 200;
	s->p.idle_ms = 3000;
	turn(s, 1000, PLAYER_WAITS);
	assert_int_equal(s->next, 1500);
	assert_string_equal(turn(s, 1500, PLAYER_WAITS), "a");
	assert_int_equal(s->next, 3000);
	assert_string_equal(turn(s, 3000, PLAYER_ENDED), "b");
}

static void
a_blank_pauses(void **state)
{
	struct scene *s = *state;

	add(s, "[1,\"o\",\"a\"]\n");
	begin(s, false);
	turn(s, 1000, PLAYER_WAITS);
	assert_false(player_key(&s->p, ' ', 1500));
	turn(s, 9000, PLAYER_WAITS);
	assert_int_equal(s->next, 0); /* nothing is due */
	assert_false(player_key(&s->p, ' ', 9000));
	turn(s, 9000, PLAYER_WAITS);
	assert_int_equal(s->next, 10000);
	assert_string_equal(turn(s, 10000, PLAYER_ENDED), "a");
}

static void
keys_that_leave(void **state)
{
	static const struct {
		const char *typed;
		bool leaves;
	} rows[] = {
		{ "q", true },
		{ "\003", true },
		{ "\004", true },
		{ "xyz\r", false },
		{ "\033[24;80R", false },
		{ "\033[24;80Rq", true },
		{ "\033Oq", false },
		{ "\033q", false },
		{ "\033]11;q rgb\007", false },
		{ "\033P>|q\033\\", false },
		{ "\033P>|q\033\\q", true },
		{ "\033]q", false },
		{ "\033]\003", true },
	};
	struct scene *s = *state;

	begin(s, false);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool left = false;

		s->p.escape = 0;
		for (const char *c = rows[i].typed; *c != '\0'; c++)
			left = player_key(&s->p, (uint8_t)*c, 1);
		if (left != rows[i].leaves)
			fail_msg("row %zu", i);
	}
}

static void
follows_while_it_grows(void **state)
{
	struct scene *s = *state;

	add(s, "[1,\"o\",\"a\"]\n[100,\"o\",\"b\"]\n");
	begin(s, true);
	assert_string_equal(turn(s, 1000, PLAYER_WAITS), "ab"); /* at once */
	assert_in_range(s->next, 1001, 1500);
	assert_string_equal(turn(s, 1500, PLAYER_WAITS), "");
	add(s, "[101,\"o\",\"c\"]\n");
	assert_string_equal(turn(s, 2000, PLAYER_WAITS), "c");
	assert_false(player_key(&s->p, ' ', 2000)); /* what is live does not wait */
	add(s, "[102,\"o\",\"d\"]\n");
	close(s->writer);
	s->writer = -1;
	assert_string_equal(turn(s, 2500, PLAYER_WAITS), "d");
	assert_string_equal(turn(s, 3000, PLAYER_ENDED), "");
}

static void
what_does_not_fit_is_cut(void **state)
{
	struct scene *s = *state;

	add(s, "[0,\"r\",\"100x30\"]\n[0,\"o\",\"a\"]\n[0,\"r\",\"90x20\"]\n[0,\"o\",\"b\"]\n");
	begin(s, true);
	player_screen(&s->p, 90, 24);
	assert_string_equal(turn(s, 1, PLAYER_WAITS), "\033[?7la\033[?7hb");
	assert_true(s->p.cut);
	assert_int_equal(s->p.cols * 1000 + s->p.rows, 90020);
}

static void
not_all_at_once(void **state)
{
	struct scene *s = *state;
	char line[5000];
	size_t all = 0, n;

	memset(line, 'x', sizeof(line));
	memcpy(line, "[1,\"o\",\"", 8);
	strcpy(line + sizeof(line) - 4, "\"]\n");
	for (int i = 0; i < 200; i++)
		add(s, line);
	begin(s, true);
	for (int turns = 0; all < 200 * (sizeof(line) - 12); turns++) {
		turn(s, 1, PLAYER_WAITS);
		assert_true((n = buf_len(&s->out)) > 0 && turns < 10);
		all += n;
	}
}

static void
damage(void **state)
{
	struct scene *s = *state;

	add(s, "[1,\"o\",\"a\"]\nnonsense\n");
	begin(s, true);
	assert_string_equal(turn(s, 1, PLAYER_BAD), "a");
	player_release(&s->p);
	assert_false(player_init(&s->p, open("/dev/zero", O_RDONLY), false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_its_own_time, setup, teardown),
		cmocka_unit_test_setup_teardown(faster_and_without_long_pauses, setup, teardown),
		cmocka_unit_test_setup_teardown(a_blank_pauses, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_that_leave, setup, teardown),
		cmocka_unit_test_setup_teardown(follows_while_it_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(not_all_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(damage, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
