/*
 * The frames between session and helper: written and read again, and what is refused.
 */
#include "jumpbox/mux.h"

#include "jumpbox/errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Writes a frame, and reads it as one of side `from`. */
static void
again(const struct mux_frame *f, enum mux_side from, struct buf *b, struct mux_frame *got)
{
	size_t n;

	buf_init(b, 2 * MUX_FRAME_MAX);
	assert_int_equal(mux_put(b, f), 0);
	for (n = 0; n < buf_len(b); n++)
		assert_int_equal(mux_get(buf_ptr(b), n, from, got), 0);
	assert_int_equal(buf_add(b, "more", 4), 0);
	memset(got, 0x55, sizeof(*got));
	assert_int_equal(mux_get(buf_ptr(b), buf_len(b), from, got), n);
	assert_int_equal(got->channel, f->channel);
	assert_int_equal(got->type, f->type);
}

static void
assert_str(struct mux_str s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.s, want, s.n);
}

static void
the_wire(void **state)
{
	static const uint8_t want[] = { 0, 0, 1, 2, 5, 0, 0, 11, 0, 0, 0, 3, 'd', 'b', '1', 0, 0,
		0x15, 0x38 };
	struct mux_frame f = { .channel = 258, .type = MUX_OPEN_TCP }, got;
	struct buf b;

	(void)state;
	f.u.tcp.host = mux_str("db1");
	f.u.tcp.port = 5432;
	again(&f, MUX_SESSION, &b, &got);
	assert_int_equal(buf_len(&b), sizeof(want) + 4);
	assert_memory_equal(buf_ptr(&b), want, sizeof(want));
	assert_str(got.u.tcp.host, "db1");
	assert_int_equal(got.u.tcp.port, 5432);
	buf_release(&b);
}

static void
the_mask(void **state)
{
	struct mux_frame f = { .type = MUX_HELLO }, got;
	struct buf b;

	(void)state;
	f.u.hello.version = MUX_VERSION;
	f.u.hello.perms = 0x81;
	f.u.hello.items = mux_str("db:5432 [::1]:80");
	f.u.hello.marker = mux_str("");
	again(&f, MUX_SESSION, &b, &got);
	assert_int_equal(got.u.hello.version, MUX_VERSION);
	assert_int_equal(got.u.hello.perms, 0x81);
	assert_str(got.u.hello.items, "db:5432 [::1]:80");
	assert_int_equal(got.u.hello.marker.n, 0);
	buf_release(&b);
}

static void
a_command_with_all_that_it_may_have(void **state)
{
	struct mux_frame f = { .channel = 1, .type = MUX_OPEN_EXEC }, got;
	char *command = malloc(MUX_COMMAND_MAX + 1), *copy;
	struct buf b;

	(void)state;
	memset(command, 'x', MUX_COMMAND_MAX);
	command[MUX_COMMAND_MAX] = '\0';
	f.u.exec.pty = f.u.exec.has_command = 1;
	f.u.exec.cols = 80;
	f.u.exec.rows = 24;
	f.u.exec.command = mux_str(command);
	for (; f.u.exec.nenv < MUX_ENV_MAX; f.u.exec.nenv++) {
		f.u.exec.env[f.u.exec.nenv].name = mux_str("TERM");
		f.u.exec.env[f.u.exec.nenv].value = mux_str("xterm");
	}
	again(&f, MUX_SESSION, &b, &got);
	assert_int_equal(got.u.exec.pty, 1);
	assert_int_equal(got.u.exec.login, 0);
	assert_int_equal(got.u.exec.cols, 80);
	assert_int_equal(got.u.exec.nenv, MUX_ENV_MAX);
	assert_str(got.u.exec.env[MUX_ENV_MAX - 1].value, "xterm");
	copy = mux_strdup(got.u.exec.command);
	assert_string_equal(copy, command);
	free(copy);
	buf_release(&b);

	buf_init(&b, 2 * MUX_FRAME_MAX);
	f.u.exec.nenv++;
	assert_int_equal(mux_put(&b, &f), JB_INTERNAL);
	f.u.exec.nenv = 0;
	f.u.exec.command.n++;
	assert_int_equal(mux_put(&b, &f), JB_INTERNAL);
	assert_int_equal(buf_len(&b), 0);
	buf_release(&b);
	free(command);
}

static void
data_as_it_is(void **state)
{
	struct mux_frame f = { .channel = MUX_TOP_BIT | 7, .type = MUX_DATA }, got;
	char bytes[256];
	struct buf b;
	int i;

	(void)state;
	for (i = 0; i < 256; i++)
		bytes[i] = (char)i;
	f.u.data.bytes = (struct mux_str){ bytes, sizeof(bytes) };
	again(&f, MUX_HELPER, &b, &got);
	assert_int_equal(got.u.data.bytes.n, sizeof(bytes));
	assert_memory_equal(got.u.data.bytes.s, bytes, sizeof(bytes));
	buf_release(&b);
}

/* A head that was written for a payload already in place is that of the whole frame. */
static void
a_head_by_itself(void **state)
{
	uint8_t wire[MUX_HEAD + 5] = "........hello";
	struct mux_frame got;

	(void)state;
	mux_put_head(wire, 9, MUX_ERRDATA, 5);
	assert_int_equal(mux_get(wire, sizeof(wire), MUX_HELPER, &got), sizeof(wire));
	assert_int_equal(got.channel, 9);
	assert_str(got.u.data.bytes, "hello");
}

/* Each type from either side, on each kind of channel: what is allowed waits for its payload. */
static void
who_may_say_what_and_where(void **state)
{
	/* s: session, h: helper; then channel 0, the session's, the helper's */
	static const char *const allowed[MUX_TYPES] = { "", "s0", "h0", "s1", "s1", "s1", "s1",
		"s1", "s1", "s1", "h1", "h1", "h2", "sh12", "h1", "h1", "sh12", "sh12", "s1", "s1",
		"h1", "sh12", "s1", "s1" };
	static const uint32_t channels[] = { 0, 1, MUX_TOP_BIT };
	uint8_t wire[MUX_HEAD];
	struct mux_frame f;
	bool empty, ok;
	long got;
	int type, side, c;

	(void)state;
	for (type = 1; type < MUX_TYPES; type++) {
		empty = type == MUX_LISTEN_AGENT || type == MUX_EOF || type == MUX_CLOSE ||
		    type == MUX_UNREAD;
		for (side = 0; side < 2; side++) {
			for (c = 0; c < 3; c++) {
				ok = strchr(allowed[type], "sh"[side]) &&
				    strchr(allowed[type], '0' + c);
				mux_put_head(wire, channels[c], (enum mux_type)type, !empty);
				got = mux_get(wire, MUX_HEAD, side ? MUX_HELPER : MUX_SESSION, &f);
				assert_int_equal(got, !ok ? JB_BAD_INPUT : empty ? MUX_HEAD : 0);
			}
		}
	}
	mux_put_head(wire, 1, 0, 0);
	assert_int_equal(mux_get(wire, MUX_HEAD, MUX_SESSION, &f), JB_BAD_INPUT);
	mux_put_head(wire, 1, MUX_TYPES, 0);
	assert_int_equal(mux_get(wire, MUX_HEAD, MUX_SESSION, &f), JB_BAD_INPUT);
}

/* Refused as soon as the head is there: nobody waits for 16 MiB. */
static void
too_long_is_seen_in_the_head(void **state)
{
	static const struct {
		enum mux_type type;
		size_t most;
	} cases[] = {
		{ MUX_DATA, MUX_DATA_MAX },
		{ MUX_OPEN_TCP, 4 + MUX_HOST_MAX + 4 },
		{ MUX_OPEN_EXEC, MUX_PAYLOAD_MAX },
		{ MUX_RESIZE, 8 },
		{ MUX_CLOSE, 0 },
	};
	uint8_t wire[MUX_HEAD];
	struct mux_frame f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mux_put_head(wire, 1, cases[i].type, cases[i].most);
		assert_true(mux_get(wire, MUX_HEAD, MUX_SESSION, &f) >= 0);
		mux_put_head(wire, 1, cases[i].type, cases[i].most + 1);
		assert_int_equal(mux_get(wire, MUX_HEAD, MUX_SESSION, &f), JB_BAD_INPUT);
	}
}

static void
refused(uint32_t channel, enum mux_type type, enum mux_side from, const void *p, size_t n)
{
	uint8_t wire[MUX_HEAD + 64];
	struct mux_frame f;

	mux_put_head(wire, channel, type, n);
	memcpy(wire + MUX_HEAD, p, n);
	assert_int_equal(mux_get(wire, MUX_HEAD + n, from, &f), JB_BAD_INPUT);
}

static void
malformed_payloads(void **state)
{
	(void)state;
	refused(1, MUX_DATA, MUX_SESSION, "", 0);
	refused(1, MUX_OPEN_TCP, MUX_SESSION, "\0\0\0\2db\0\0\0", 9);	    /* cut */
	refused(1, MUX_OPEN_TCP, MUX_SESSION, "\0\0\0\2db\0\0\0\1x", 11);   /* one too many */
	refused(1, MUX_OPEN_TCP, MUX_SESSION, "\0\0\0\2d\0\0\0\0\1", 10);   /* a NUL */
	refused(1, MUX_OPEN_TCP, MUX_SESSION, "\0\0\0\2db\0\1\0\0", 10);    /* port 65536 */
	refused(1, MUX_OPEN_TCP, MUX_SESSION, "\377\377\377\377db\0\1", 8); /* longer than all */
	refused(1, MUX_OPEN_SFTP, MUX_SESSION, "\0\0\0\2", 4);		    /* neither yes nor no */
	refused(1, MUX_OPEN_COPY, MUX_SESSION, "\0\0\0\2\0\0\0\1/\0\0\0\0\0\0\0\0", 17);
	refused(1, MUX_OPEN_COPY, MUX_SESSION, "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0", 17);
	refused(1, MUX_WINDOW, MUX_SESSION, "\100\0\0\1", 4); /* above 1 GiB */
	refused(1, MUX_WINDOW, MUX_SESSION, "\0\0\1", 3);
	refused(1, MUX_FAILED, MUX_HELPER, "\0\0\0\13\0\0\0\0", 8); /* no such reason */
	refused(1, MUX_OPEN_EXEC, MUX_SESSION,
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\101", 28); /* 65 variables */
	refused(1, MUX_OPEN_EXEC, MUX_SESSION,
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1x", 33);
}

static void
a_full_buffer_takes_nothing(void **state)
{
	struct mux_frame f = { .channel = 1, .type = MUX_WINDOW };
	struct buf b;

	(void)state;
	f.u.window.more = 1;
	buf_init(&b, MUX_HEAD + 4 + 11);
	assert_int_equal(mux_put(&b, &f), 0);
	assert_int_equal(mux_put(&b, &f), JB_INTERNAL);
	assert_int_equal(buf_len(&b), MUX_HEAD + 4);
	buf_release(&b);
}

static void
every_type_has_a_name(void **state)
{
	int type;

	(void)state;
	for (type = 1; type < MUX_TYPES; type++)
		assert_non_null(mux_name((enum mux_type)type));
	assert_string_equal(mux_name(MUX_LISTEN_AGENT), "LISTEN_AGENT");
	assert_string_equal(mux_name(MUX_TYPES), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wire),
		cmocka_unit_test(the_mask),
		cmocka_unit_test(a_command_with_all_that_it_may_have),
		cmocka_unit_test(data_as_it_is),
		cmocka_unit_test(a_head_by_itself),
		cmocka_unit_test(who_may_say_what_and_where),
		cmocka_unit_test(too_long_is_seen_in_the_head),
		cmocka_unit_test(malformed_payloads),
		cmocka_unit_test(a_full_buffer_takes_nothing),
		cmocka_unit_test(every_type_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
