/*
 * The records of a copy as bytes.  The process that writes files believes
 * nothing of what it reads: a name is a name in its directory, or there is no
 * record.  jumpbox-helper; pure.
 */
#include "copy.h"

#include "jumpbox/util.h"

#include <string.h>

enum { META = 16, NANOSECONDS = 1000000000 };

/* What each type may be long. */
static const struct {
	uint32_t least, most;
} lengths[COPY_TYPES] = {
	[COPY_DIR] = { META + 1, META + COPY_NAME_MAX + 1 },
	[COPY_FILE] = { META + 1, META + COPY_NAME_MAX + 1 },
	[COPY_LINK] = { META + 3, META + COPY_NAME_MAX + 1 + COPY_TARGET_MAX + 1 },
	[COPY_DATA] = { 1, COPY_DATA_MAX },
	[COPY_HOLE] = { 8, 8 },
	[COPY_CLOSE] = { 4, 4 },
	[COPY_UP] = { 0, 0 },
	[COPY_SAID] = { 2, COPY_SAID_MAX + 1 },
	[COPY_END] = { 4, 4 },
};

static uint64_t
load_u64(const uint8_t *p)
{
	return (uint64_t)load_u32(p) << 32 | load_u32(p + 4);
}

static void
store_u64(uint8_t *p, uint64_t v)
{
	store_u32(p, (uint32_t)(v >> 32));
	store_u32(p + 4, (uint32_t)v);
}

/* ---- reading ---------------------------------------------------------- */

/* A string with its end at the front of p[0..n), of at most `most` bytes without it; NULL: it is none. */
static const char *
take_text(const uint8_t **p, size_t *n, size_t most)
{
	const char *s = (const char *)*p;
	const uint8_t *end = memchr(*p, 0, *n);

	if (end == NULL || (size_t)(end - *p) > most)
		return NULL;
	*n -= (size_t)(end + 1 - *p);
	*p = end + 1;
	return s;
}

static bool
take_meta(const uint8_t **p, size_t *n, struct copy_record *r)
{
	r->mode = load_u32(*p);
	r->mtime.tv_sec = (time_t)load_u64(*p + 4);
	r->mtime.tv_nsec = (long)load_u32(*p + 12);
	*p += META;
	*n -= META;
	return r->mode <= 07777 && r->mtime.tv_nsec < NANOSECONDS;
}

static bool
take_entry(const uint8_t *p, size_t n, struct copy_record *r)
{
	if (!take_meta(&p, &n, r) || (r->text = take_text(&p, &n, COPY_NAME_MAX)) == NULL)
		return false;
	if (strchr(r->text, '/') != NULL || strcmp(r->text, ".") == 0 || strcmp(r->text, "..") == 0)
		return false;
	if (r->type == COPY_LINK)
		r->target = take_text(&p, &n, COPY_TARGET_MAX);
	return n == 0 && (r->type != COPY_LINK || (r->target != NULL && r->target[0] != '\0'));
}

static bool
take_payload(const uint8_t *p, size_t n, struct copy_record *r)
{
	switch (r->type) {
	case COPY_DIR:
	case COPY_FILE:
	case COPY_LINK:
		return take_entry(p, n, r);
	case COPY_DATA:
		r->bytes = p;
		r->nbytes = n;
		return true;
	case COPY_HOLE:
		r->length = load_u64(p);
		return r->length > 0 && r->length <= INT64_MAX;
	case COPY_CLOSE:
	case COPY_END:
		r->flag = load_u32(p) != 0;
		return load_u32(p) <= 1;
	case COPY_SAID: /* one line */
		r->text = take_text(&p, &n, COPY_SAID_MAX);
		return r->text != NULL && n == 0 && strchr(r->text, '\n') == NULL;
	default:
		return true;
	}
}

long
copy_get(const uint8_t *p, size_t n, struct copy_record *r)
{
	uint32_t head, len;

	if (n < COPY_HEAD)
		return 0;
	head = load_u32(p);
	len = head & 0xffffff;
	if (head >> 24 == 0 || head >> 24 >= COPY_TYPES)
		return -1;
	memset(r, 0, sizeof(*r));
	r->type = (enum copy_type)(head >> 24);
	if (len < lengths[r->type].least || len > lengths[r->type].most)
		return -1;
	if (n - COPY_HEAD < len)
		return 0;
	return take_payload(p + COPY_HEAD, len, r) ? (long)(COPY_HEAD + len) : -1;
}

/* ---- writing ---------------------------------------------------------- */

void
copy_put_head(uint8_t head[static COPY_HEAD], enum copy_type type, size_t n)
{
	store_u32(head, (uint32_t)type << 24 | (uint32_t)n);
}

static size_t
put_text(uint8_t *p, const char *s)
{
	size_t n = strlen(s) + 1;

	memcpy(p, s, n);
	return n;
}

static size_t
put_payload(uint8_t *p, const struct copy_record *r)
{
	size_t n = META;

	switch (r->type) {
	case COPY_DIR:
	case COPY_FILE:
	case COPY_LINK:
		store_u32(p, r->mode);
		store_u64(p + 4, (uint64_t)r->mtime.tv_sec);
		store_u32(p + 12, (uint32_t)r->mtime.tv_nsec);
		n += put_text(p + n, r->text);
		return r->type == COPY_LINK ? n + put_text(p + n, r->target) : n;
	case COPY_HOLE:
		store_u64(p, r->length);
		return 8;
	case COPY_CLOSE:
	case COPY_END:
		store_u32(p, r->flag);
		return 4;
	case COPY_SAID:
		return put_text(p, r->text);
	default:
		return 0;
	}
}

size_t
copy_put(uint8_t *p, const struct copy_record *r)
{
	size_t n = put_payload(p + COPY_HEAD, r);

	copy_put_head(p, r->type, n);
	return COPY_HEAD + n;
}
