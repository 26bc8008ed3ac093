/*
 * A row of a list as it goes to the session: foreign text with limits, so that
 * a page fits a message.  Broker; pure.
 */
#include "list_row.h"

#include "jumpbox/text.h"

#include <string.h>

static void
cut(char *dst, size_t size, const char *src)
{
	size_t n = text_cut(src, size - 1);

	memcpy(dst, src, n);
	dst[n] = '\0';
}

/* Past the string that begins at p, or NULL. */
static const char *
past_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	while (*p != '"' && *p != '\0')
		p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
	return *p == '"' ? p + 1 : NULL;
}

/* Past "key":"value", as compact JSON has it, or NULL. */
static const char *
past_pair(const char *p)
{
	p = past_string(p);
	return p != NULL && *p == ':' ? past_string(p + 1) : NULL;
}

/* As many pairs, from the first, as fit with the closing brace. */
static void
cut_labels(char dst[static MAX_ROW_LABELS + 1], const char *src)
{
	const char *p = src[0] == '{' ? src + 1 : "", *end = NULL;
	size_t n;

	while ((p = past_pair(p)) != NULL && (size_t)(p - src) < MAX_ROW_LABELS) {
		end = p;
		if (*p++ != ',')
			break;
	}
	n = end != NULL ? (size_t)(end - src) : 0;
	memcpy(dst, src, n);
	if (n == 0)
		dst[n++] = '{';
	dst[n++] = '}';
	dst[n] = '\0';
}

/* Whole entries; the database may hold what another version wrote. */
static void
cut_ports(char dst[static MAX_ROW_PORTS + 1], const char *src)
{
	size_t n = strlen(src);

	while (n > MAX_ROW_PORTS || (n > 0 && src[n] != '\0' && src[n] != ','))
		n--;
	memcpy(dst, src, n);
	dst[n] = '\0';
}

void
list_row_fill(struct list_row *r, const struct container *c, int64_t used)
{
	bool failed = strcmp(c->node_state, "failed") == 0;

	r->ref = (uint64_t)c->ref;
	cut(r->id, sizeof(r->id), c->id);
	cut(r->name, sizeof(r->name), c->name);
	cut(r->node, sizeof(r->node), c->node);
	cut(r->state, sizeof(r->state), failed ? "unreachable" : c->state);
	cut(r->health, sizeof(r->health), c->health);
	cut(r->image, sizeof(r->image), c->image);
	cut(r->service, sizeof(r->service), c->service);
	cut_labels(r->labels, c->labels);
	cut(r->owner, sizeof(r->owner), c->owner != NULL ? c->owner : "");
	cut_ports(r->ports, c->ports);
	cut(r->region, sizeof(r->region), c->region != NULL ? c->region : "");
	r->created = c->created;
	r->started = c->started;
	r->finished = c->finished;
	r->node_seen = c->seen;
	r->used = used;
	r->exit_code = (uint32_t)c->exit_code;
	r->flags = (c->oom ? ROW_OOM : 0) | (c->gpus[0] != '\0' ? ROW_GPU : 0);
}

void
list_row_put(struct msg *m, const struct list_row *r)
{
	msg_put_u64(m, r->ref);
	msg_put_str(m, r->id);
	msg_put_str(m, r->name);
	msg_put_str(m, r->node);
	msg_put_str(m, r->state);
	msg_put_str(m, r->health);
	msg_put_str(m, r->image);
	msg_put_str(m, r->service);
	msg_put_str(m, r->labels);
	msg_put_str(m, r->owner);
	msg_put_str(m, r->ports);
	msg_put_str(m, r->region);
	msg_put_u64(m, (uint64_t)r->created);
	msg_put_u64(m, (uint64_t)r->started);
	msg_put_u64(m, (uint64_t)r->finished);
	msg_put_u64(m, (uint64_t)r->node_seen);
	msg_put_u64(m, (uint64_t)r->used);
	msg_put_u32(m, r->exit_code);
	msg_put_u32(m, r->perms);
	msg_put_u32(m, r->flags);
}
