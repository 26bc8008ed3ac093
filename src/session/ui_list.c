/*
 * What a menu shows of the model: order, filter, cursor.  jumpbox-session; pure.
 *
 * Ten thousand rows change a few at a time: those are taken out of the order,
 * sorted, and merged into it, so that a change costs one pass and no sort of
 * all that has not changed.
 */
#include "ui_list.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

void
ui_list_init(struct ui_list *l, struct ui_model *m)
{
	*l = (struct ui_list){ .model = m };
}

void
ui_list_reopen(struct ui_list *l)
{
	for (size_t i = 0; i < l->model->n; i++)
		l->model->entry[i].touched = true;
}

void
ui_list_release(struct ui_list *l)
{
	free(l->order);
	free(l->row);
	l->order = l->row = NULL;
	l->norder = l->n = l->room = 0;
}

/* ---- order ---------------------------------------------------------------- */

uint64_t
ui_entry_since(const struct ui_entry *e)
{
	uint64_t since = e->started > e->finished ? e->started : e->finished;

	return since != 0 ? since : e->created;
}

static int
by_text(const char *a, const char *b)
{
	return strverscmp(a, b);
}

static int
newest_first(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

/* 0: neither is before the other by what was asked for; then by name, then by number. */
static int
asked_order(enum ui_sort sort, const struct ui_entry *a, const struct ui_entry *b)
{
	switch (sort) {
	case SORT_RECENT:
		return newest_first(a->used, b->used);
	case SORT_NODE:
		return by_text(a->node, b->node);
	case SORT_STATE:
		return strcmp(a->state, b->state);
	case SORT_AGE:
		return newest_first(ui_entry_since(a), ui_entry_since(b));
	case SORT_NAME:
	default:
		return 0;
	}
}

static int
compare(const void *x, const void *y, void *arg)
{
	const struct ui_list *l = arg;
	const struct ui_entry *a = &l->model->entry[*(const uint32_t *)x];
	const struct ui_entry *b = &l->model->entry[*(const uint32_t *)y];
	int r = asked_order(l->sort, a, b);

	if (r == 0)
		r = by_text(a->name, b->name);
	return r != 0 ? r : (a->number > b->number) - (a->number < b->number);
}

static void
make_room(struct ui_list *l)
{
	if (l->room >= l->model->n)
		return;
	l->room = l->model->room;
	l->order = xreallocarray(l->order, l->room, sizeof(*l->order));
	l->row = xreallocarray(l->row, l->room, sizeof(*l->row));
}

/*
 * How many of the first n of the order come before that row.  Asked from the
 * end in steps that double, so that a few rows into ten thousand take some
 * steps each, and many rows no more than a look at all would.
 */
static size_t
place(struct ui_list *l, size_t n, const uint32_t *row)
{
	size_t low = n, high = n, middle;

	for (size_t step = 1; low > 0; step *= 2) {
		low = low > step ? low - step : 0;
		if (compare(&l->order[low], row, l) < 0) {
			low++;
			break;
		}
		high = low;
	}
	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare(&l->order[middle], row, l) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The order is kept, and the touched ones, which row has, go into it where they belong. */
static void
merge(struct ui_list *l, size_t ntouched)
{
	size_t kept = l->norder, at;

	if (ntouched > 0)
		qsort_r(l->row, ntouched, sizeof(*l->row), compare, l);
	l->norder = kept + ntouched;
	while (ntouched > 0) {
		at = place(l, kept, &l->row[ntouched - 1]);
		memmove(&l->order[at + ntouched], &l->order[at], (kept - at) * sizeof(*l->order));
		kept = at;
		ntouched--;
		l->order[at + ntouched] = l->row[ntouched];
	}
}

static void
reorder(struct ui_list *l)
{
	const struct ui_model *m = l->model;
	size_t kept = 0, ntouched = 0;

	make_room(l);
	for (size_t i = 0; i < l->norder; i++)
		if (!m->entry[l->order[i]].touched)
			l->order[kept++] = l->order[i];
	l->norder = kept;
	for (size_t i = 0; i < m->n; i++)
		if (m->entry[i].touched && m->entry[i].listed)
			l->row[ntouched++] = (uint32_t)i;
	merge(l, ntouched);
}

/* ---- rows and cursor -------------------------------------------------------- */

static void
set_cursor(struct ui_list *l, size_t row)
{
	l->cursor = l->n == 0 ? 0 : row < l->n ? row : l->n - 1;
	l->at = l->n == 0 ? 0 : l->model->entry[l->row[l->cursor]].ref;
}

static bool
replaces(const struct ui_entry *e, const struct ui_entry *gone)
{
	return strcmp(e->name, gone->name) == 0 && strcmp(e->node, gone->node) == 0;
}

/* The row of that container, or of the one that has its name since it is gone; l->n: there is none. */
static size_t
row_of(const struct ui_list *l, uint64_t ref)
{
	const struct ui_entry *was = ui_model_get(l->model, ref);
	bool gone = was != NULL && !was->listed;

	for (size_t i = 0; i < l->n; i++) {
		const struct ui_entry *e = &l->model->entry[l->row[i]];

		if (e->ref == ref || (gone && replaces(e, was)))
			return i;
	}
	return l->n;
}

/*
 * Where the container is now; if it is not there any more, the row where it
 * was, until it is made anew or the user moves.
 */
static void
follow(struct ui_list *l)
{
	uint64_t was = l->lost != 0 ? l->lost : l->at;
	const struct ui_entry *e = ui_model_get(l->model, was);
	size_t row = l->moved ? row_of(l, was) : 0;

	if (row < l->n)
		l->lost = 0;
	else if ((row = row_of(l, l->at)) == l->n) {
		row = l->cursor;
		l->lost = e != NULL && !e->listed ? was : 0;
	}
	set_cursor(l, row);
}

static void
choose_rows(struct ui_list *l)
{
	l->n = 0;
	for (size_t i = 0; i < l->norder; i++)
		if (l->model->entry[l->order[i]].shown)
			l->row[l->n++] = l->order[i];
	follow(l);
}

static void
judge(struct ui_list *l, bool all)
{
	struct ui_words words;

	ui_words_init(&words, l->filter);
	for (size_t i = 0; i < l->norder; i++) {
		struct ui_entry *e = &l->model->entry[l->order[i]];

		if (all || e->touched)
			e->shown = ui_entry_visible(e) && ui_entry_matches(e, &words);
	}
}

void
ui_list_update(struct ui_list *l)
{
	reorder(l);
	judge(l, false);
	choose_rows(l);
	ui_model_settle(l->model);
}

void
ui_list_sort(struct ui_list *l, enum ui_sort sort)
{
	l->sort = sort;
	for (size_t i = 0; i < l->norder; i++)
		l->model->entry[l->order[i]].touched = true;
	ui_list_update(l);
}

void
ui_list_refilter(struct ui_list *l)
{
	judge(l, true);
	choose_rows(l);
}

void
ui_list_filter(struct ui_list *l, const char *text)
{
	size_t n = text_cut(text, UI_FILTER_MAX);

	memmove(l->filter, text, n);
	l->filter[n] = '\0';
	l->lost = 0;
	l->cursor = 0; /* unless the container is among those that are left */
	ui_list_refilter(l);
	l->moved = true;
}

void
ui_list_go(struct ui_list *l, size_t row)
{
	l->moved = true;
	l->lost = 0;
	set_cursor(l, row);
}

void
ui_list_move(struct ui_list *l, long by)
{
	if (by < 0 && (size_t)-by > l->cursor)
		ui_list_go(l, 0);
	else
		ui_list_go(l, l->cursor + (size_t)by);
}

bool
ui_list_find(struct ui_list *l, uint64_t ref)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->model->entry[l->row[i]].ref == ref) {
			ui_list_go(l, i);
			return true;
		}
	}
	return false;
}

const struct ui_entry *
ui_list_row(const struct ui_list *l, size_t row)
{
	return row < l->n ? &l->model->entry[l->row[row]] : NULL;
}

const struct ui_entry *
ui_list_current(const struct ui_list *l)
{
	return ui_list_row(l, l->cursor);
}
