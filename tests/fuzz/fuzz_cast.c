/*
 * Recordings.  The first byte says how the rest is taken: as a file, as the
 * text in a member of one, or as the output of a terminal, which has to be
 * readable however it is cut.
 */
#include "fuzz.h"

#include "jumpbox/cast.h"

#include <string.h>

enum { AS_FILE, AS_TEXT, AS_OUTPUT, WAYS };

/* All events of a file, given in pieces; what they say has to lie where it was read. */
static enum cast_got
read_all(const uint8_t *p, size_t n, size_t step, size_t *events)
{
	struct cast_reader *r = cast_reader_new();
	struct cast_event e;
	enum cast_got got;
	size_t part, len;

	*events = 0;
	for (;;) {
		got = cast_next(r, &e);
		if (got == CAST_BAD || (got == CAST_MORE && n == 0))
			break;
		if (got == CAST_MORE) {
			part = n < step ? n : step;
			cast_feed(r, p, part);
			p += part;
			n -= part;
			continue;
		}
		check(memchr(cast_line(r, &len), '\n', len) == NULL && e.len <= len);
		check((e.kind != 0 && e.kind != CAST_RESIZE) || (e.cols > 0 && e.rows > 0));
		check((e.kind == 0) == (*events == 0));
		(*events)++;
	}
	cast_reader_free(r);
	return got;
}

static void
add_head(struct buf *file)
{
	static const char head[] = "{\"version\":2,\"width\":80,\"height\":24}\n";

	check(cast_member(file, head, sizeof(head) - 1) == 0);
}

static void
as_output(const uint8_t *p, size_t n, size_t step, struct buf *file)
{
	struct cast_text t = { .kind = CAST_OUTPUT };
	size_t part, events, put = 1;
	struct buf lines;

	buf_init(&lines, 1 << 22);
	for (; n > 0; p += part, n -= part, put++) {
		part = n < step ? n : step;
		check(cast_put_text(&lines, (int64_t)put, &t, p, part) == 0);
	}
	add_head(file);
	check(cast_member(file, buf_ptr(&lines), buf_len(&lines)) == 0);
	check(read_all(buf_ptr(file), buf_len(file), CAST_FEED, &events) == CAST_MORE);
	check(events == put);
	buf_release(&lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	size_t step, events, same;
	enum cast_got got;
	struct buf file;

	if (n < 2)
		return 0;
	step = p[1] + 1u;
	buf_init(&file, 1 << 24);
	switch (p[0] % WAYS) {
	case AS_FILE:
		got = read_all(p + 2, n - 2, step, &events);
		check(read_all(p + 2, n - 2, CAST_FEED, &same) == got && events == same);
		break;
	case AS_TEXT:
		if (p[2 < n ? 2 : 1] != '{')
			add_head(&file);
		check(cast_member(&file, p + 2, n - 2) == 0);
		read_all(buf_ptr(&file), buf_len(&file), step, &events);
		break;
	case AS_OUTPUT:
		as_output(p + 2, n - 2, step, &file);
		break;
	}
	buf_release(&file);
	return 0;
}
