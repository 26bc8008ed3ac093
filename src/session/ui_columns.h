/*
 * The columns of the menu: what each shows of a container, and which fit into
 * how many columns of a terminal.  Pure.
 */
#ifndef SESSION_UI_COLUMNS_H
#define SESSION_UI_COLUMNS_H

#include "jumpbox/words.h"
#include "ui_model.h"

/* What a piece of the screen is; the screen decides what that looks like. */
enum ui_role {
	ROLE_PLAIN,
	ROLE_HEAD,
	ROLE_TITLE,
	ROLE_GOOD,
	ROLE_WARN,
	ROLE_BAD,
	ROLE_DIM,
	ROLE_KEY,
	ROLE_COUNT,
};

/* From left to right. */
enum ui_column {
	COL_NUMBER,
	COL_NAME,
	COL_STATE,
	COL_HEALTH,
	COL_NODE,
	COL_REGION,
	COL_SERVICE,
	COL_IMAGE,
	COL_PORTS,
	COL_OWNER,
	COL_GPU,
	COL_AGE,
	COL_COUNT,
};

enum { UI_CELL = 256, UI_GAP = 2 };

/* The widest of each that was seen. */
struct ui_widths {
	unsigned widest[COL_COUNT];
};
void ui_widths_add(struct ui_widths *w, const struct ui_entry *e);

/* How wide each is on a terminal of that many columns; 0: left out. */
struct ui_layout {
	unsigned width[COL_COUNT];
};
void ui_layout_make(struct ui_layout *l, const struct ui_widths *w, unsigned cols);

enum word ui_column_title(enum ui_column c);
bool ui_column_right(enum ui_column c); /* aligned at its right edge */
/*
 * The word for one of the broker's: a container's state (detail: its exit code), its health, a
 * node's state, a role, a setting.  As it is, safe to show, where there is none.
 */
enum ui_role ui_word(const char *word, const char *detail, char dst[static UI_CELL]);
/* What is in it, safe to show; now: unix seconds. */
enum ui_role ui_cell(
    const struct ui_entry *e, enum ui_column c, int64_t now, char dst[static UI_CELL]);
/* "5m", "3h", "12d" since then; empty: never. */
char *ui_age(uint64_t since, int64_t now, char *dst, size_t size);

#endif
