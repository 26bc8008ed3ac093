/*
 * REQ_LIST: the containers that the user may reach, or what has changed of
 * them, in pages.  Broker.
 *
 * Offset 0 makes a new list; further pages are pages of that one, so that
 * they fit together whatever changes meanwhile.  What is no more is said only of
 * what this session was shown: nobody learns what else came and went.
 */
#include "listing.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>

enum { LIST_WAIT_MS = 100 };

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
	struct broker *b;
	const struct subject *s;
	int64_t now;
	bool changes; /* only what changed: what may not be reached is gone, if it was shown */
	struct first_end ending;
};

static void
add_lost(struct broker *b, uint64_t ref)
{
	struct listing *l = b->listing;

	if (!list_knows(b, ref))
		return;
	if ((l->nlost & (l->nlost + 1)) == 0) /* as above */
		l->lost = xreallocarray(l->lost, (l->nlost + 1) * 2, sizeof(*l->lost));
	l->lost[l->nlost++] = ref;
}

static int
consider(const struct container *c, void *arg)
{
	struct making *mk = arg;
	struct listing *l = mk->b->listing;
	const struct facts f = { c->node, c->name, c->image, c->labels, c->owner };
	struct verdict v;

	policy_decide(mk->s, &f, PERM_SHELL, mk->now, &v);
	recheck_until(mk->b, v.until); /* the menu shows it, then, too */
	if (v.perms == 0 || !c->node_enabled) {
		if (mk->changes)
			add_lost(mk->b, (uint64_t)c->ref);
		return 0;
	}
	if (v.until != 0 && !mk->changes)
		notice_consider(&mk->ending, mk->s, &f, v.until);
	if ((l->npage & (l->npage + 1)) == 0) /* as above */
		l->page = xreallocarray(l->page, (l->npage + 1) * 2, sizeof(*l->page));
	l->page[l->npage++] = (struct shown){ (uint64_t)c->ref, v.perms };
	return 0;
}

static int
lost_ref(int64_t ref, void *arg)
{
	add_lost(arg, (uint64_t)ref);
	return 0;
}

static int
still_there(const struct container *c, void *arg)
{
	(void)c;
	(void)arg;
	return 0;
}

/* What was shown and is no more, when nobody remembers what went. */
static int
find_lost(struct broker *b)
{
	struct listing *l = b->listing;
	size_t i;
	int r;

	for (i = 0; i < l->nknown; i++) {
		r = container_get(b->st, (int64_t)l->known[i], still_there, NULL);
		if (r == JB_NOT_FOUND)
			add_lost(b, l->known[i]);
		else if (r != 0)
			return r;
	}
	return 0;
}

/* A mark that is not of this database's past says nothing. */
static int
make_changes(struct making *mk, int64_t since)
{
	struct store *st = mk->b->st;
	bool valid = since <= mk->b->listing->mark;
	int r = container_each_since(st, valid ? since : 0, consider, mk);

	if (r == 0)
		r = valid ? container_each_gone(st, since, lost_ref, mk->b) : JB_NOT_FOUND;
	return r == JB_NOT_FOUND ? find_lost(mk->b) : r;
}

static void
forget_list(struct listing *l)
{
	free(l->page);
	free(l->lost);
	l->page = NULL;
	l->lost = NULL;
	l->npage = l->nlost = 0;
}

/* JB_DENIED: the user is gone; else the database does not answer. */
static int
make_list(struct broker *b, int64_t since)
{
	struct subject s = { 0 };
	struct making mk = { .b = b, .s = &s, .now = now_unix(), .changes = since != 0 };
	struct errtext e;
	int r;

	forget_list(b->listing);
	r = broker_subject(b, &s, &e);
	if (r == 0) /* before the rows: what changes meanwhile comes once more */
		r = inventory_mark(b->st, &b->listing->mark);
	if (r == 0)
		r = since != 0 ? make_changes(&mk, since) : container_each(b->st, consider, &mk);
	if (r == 0 && since == 0)
		notice_access(b, &mk.ending);
	if (r != 0 && r != JB_DENIED)
		log_error(
		    "broker.no_list", F_STR("reason", b->st != NULL ? store_error(b->st) : NULL));
	subject_release(&s);
	return r;
}

/* ---- a page ------------------------------------------------------------------------ */

struct reading {
	struct broker *b;
	struct list_row *row;
};

static int
take_row(const struct container *c, void *arg)
{
	const struct reading *rd = arg;
	int64_t used;
	int r = container_used(rd->b->st, rd->b->user, c, &used);

	if (r == 0)
		list_row_fill(rd->row, c, used);
	return r;
}

/* Those of the page that are still there; false: the database does not answer. */
static bool
read_rows(struct broker *b, uint32_t offset, struct list_row *rows, uint32_t *n)
{
	struct listing *l = b->listing;
	struct reading rd = { .b = b };
	size_t i;
	int r;

	*n = 0;
	for (i = offset; i < l->npage && i - offset < LIST_PAGE; i++) {
		rd.row = &rows[*n];
		rd.row->perms = l->page[i].perms;
		r = container_get(b->st, (int64_t)l->page[i].ref, take_row, &rd);
		if (r != 0 && store_failed(b->st))
			return false;
		*n += r == 0;
	}
	return true;
}

static bool
read_page(struct broker *b, uint32_t offset, struct list_row *rows, uint32_t *n)
{
	bool good;

	if (broker_store(b) == NULL || store_read_begin(b->st) != 0)
		return false;
	good = read_rows(b, offset, rows, n);
	store_read_end(b->st);
	return good;
}

/* A message holds GONE_PAGE of those that are no more: there may have to be pages for them alone. */
static uint32_t
list_total(const struct listing *l)
{
	size_t last = l->nlost > 0 ? (l->nlost - 1) / GONE_PAGE : 0;
	size_t pages = last > 0 ? last * LIST_PAGE + 1 : 0;

	return (uint32_t)(l->npage > pages ? l->npage : pages);
}

static void
put_lost(struct msg *m, const struct listing *l, uint32_t offset)
{
	size_t at = (size_t)(offset / LIST_PAGE) * GONE_PAGE, i, n;

	n = at < l->nlost ? l->nlost - at : 0;
	if (n > GONE_PAGE)
		n = GONE_PAGE;
	msg_put_u32(m, (uint32_t)n);
	for (i = 0; i < n; i++)
		msg_put_u64(m, l->lost[at + i]);
}

static void
answer_page(struct broker *b, uint32_t id, uint32_t offset, bool read)
{
	struct list_row *rows = xcalloc(LIST_PAGE, sizeof(*rows)), *r;
	struct listing *l = b->listing;
	uint32_t n = 0;
	struct msg m;

	read = read && read_page(b, offset, rows, &n);
	if (!read)
		n = 0;
	msg_init(&m, REP_LIST, id);
	msg_put_u32(&m, read ? list_total(l) : LIST_FAILED);
	msg_put_u32(&m, offset);
	msg_put_u64(&m, (uint64_t)l->mark);
	msg_put_u32(&m, n);
	for (r = rows; r < rows + n; r++) {
		list_learn(b, r->ref);
		list_row_put(&m, r);
	}
	if (read)
		put_lost(&m, l, offset);
	else
		msg_put_u32(&m, 0);
	free(rows);
	broker_send(b, &m);
}

/* To who is gone the end of the session, which follows at once, says all. */
static void
make_and_answer(struct broker *b, uint32_t id, uint32_t offset, int64_t since)
{
	int r = make_list(b, since);

	if (r != JB_DENIED)
		answer_page(b, id, offset, r == 0);
}

/* ---- the requests -------------------------------------------------------------------- */

/* Of a node that is new nothing is known yet: it has a moment. */
bool
list_look(struct broker *b, struct pending *p, int64_t waited)
{
	int64_t unseen = 0;

	if (waited < LIST_WAIT_MS && broker_store(b) != NULL &&
	    node_count_unseen(b->st, &unseen) == 0 && unseen > 0)
		return false;
	make_and_answer(b, p->id, 0, p->since);
	return true;
}

const char *
do_list(struct broker *b, struct msg *m)
{
	uint32_t offset = msg_get_u32(m);
	uint64_t since = msg_get_u64(m);
	struct listing *l = b->listing;

	if (!msg_end(m) || since > INT64_MAX)
		return "malformed";
	if (l->npending >= MAX_PENDING_LISTS)
		return "too many lists at once";
	if (offset > 0 && (l->page != NULL || l->lost != NULL))
		answer_page(b, m->id, offset, true);
	else if (offset > 0)
		make_and_answer(b, m->id, offset, (int64_t)since);
	else
		waiting_add(
		    b, &(struct pending){ .type = m->type, .id = m->id, .since = (int64_t)since });
	return NULL;
}

const char *
do_follow(struct broker *b, struct msg *m)
{
	uint32_t on = msg_get_u32(m);

	if (!msg_end(m) || on > 1)
		return "malformed";
	if (b->following != (on != 0))
		broker_tell_supervisor(b, on != 0 ? STATUS_MENU : STATUS_NO_MENU);
	b->following = on != 0;
	if (b->following && b->listing->missed)
		list_changed(b, true);
	return NULL;
}

void
list_changed(struct broker *b, bool anew)
{
	struct listing *l = b->listing;
	struct msg m;

	if (!b->following || b->state != STATE_AUTHED) {
		l->missed |= anew && l->mark != 0;
		return;
	}
	l->missed = false;
	msg_init(&m, EVT_CHANGED, 0);
	msg_put_u32(&m, anew);
	broker_send(b, &m);
}

void
list_rest(struct broker *b)
{
	forget_list(b->listing);
}

void
list_release(struct broker *b)
{
	struct listing *l = b->listing;

	waiting_release(b);
	forget_list(l);
	free(l->known);
	free(l);
	b->listing = NULL;
}
