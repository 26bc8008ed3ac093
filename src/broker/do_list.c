/*
 * REQ_LIST: the containers that the user may reach, in pages.  Broker.
 *
 * Offset 0 makes a new list; further pages are pages of that one, so that
 * they fit together whatever changes meanwhile.
 */
#include "listing.h"

#include "jumpbox/log.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum {
	RETRY_MS = 250,	     /* between tries to make a name known */
	LAST_WAIT_MS = 1000, /* for nodes that are slow to say that they do not know it */
};

/* ---- what was listed ---------------------------------------------------------- */

static int
by_ref(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

bool
list_knows(const struct broker *b, uint64_t ref)
{
	const struct listing *l = b->listing;

	return l->nknown > 0 && bsearch(&ref, l->known, l->nknown, sizeof(ref), by_ref) != NULL;
}

void
list_learn(struct broker *b, uint64_t ref)
{
	struct listing *l = b->listing;
	size_t at = l->nknown;

	if (list_knows(b, ref))
		return;
	if ((l->nknown & (l->nknown + 1)) == 0) /* full at 0, 1, 3, 7 ...: doubles */
		l->known = xreallocarray(l->known, (l->nknown + 1) * 2, sizeof(*l->known));
	for (; at > 0 && l->known[at - 1] > ref; at--)
		l->known[at] = l->known[at - 1];
	l->known[at] = ref;
	l->nknown++;
}

/* ---- making a list --------------------------------------------------------------- */

struct making {
	struct listing *l;
	const struct subject *s;
	int64_t now;
};

static int
consider(const struct container *c, void *arg)
{
	struct making *mk = arg;
	struct listing *l = mk->l;
	const struct facts f = { c->node, c->name, c->image, c->labels, c->owner };
	struct verdict v;

	policy_decide(mk->s, &f, PERM_SHELL, mk->now, &v);
	if (v.perms == 0)
		return 0;
	if ((l->npage & (l->npage + 1)) == 0) /* as above */
		l->page = xreallocarray(l->page, (l->npage + 1) * 2, sizeof(*l->page));
	l->page[l->npage++] = (struct shown){ (uint64_t)c->ref, v.perms };
	return 0;
}

/* False: the database does not answer. */
static bool
make_list(struct broker *b)
{
	struct subject s = { 0 };
	struct making mk = { b->listing, &s, now_unix() };
	bool made;

	free(b->listing->page);
	b->listing->page = NULL;
	b->listing->npage = 0;
	made = broker_subject(b, &s) == 0 && container_each(b->st, consider, &mk) == 0;
	if (!made)
		log_error(
		    "broker.no_list", F_STR("reason", b->st != NULL ? store_error(b->st) : NULL));
	subject_release(&s);
	return made;
}

/* ---- a page ------------------------------------------------------------------------ */

/* A row as it goes out: foreign text with a limit, so that a page always fits into a message. */
struct row {
	const struct shown *s;
	char id[65], name[129], node[65], state[33], image[256];
	int64_t created;
};

static void
cut(char *dst, size_t size, const char *src)
{
	size_t n = text_cut(src, size - 1);

	memcpy(dst, src, n);
	dst[n] = '\0';
}

static int
take_row(const struct container *c, void *arg)
{
	struct row *r = arg;
	bool failed = strcmp(c->node_state, "failed") == 0;

	cut(r->id, sizeof(r->id), c->id);
	cut(r->name, sizeof(r->name), c->name);
	cut(r->node, sizeof(r->node), c->node);
	cut(r->state, sizeof(r->state), failed ? "unreachable" : c->state);
	cut(r->image, sizeof(r->image), c->image);
	r->created = c->created;
	return 0;
}

/* Those of the page that are still there; false: the database does not answer. */
static bool
read_page(struct broker *b, uint32_t offset, struct row *rows, uint32_t *n)
{
	struct listing *l = b->listing;
	size_t i;
	int r;

	*n = 0;
	for (i = offset; i < l->npage && i - offset < LIST_PAGE; i++) {
		if (broker_store(b) == NULL)
			return false;
		rows[*n].s = &l->page[i];
		r = container_get(b->st, (int64_t)l->page[i].ref, take_row, &rows[*n]);
		if (r != 0 && store_failed(b->st))
			return false;
		*n += r == 0;
	}
	return true;
}

/* anew: of a new list. */
static void
answer_page(struct broker *b, uint32_t id, uint32_t offset, bool anew)
{
	struct row *rows = xcalloc(LIST_PAGE, sizeof(*rows)), *r;
	uint32_t n = 0;
	bool read = (!anew || make_list(b)) && read_page(b, offset, rows, &n);
	struct msg m;

	if (!read)
		n = 0;
	msg_init(&m, REP_LIST, id);
	msg_put_u32(&m, read ? (uint32_t)b->listing->npage : LIST_FAILED);
	msg_put_u32(&m, offset);
	msg_put_u32(&m, n);
	for (r = rows; r < rows + n; r++) {
		list_learn(b, r->s->ref);
		msg_put_u64(&m, r->s->ref);
		msg_put_str(&m, r->id);
		msg_put_str(&m, r->name);
		msg_put_str(&m, r->node);
		msg_put_str(&m, r->state);
		msg_put_str(&m, r->image);
		msg_put_u64(&m, (uint64_t)r->created);
		msg_put_u32(&m, r->s->perms);
	}
	free(rows);
	broker_send(b, &m);
}

/* ---- requests that wait --------------------------------------------------------------- */

void
list_ask(struct broker *b, uint32_t type, uint32_t id, const struct target *target, unsigned tries)
{
	struct listing *l = b->listing;
	struct pending *p = xcalloc(1, sizeof(*p)), **at = &l->pending;
	unsigned bits = refresh_start(b, tries == 0 ? REFRESH_AGE_MS : RETRY_MS);
	bool fresh = (bits & REFRESH_WHOLE) != 0;
	int wait = tries == 0 ? LIST_WAIT_MS : fresh ? LAST_WAIT_MS : RETRY_MS;

	*p = (struct pending){
		.type = type,
		.id = id,
		.target = *target,
		.deadline = now_mono_ms() + wait,
		.fresh = fresh,
		.patient = !fresh && (tries > 0 || (bits & REFRESH_UNSEEN) != 0),
		.tries = tries,
	};
	while (*at != NULL)
		at = &(*at)->next;
	*at = p;
	l->npending++;
}

/* All that it waited for has come, or will not be waited for any longer. */
static bool
ripe(const struct listing *l, const struct pending *p, int64_t now)
{
	return p->deadline <= now || (l->refreshing == 0 && !p->patient);
}

const char *
do_list(struct broker *b, struct msg *m)
{
	uint32_t offset = msg_get_u32(m);

	if (!msg_end(m))
		return "malformed";
	if (b->listing->npending >= MAX_PENDING_LISTS)
		return "too many lists at once";
	if (offset > 0) {
		answer_page(b, m->id, offset, b->listing->page == NULL);
		return NULL;
	}
	list_ask(b, m->type, m->id, &b->target, 0);
	return NULL;
}

int64_t
list_deadline(const struct broker *b)
{
	const struct pending *p;
	int64_t first = 0;

	for (p = b->listing->pending; p != NULL; p = p->next) {
		if (ripe(b->listing, p, 0))
			return 1; /* at once */
		first = sooner(first, p->deadline);
	}
	return first;
}

static void
answer(struct broker *b, const struct pending *p)
{
	if (p->type == REQ_TARGET) {
		target_answer(b, p);
		return;
	}
	answer_page(b, p->id, 0, true);
}

void
list_tick(struct broker *b, int64_t now)
{
	struct pending **at = &b->listing->pending, *p;

	while ((p = *at) != NULL) {
		if (!ripe(b->listing, p, now)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		b->listing->npending--;
		if (b->state == STATE_AUTHED)
			answer(b, p);
		free(p);
	}
}

void
list_rest(struct broker *b)
{
	free(b->listing->page);
	b->listing->page = NULL;
	b->listing->npage = 0;
}

void
list_release(struct broker *b)
{
	struct listing *l = b->listing;
	struct pending *p;

	while ((p = l->pending) != NULL) {
		l->pending = p->next;
		free(p);
	}
	free(l->page);
	free(l->known);
	free(l);
	b->listing = NULL;
}
