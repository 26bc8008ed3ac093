/*
 * Recordings: what is written is read as it was meant, and what is no
 * recording is refused.
 */
#include "jumpbox/cast.h"

#include "jumpbox/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
assert_text(const struct buf *b, const char *text)
{
	assert_int_equal(buf_len(b), strlen(text));
	assert_memory_equal(buf_ptr(b), text, strlen(text));
}

static void
put(struct buf *out, struct cast_text *t, const char *p, size_t n)
{
	buf_reset(out);
	assert_int_equal(cast_put_text(out, 1005, t, p, n), 0);
}

static void
test_text(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "plain text", "plain text" },
		{ "\"\\/", "\\\"\\\\/" },
		{ "\b\t\n\f\r", "\\b\\t\\n\\f\\r" },
		{ "\033[0m\a\x7f", "\\u001b[0m\\u0007\x7f" },
		{ "\xc3\xa4\xe4\xb8\xad\xf0\x9f\x90\x8b", "\xc3\xa4\xe4\xb8\xad\xf0\x9f\x90\x8b" },
		/* One for each sequence that breaks off, and for each byte that begins none. */
		{ "\x80\xff-", "\xef\xbf\xbd\xef\xbf\xbd-" },
		{ "\xe4\xb8-", "\xef\xbf\xbd-" },
		{ "\xe4\xe4\xb8\xad", "\xef\xbf\xbd\xe4\xb8\xad" },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },		    /* overlong */
		{ "\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* overlong */
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\x9f\xbf\xf4\x8f\xbf\xbf", "\xed\x9f\xbf\xf4\x8f\xbf\xbf" },
	};
	struct buf out;
	char want[128];

	(void)state;
	buf_init(&out, 2 * CAST_EVENT_ROOM);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cast_text t = { .kind = CAST_OUTPUT };

		put(&out, &t, rows[i].in, strlen(rows[i].in));
		snprintf(want, sizeof(want), "[1.005,\"o\",\"%s\"]\n", rows[i].out);
		assert_text(&out, want);
		assert_int_equal(t.npart, 0);
	}
	buf_release(&out);
}

static void
test_a_cut_character_waits(void **state)
{
	struct cast_text t = { .kind = CAST_INPUT };
	struct buf out;

	(void)state;
	buf_init(&out, 2 * CAST_EVENT_ROOM);
	put(&out, &t, "a\xf0\x9f", 3);
	assert_text(&out, "[1.005,\"i\",\"a\"]\n");
	put(&out, &t, "\x90", 1);
	assert_text(&out, "[1.005,\"i\",\"\"]\n");
	put(&out, &t, "\x8b\xe4\xb8", 3);
	assert_text(&out, "[1.005,\"i\",\"\xf0\x9f\x90\x8b\"]\n");
	put(&out, &t, "no\xc3", 3);
	assert_text(&out, "[1.005,\"i\",\"\xef\xbf\xbdno\"]\n");
	put(&out, &t, "\xa4", 1);
	assert_text(&out, "[1.005,\"i\",\"\xc3\xa4\"]\n");
	buf_release(&out);
}

/* However it is cut, the text is the same. */
static void
test_any_cut(void **state)
{
	static const char all[] = "x\xc3\xa4\xe4\xb8\xad\xf0\x9f\x90\x8b\xf0\x9f\xff\xe0\xa0y";
	size_t n = sizeof(all) - 1;
	char whole[256], joined[256];
	struct buf out;

	(void)state;
	buf_init(&out, 2 * CAST_EVENT_ROOM);
	for (size_t a = 0; a <= n; a++) {
		for (size_t b = a; b <= n; b++) {
			const size_t cut[] = { 0, a, b, n };
			struct cast_text t = { .kind = CAST_OUTPUT };

			joined[0] = '\0';
			for (int i = 0; i < 3; i++) {
				put(&out, &t, all + cut[i], cut[i + 1] - cut[i]);
				strncat(
				    joined, (const char *)buf_ptr(&out) + 12, buf_len(&out) - 15);
			}
			if (a == 0 && b == 0)
				strcpy(whole, joined);
			assert_string_equal(joined, whole);
		}
	}
	buf_release(&out);
}

static void
test_the_largest_event_fits(void **state)
{
	static char worst[CAST_TAKES];
	struct cast_text t = { .kind = CAST_OUTPUT };
	struct buf out;

	(void)state;
	memset(worst, 1, sizeof(worst));
	buf_init(&out, CAST_EVENT_ROOM);
	put(&out, &t, worst, sizeof(worst));
	assert_true(buf_len(&out) > 6 * CAST_TAKES);
	assert_int_equal(cast_put_text(&out, 0, &t, "x", 1), JB_INTERNAL);
	assert_int_equal(cast_put_size(&out, 0, 80, 24), JB_INTERNAL);
	buf_release(&out);
}

/* ---- reading --------------------------------------------------------------- */

struct file {
	struct buf bytes;
	size_t at, step;
};

static void
file_init(struct file *f, size_t step)
{
	*f = (struct file){ .step = step };
	buf_init(&f->bytes, 1 << 24);
}

static void
add_member(struct file *f, const char *text)
{
	assert_int_equal(cast_member(&f->bytes, text, strlen(text)), 0);
}

static enum cast_got
next(struct file *f, struct cast_reader *r, struct cast_event *e)
{
	enum cast_got got;
	size_t n;

	while ((got = cast_next(r, e)) == CAST_MORE) {
		n = buf_len(&f->bytes) - f->at < f->step ? buf_len(&f->bytes) - f->at : f->step;
		if (n == 0)
			return CAST_MORE;
		cast_feed(r, buf_ptr(&f->bytes) + f->at, n);
		f->at += n;
	}
	return got;
}

#define HEAD "{\"version\":2,\"width\":80,\"height\":24}\n"

static void
test_what_is_written_is_read(void **state)
{
	const struct cast_head head = { 132, 50, 1700000000, "xterm", "a \"b\" in c" };
	static const size_t steps[] = { 1, 7, CAST_FEED };
	struct cast_text t = { .kind = CAST_OUTPUT };
	struct cast_reader *r;
	struct cast_event e;
	struct buf line;
	struct file f;
	size_t n;

	(void)state;
	buf_init(&line, 4 * CAST_EVENT_ROOM);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		file_init(&f, steps[i]);
		buf_reset(&line);
		assert_int_equal(cast_put_head(&line, &head), 0);
		assert_int_equal(cast_member(&f.bytes, buf_ptr(&line), buf_len(&line)), 0);
		buf_reset(&line);
		assert_int_equal(
		    cast_put_text(&line, 250, &t, "\033[1m\"\\\r\n\xe4\xb8\xad\0z", 13), 0);
		assert_int_equal(cast_put_size(&line, 61001, 90, 30), 0);
		assert_int_equal(cast_member(&f.bytes, buf_ptr(&line), buf_len(&line)), 0);
		r = cast_reader_new();
		assert_int_equal(next(&f, r, &e), CAST_EVENT);
		assert_int_equal(e.kind, 0);
		assert_int_equal(e.cols * 1000 + e.rows, 132050);
		assert_memory_equal(cast_line(r, &n), "{\"version\":2,", 13);
		assert_int_equal(next(&f, r, &e), CAST_EVENT);
		assert_int_equal(e.kind, CAST_OUTPUT);
		assert_int_equal(e.at_ms, 250);
		assert_int_equal(e.len, 13);
		assert_memory_equal(e.text, "\033[1m\"\\\r\n\xe4\xb8\xad\0z", 13);
		assert_int_equal(next(&f, r, &e), CAST_EVENT);
		assert_int_equal(e.kind, CAST_RESIZE);
		assert_int_equal(e.at_ms, 61001);
		assert_int_equal(e.cols * 1000 + e.rows, 90030);
		assert_memory_equal(cast_line(r, &n), "[61.001,\"r\",\"90x30\"]", 20);
		assert_int_equal(n, 20);
		assert_int_equal(next(&f, r, &e), CAST_MORE);
		cast_reader_free(r);
		buf_release(&f.bytes);
	}
	buf_release(&line);
}

/* A file that ends anywhere: whole lines up to there, and never a fault. */
static void
test_a_cut_file(void **state)
{
	struct cast_reader *r;
	struct cast_event e;
	enum cast_got got;
	struct file f;
	size_t whole, first;

	(void)state;
	file_init(&f, CAST_FEED);
	add_member(&f, HEAD);
	first = buf_len(&f.bytes);
	add_member(&f, "[1,\"o\",\"a\"]\n[2,\"o\",\"b\"]\n");
	whole = buf_len(&f.bytes);
	for (; f.bytes.end > 0; f.bytes.end--) {
		int n = 0;

		f.at = 0;
		r = cast_reader_new();
		while ((got = next(&f, r, &e)) == CAST_EVENT)
			n++;
		assert_int_equal(got, CAST_MORE);
		assert_true(n <= 3 && (n >= 1 || buf_len(&f.bytes) < first));
		assert_true(n == 3 || buf_len(&f.bytes) < whole);
		cast_reader_free(r);
	}
	buf_release(&f.bytes);
}

/* What one member with this text is: the result of reading it to its end. */
static enum cast_got
verdict(const char *text, struct cast_event *e)
{
	static struct cast_reader *r;
	struct cast_event got;
	enum cast_got state;
	struct file f;

	cast_reader_free(r); /* the event lives until then */
	r = cast_reader_new();
	file_init(&f, CAST_FEED);
	if (text[0] != '{')
		add_member(&f, HEAD);
	add_member(&f, text);
	while ((state = next(&f, r, &got)) == CAST_EVENT)
		*e = got;
	buf_release(&f.bytes);
	return state;
}

static void
test_what_is_an_event(void **state)
{
	struct cast_event e;

	(void)state;
	assert_int_equal(verdict("[0.5, \"o\", \"x\"]\n", &e), CAST_MORE);
	assert_int_equal(e.at_ms, 500);
	assert_int_equal(verdict("[ 12.3456789 ,\"m\",\"\"] \n", &e), CAST_MORE);
	assert_int_equal(e.at_ms, 12345);
	assert_int_equal(e.kind, 'm');
	assert_int_equal(
	    verdict("[1,\"o\",\"\\u00e4\\ud83d\\udc0b\\ud83dx\\u0000\\/\"]\n", &e), CAST_MORE);
	assert_int_equal(e.len, 12);
	assert_memory_equal(e.text, "\xc3\xa4\xf0\x9f\x90\x8b\xef\xbf\xbdx\0/", 12);
	assert_int_equal(
	    verdict(
		"{\"env\":{\"a\":[1,{}]},\"version\":2,\"x\":null,\"height\":24,\"width\":80}\n",
		&e),
	    CAST_MORE);
	assert_int_equal(e.cols * 1000 + e.rows, 80024);
}

static void
test_what_is_none(void **state)
{
	static const char *const bad[] = {
		"\n",
		"[]\n",
		"[1,\"o\"]\n",
		"[1,\"o\",\"x\",1]\n",
		"[1,\"o\",\"x\"] x\n",
		"[1,\"oo\",\"x\"]\n",
		"[1,\"\",\"x\"]\n",
		"[-1,\"o\",\"x\"]\n",
		"[1e3,\"o\",\"x\"]\n",
		"[10000000000,\"o\",\"x\"]\n",
		"[1,\"o\",\"x]\n",
		"[1,\"o\",\"\\x\"]\n",
		"[1,\"o\",\"\\u12g4\"]\n",
		"[1,\"r\",\"80\"]\n",
		"[1,\"r\",\"0x24\"]\n",
		"[1,\"r\",\"80x24x\"]\n",
		"[1,\"r\",\"99999x24\"]\n",
		"[1,\"r\",\"80x24                \"]\n",
		"{}\n",
		"{\"version\":1,\"width\":80,\"height\":24}\n",
		"{\"version\":2,\"width\":80}\n",
		"{\"version\":2,\"width\":0,\"height\":24}\n",
		"{\"version\":2,\"width\":80,\"height\":24\n",
		"{\"version\":2,\"width\":80,\"height\":24,\"x\":[[[[[1]]]]]}\n",
		"{\"version\":2,\"width\":80,\"height\":24,\"x\":}\n",
	};
	struct cast_event e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (bad[i][strlen(bad[i]) - 1] == '\n' && verdict(bad[i], &e) != CAST_BAD)
			fail_msg("taken for an event: %s", bad[i]);
}

static void
test_bytes_that_are_no_gzip(void **state)
{
	struct cast_reader *r = cast_reader_new();
	struct cast_event e;

	(void)state;
	cast_feed(r, "plain text is not", 17);
	assert_int_equal(cast_next(r, &e), CAST_BAD);
	cast_feed(r, "x", 1);
	assert_int_equal(cast_next(r, &e), CAST_BAD); /* for good */
	cast_reader_free(r);
}

/* A small file that unpacks to very much. */
static void
test_a_line_has_a_maximum(void **state)
{
	size_t n = 4 * CAST_EVENT_ROOM;
	char *line = xcalloc(n + 1, 1);
	struct cast_event e;

	(void)state;
	memset(line, ' ', n);
	assert_int_equal(verdict(line, &e), CAST_BAD);
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_a_cut_character_waits),
		cmocka_unit_test(test_any_cut),
		cmocka_unit_test(test_the_largest_event_fits),
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_a_cut_file),
		cmocka_unit_test(test_what_is_an_event),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_bytes_that_are_no_gzip),
		cmocka_unit_test(test_a_line_has_a_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
