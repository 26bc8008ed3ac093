/*
 * The message codec: the first byte says how many of the next bytes are
 * calls, the rest is the datagram that they read.
 */
#include "fuzz.h"

#include "jumpbox/msg.h"

#include <stdlib.h>
#include <string.h>

enum { STR_SIZE = 33, BYTES_MAX = 8192 };

static void
get_u32(struct msg *m)
{
	msg_get_u32(m);
}

static void
get_u64(struct msg *m)
{
	msg_get_u64(m);
}

static void
get_bytes(struct msg *m)
{
	size_t n = 1;
	const uint8_t *p = msg_get_bytes(m, &n, BYTES_MAX);

	check((p != NULL) == !m->bad && n <= BYTES_MAX);
	check(p == NULL ? n == 0 : p >= m->data + MSG_HEADER && p + n <= m->data + m->len);
}

static void
get_str(struct msg *m)
{
	char s[STR_SIZE];

	memset(s, 'x', sizeof s);
	msg_get_str(m, s, sizeof s);
	check(memchr(s, '\0', sizeof s) != NULL);
	check(!m->bad || s[0] == '\0');
}

static void
dup_str(struct msg *m)
{
	char *s = msg_dup_str(m, BYTES_MAX);

	check((s != NULL) == !m->bad && (s == NULL || strlen(s) <= BYTES_MAX));
	free(s);
}

static void
take_fd(struct msg *m)
{
	check(msg_take_fd(m) == -1 && m->bad);
}

static void (*const calls[])(
    struct msg *) = { get_u32, get_u64, get_bytes, get_str, dup_str, take_fd };

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct msg m;
	size_t ncalls, i;
	bool was_bad;

	if (n == 0)
		return 0;
	ncalls = p[0] < n - 1 ? p[0] : n - 1;
	msg_init(&m, 1, 1);
	if (msg_load(&m, p + 1 + ncalls, n - 1 - ncalls) < 0)
		check(m.bad);
	for (i = 0; i < ncalls; i++) {
		was_bad = m.bad;
		calls[p[1 + i] % (sizeof calls / sizeof calls[0])](&m);
		check(m.pos <= m.len && m.len <= m.cap && (m.bad || !was_bad));
	}
	check(msg_end(&m) == (!m.bad && m.pos == m.len));
	msg_release(&m);
	return 0;
}
