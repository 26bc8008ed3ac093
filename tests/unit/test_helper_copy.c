/*
 * The records of a copy: written and read again, and what is refused; and the
 * paths in what is told of one.
 */
#include "../../src/helper/copy.h"

#include "jumpbox/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t wire[COPY_RECORD_MAX + 1];

/* Writes one and reads it back; no part of it is one. */
static struct copy_record
again(const struct copy_record *r)
{
	size_t n = copy_put(wire, r), i;
	struct copy_record got;

	for (i = 0; i < n; i++)
		assert_int_equal(copy_get(wire, i, &got), 0);
	assert_int_equal(copy_get(wire, n + 1, &got), n);
	assert_int_equal(got.type, r->type);
	return got;
}

static void
entries(void **state)
{
	struct copy_record r = { .type = COPY_FILE,
		.mode = 07777,
		.mtime = { -1, 999999999 },
		.text = "a \n\xff" },
			   got = again(&r);
	char longest[COPY_NAME_MAX + 1], target[COPY_TARGET_MAX + 1];

	(void)state;
	assert_string_equal(got.text, r.text);
	assert_int_equal(got.mode, 07777);
	assert_int_equal(got.mtime.tv_sec, -1);
	assert_int_equal(got.mtime.tv_nsec, 999999999);
	memset(longest, 'x', sizeof(longest) - 1);
	memset(target, '/', sizeof(target) - 1);
	longest[COPY_NAME_MAX] = target[COPY_TARGET_MAX] = '\0';
	r = (struct copy_record){ .type = COPY_LINK, .text = longest, .target = target };
	got = again(&r);
	assert_string_equal(got.text, longest);
	assert_string_equal(got.target, target);
	r = (struct copy_record){ .type = COPY_DIR, .text = "" };
	assert_string_equal(again(&r).text, "");
}

static void
all_others(void **state)
{
	struct copy_record r = { .type = COPY_HOLE, .length = INT64_MAX }, got = again(&r);

	(void)state;
	assert_int_equal(got.length, INT64_MAX);
	r = (struct copy_record){ .type = COPY_END, .flag = true };
	assert_true(again(&r).flag);
	r = (struct copy_record){ .type = COPY_CLOSE };
	assert_false(again(&r).flag);
	r = (struct copy_record){ .type = COPY_UP };
	again(&r);
	r = (struct copy_record){ .type = COPY_SAID, .text = "x: no" };
	assert_string_equal(again(&r).text, "x: no");
	copy_put_head(wire, COPY_DATA, COPY_DATA_MAX);
	assert_int_equal(copy_get(wire, COPY_RECORD_MAX, &got), COPY_RECORD_MAX);
	assert_ptr_equal(got.bytes, wire + COPY_HEAD);
	assert_int_equal(got.nbytes, COPY_DATA_MAX);
}

static void
refused(enum copy_type type, const void *p, size_t n)
{
	struct copy_record r;

	copy_put_head(wire, type, n);
	memcpy(wire + COPY_HEAD, p, n);
	assert_int_equal(copy_get(wire, COPY_HEAD + n, &r), -1);
}

#define META "\0\0\1\244\0\0\0\0\0\0\0\0\0\0\0\0"

static void
names_that_are_none(void **state)
{
	static const char *const bad[] = { META ".", META "..", META "/", META "a/b", META "../b" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(COPY_FILE, bad[i], 16 + strlen(bad[i] + 16) + 1);
	refused(COPY_FILE, META "a", 17);			     /* no end */
	refused(COPY_FILE, META "a\0b", 20);			     /* two of them */
	refused(COPY_LINK, META "a", 18);			     /* no target */
	refused(COPY_LINK, META "a\0", 19);			     /* an empty one */
	refused(COPY_LINK, META "a\0b\0c", 22);			     /* two */
	refused(COPY_DIR, "\0\0\20\0\0\0\0\0\0\0\0\0\0\0\0\0a", 18); /* a mode with a kind in it */
	refused(COPY_DIR, "\0\0\0\0\0\0\0\0\0\0\0\0\73\232\312\0a", 18); /* a whole second */
}

static void
lengths_and_values(void **state)
{
	struct copy_record r;

	(void)state;
	refused(COPY_HOLE, "\0\0\0\0\0\0\0\0", 8);
	refused(COPY_HOLE, "\200\0\0\0\0\0\0\0", 8);
	refused(COPY_HOLE, "\0\0\0\1", 4);
	refused(COPY_CLOSE, "\0\0\0\2", 4);
	refused(COPY_END, "", 0);
	refused(COPY_UP, "x", 1);
	refused(COPY_SAID, "", 1);
	refused(COPY_SAID, "a\nb", 4);
	refused(COPY_SAID, "ab", 2);
	refused(COPY_DATA, "", 0);
	refused(COPY_TYPES, "", 0);
	refused(0, "", 0);
	copy_put_head(wire, COPY_DATA, COPY_DATA_MAX + 1); /* seen in the head */
	assert_int_equal(copy_get(wire, COPY_HEAD, &r), -1);
}

static void
paths(void **state)
{
	struct copy_path *p = xcalloc(1, sizeof(*p));
	char text[COPY_SAID_MAX + 1], name[COPY_NAME_MAX + 1];
	size_t top, below;

	(void)state;
	copy_path_set(p, "/data");
	top = copy_path_push(p, "a\nb");
	below = copy_path_push(p, "c");
	assert_string_equal(p->s, "/data/a\nb/c");
	copy_path_says(p, "no", text);
	assert_string_equal(text, "/data/a\\x0ab/c: no");
	copy_path_pop(p, below);
	copy_path_pop(p, top);
	assert_string_equal(p->s, "/data");
	copy_path_set(p, "");
	copy_path_push(p, "a");
	assert_string_equal(p->s, "a");
	copy_path_set(p, "/");
	copy_path_push(p, "a");
	copy_path_push(p, "");
	assert_string_equal(p->s, "/a");
	memset(name, 'x', sizeof(name) - 1);
	name[COPY_NAME_MAX] = '\0';
	for (size_t i = 0; i < COPY_DEPTH; i++)
		copy_path_push(p, name);
	copy_path_push(p, "the end");
	copy_path_says(p, "no", text);
	assert_memory_equal(text, "...xxx", 6);
	assert_string_equal(text + strlen(text) - 15, "xxx/the end: no");
	memset(name, '\xff', sizeof(name) - 1);
	copy_path_push(p, name);
	copy_path_says(p, "no", text);
	assert_string_equal(text + strlen(text) - 4, ": no");
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(all_others),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(lengths_and_values),
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
