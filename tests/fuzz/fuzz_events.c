/* Any bytes as an engine's stream of events, in any portions: the first byte says which. */
#include "../../src/docker/engine.h"
#include "fuzz.h"

#include <string.h>

struct heard {
	size_t n;
	unsigned long sum;
};

static void
hear(const char *id, void *arg)
{
	struct heard *h = arg;

	check(engine_id_ok(id) && strlen(id) >= 12 && strlen(id) <= 64);
	h->n++;
	for (const char *p = id; *p; p++)
		h->sum = h->sum * 31 + (unsigned char)*p;
}

static struct heard
feed(const char *p, size_t n, size_t portion)
{
	struct heard h = { 0, 0 };
	struct events ev;

	events_init(&ev);
	for (size_t at = 0; at < n; at += portion)
		events_feed(&ev, p + at, n - at < portion ? n - at : portion, hear, &h);
	check(buf_len(&ev.line) <= EVENT_MAX);
	events_release(&ev);
	return h;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard whole, parts;

	if (size < 2)
		return 0;
	whole = feed((const char *)data + 1, size - 1, size);
	parts = feed((const char *)data + 1, size - 1, 1 + data[0] % 64);
	check(whole.n == parts.n && whole.sum == parts.sum);
	return 0;
}
