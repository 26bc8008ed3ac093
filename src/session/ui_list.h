/*
 * What a menu shows of the model: which containers, in which order, and the
 * cursor, which follows its container and not the row.  Pure.
 */
#ifndef SESSION_UI_LIST_H
#define SESSION_UI_LIST_H

#include "ui_filter.h"
#include "ui_model.h"

enum ui_sort { SORT_RECENT, SORT_NAME, SORT_NODE, SORT_STATE, SORT_AGE, SORT_COUNT };

struct ui_list {
	struct ui_model *model;
	enum ui_sort sort;
	char filter[UI_FILTER_MAX + 1];
	uint32_t *order; /* indices of all listed entries, sorted */
	size_t norder, room;
	uint32_t *row; /* those of them that are shown */
	size_t n;
	size_t cursor; /* in row; 0 when there is none */
	uint64_t at;   /* the ref there */
	bool moved;    /* by the user: until then the first row has it */
	uint64_t lost; /* what has gone from under it: whoever has its name next gets it back; 0 */
};

void ui_list_init(struct ui_list *l, struct ui_model *m);
void ui_list_reopen(struct ui_list *l); /* after a release */
void ui_list_release(struct ui_list *l);

/* Takes over what was touched in the model, and settles it. */
void ui_list_update(struct ui_list *l);
void ui_list_sort(struct ui_list *l, enum ui_sort sort);
void ui_list_filter(struct ui_list *l, const char *text); /* cut to fit */
/* The candidates of the model have changed. */
void ui_list_refilter(struct ui_list *l);

void ui_list_move(struct ui_list *l, long by);
void ui_list_go(struct ui_list *l, size_t row); /* beyond the last: the last */
/* To that container; false: it is not shown. */
bool ui_list_find(struct ui_list *l, uint64_t ref);

/* NULL: there are not so many. */
const struct ui_entry *ui_list_row(const struct ui_list *l, size_t row);
const struct ui_entry *ui_list_current(const struct ui_list *l);

/* When the container last began or ended to run, as far as that is known. */
uint64_t ui_entry_since(const struct ui_entry *e);

#endif
