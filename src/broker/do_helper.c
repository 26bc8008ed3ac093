/*
 * REQ_HELPER: from a listed container to a stream of our helper in it; and
 * REQ_NOTE, what that one says of files.  Broker.
 *
 * It is an attach of its own kind, with the same decision, rows and end.
 * What the stream may carry is its first frame, written here: all that is
 * granted as the one user whom the helper runs as.
 */
#include "attached.h"
#include "listing.h"

#include "jumpbox/log.h"
#include "jumpbox/mux.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

#define OPT_OUT_LABEL "jumpbox.helper"

enum { NOTES_LATE_MS = 30000 };

/* ---- whether and what ------------------------------------------------------- */

static bool
says_off(const char *value)
{
	return value != NULL && strcmp(value, "off") == 0;
}

static int
wanted_there(const struct attached *a, struct errtext *e)
{
	const struct node *node = a->exec.node->node;
	char *label = engine_label(a->labels, OPT_OUT_LABEL);
	bool off = says_off(label);

	free(label);
	if (off)
		return err_words(e, JB_DENIED, W_HELPER_OFF_LABEL, a->name, NULL, NULL);
	if (says_off(node->helper))
		return err_words(e, JB_DENIED, W_HELPER_OFF_NODE, node->name, NULL, NULL);
	return 0;
}

static void
mask(const struct attached *a, const struct subject *s, const char *run_as, int64_t now,
    uint32_t *perms, char **items)
{
	const struct facts f = { a->exec.node->node->name, a->name, a->image, a->labels, a->owner };

	*perms = policy_as(s, &f, run_as, now, items);
}

int
helper_decide(
    struct attached *a, const struct subject *s, const struct verdict *v, struct errtext *e)
{
	int r = wanted_there(a, e);

	if (r == 0)
		mask(a, s, v->run_as, now_unix(), &a->perms, &a->items);
	return r;
}

/* Each of the words of `list`, which blanks separate, is among those of `other`. */
static bool
all_within(const char *list, const char *other)
{
	char *copy = xstrdup(list), *save = NULL, padded_word[300];
	char *padded = xasprintf(" %s ", other);
	bool all = true;

	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		snprintf(padded_word, sizeof(padded_word), " %s ", w);
		all = all && strstr(padded, padded_word) != NULL;
	}
	free(padded);
	free(copy);
	return all;
}

bool
helper_allowed(const struct attached *a, const struct subject *s, int64_t now)
{
	uint32_t perms;
	char *items;
	bool same;

	mask(a, s, a->exec.run_as, now, &perms, &items);
	same = (a->perms & ~perms) == 0 && all_within(a->items, items);
	free(items);
	return same;
}

int
helper_hello(const struct attached *a)
{
	const struct mux_frame hello = { .type = MUX_HELLO,
		.u.hello = { .version = MUX_VERSION,
		    .perms = a->perms,
		    .items = mux_str(a->items),
		    .marker = mux_str(a->exec.marker) } };
	struct buf b;
	int r;

	buf_init(&b, MUX_FRAME_MAX);
	r = mux_put(&b, &hello);
	if (r == 0)
		r = write_all(a->stream, buf_ptr(&b), buf_len(&b), 0);
	buf_release(&b);
	return r;
}

/* ---- what it carries ------------------------------------------------------------- */

bool
helper_awaited(const struct broker *b, const struct attached *a)
{
	const struct attached *h = attached_find(b, a->carrier);

	return h != NULL && h->phase < AT_OPEN;
}

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* Its stream is for one container and one user, and starts the login shell alone. */
const struct attached *
helper_for(const struct broker *b, const struct attached *a, uint32_t want)
{
	const struct attached *h = attached_find(b, a->carrier);

	if (h == NULL || h->phase != AT_OPEN || h->detached || a->shell != NULL ||
	    h->exec.node != a->exec.node || strcmp(h->exec.container, a->exec.container) != 0 ||
	    !same_text(h->exec.run_as, a->exec.run_as) || !policy_gives(h->perms, want))
		return NULL;
	return h;
}

bool
helper_optional(const struct attached *a)
{
	return a->kind == ATTACH_HELPER && (a->want & (PERM_SHELL | PERM_EXEC)) != 0;
}

/* ---- the request ----------------------------------------------------------------- */

const char *
do_helper(struct broker *b, struct msg *m)
{
	uint64_t ref = msg_get_u64(m);
	uint32_t want = msg_get_u32(m);

	if (!msg_end(m) ||
	    (want != PERM_FILES && want != PERM_FILES_RO && want != PERM_FORWARD &&
		want != PERM_FORWARD_SOME && want != PERM_SHELL && want != PERM_EXEC))
		return "malformed";
	if (!list_knows(b, ref))
		return "a container that was never listed";
	attach_begin_helper(b, m->id, ref, want);
	return NULL;
}

/* ---- its notes --------------------------------------------------------------------- */

/* A container that goes on saying more than a file server does is not written down, but that is. */
static bool
too_many(struct broker *b, const struct attached *a)
{
	int64_t now = now_mono_ms(), due = (now - b->notes_at) * MAX_NOTES / 1000;
	/* Once some are lost it begins again with a second's worth, not with each that is due. */
	int64_t most = a->unnoted > 0 ? MAX_NOTES_AHEAD - MAX_NOTES : MAX_NOTES_AHEAD;

	if (due > 0) {
		b->notes = b->notes > due ? b->notes - due : 0;
		b->notes_at = now;
	}
	if (b->notes >= most)
		return true;
	b->notes++;
	return false;
}

/* 0, or it is not recorded. */
static int
put_note(struct broker *b, int64_t row, const char *who, const char *line)
{
	struct actor by = broker_actor(b);

	if (broker_store(b) == NULL)
		return JB_UNAVAILABLE;
	return attach_note(b->st, &by, row, who, line);
}

int
helper_unnoted(struct broker *b, int64_t row, unsigned *lines)
{
	char text[64];
	int r;

	if (*lines == 0)
		return 0;
	snprintf(text, sizeof(text), "%u lines that could not be recorded", *lines);
	r = put_note(b, row, "lost", text);
	if (r == 0)
		*lines = 0;
	return r;
}

/*
 * Where one was waited for in vain the next are not, for a while or until one
 * is taken: the session would wait, too, with all its channels, to get rid of
 * more of them.
 */
static bool
record_note(struct broker *b, struct attached *a, const char *line)
{
	bool late = b->notes_late != 0 && now_mono_ms() - b->notes_late < NOTES_LATE_MS;
	char safe[2 * MAX_NOTE];
	int r;

	if (broker_store(b) == NULL)
		return false;
	store_hasty(b->st, late);
	helper_unnoted(b, a->row, &a->unnoted);
	r = put_note(b, a->row, "said", text_safe(safe, sizeof(safe), line));
	store_hasty(b->st, false);
	if (r == 0)
		b->notes_late = 0;
	else if (!late)
		b->notes_late = now_mono_ms();
	return r == 0;
}

const char *
do_note(struct broker *b, struct msg *m)
{
	uint32_t id = msg_get_u32(m);
	char *line = msg_dup_str(m, MAX_NOTE);
	struct attached *a = attached_find(b, id);
	bool good = msg_end(m) && id != 0 && id <= b->last_attach;

	if (good && a != NULL && a->kind == ATTACH_HELPER && a->row != 0)
		a->unnoted += too_many(b, a) || !record_note(b, a, line);
	free(line);
	return good ? NULL : "malformed";
}
