/*
 * The columns of the menu.  Everything foreign passes through text_safe.
 * jumpbox-session; pure.
 */
#include "ui_columns.h"

#include "jumpbox/proto.h"
#include "jumpbox/text.h"
#include "ui_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- single cells ----------------------------------------------------------- */

char *
ui_age(uint64_t since, int64_t now, char *dst, size_t size)
{
	int64_t s = since == 0 || (int64_t)since > now ? 0 : now - (int64_t)since;
	char number[24];

	dst[0] = '\0';
	if (since == 0)
		return dst;
	snprintf(number, sizeof(number), "%" PRId64,
	    s < 3600	    ? s / 60
		: s < 86400 ? s / 3600
			    : s / 86400);
	return words(dst, size,
	    s < 3600	    ? W_AGE_MINUTES
		: s < 86400 ? W_AGE_HOURS
			    : W_AGE_DAYS,
	    number, NULL, NULL);
}

static const struct {
	const char *said;
	enum word word;
	enum ui_role role;
} known[] = {
	{ "running", W_STATE_RUNNING, ROLE_GOOD },
	{ "exited", W_STATE_EXITED, ROLE_DIM },
	{ "paused", W_STATE_PAUSED, ROLE_WARN },
	{ "restarting", W_STATE_RESTARTING, ROLE_WARN },
	{ "created", W_STATE_CREATED, ROLE_DIM },
	{ "dead", W_STATE_DEAD, ROLE_BAD },
	{ "removing", W_STATE_REMOVING, ROLE_WARN },
	{ "unreachable", W_STATE_UNREACHABLE, ROLE_BAD },
	{ "healthy", W_HEALTH_HEALTHY, ROLE_GOOD },
	{ "unhealthy", W_HEALTH_UNHEALTHY, ROLE_BAD },
	{ "starting", W_HEALTH_STARTING, ROLE_WARN },
	{ "connected", W_NODE_CONNECTED, ROLE_GOOD },
	{ "failed", W_NODE_FAILED, ROLE_BAD },
	{ "unknown", W_NODE_UNKNOWN, ROLE_WARN },
	{ "admin", W_ROLE_ADMIN, ROLE_PLAIN },
	{ "user", W_ROLE_USER, ROLE_PLAIN },
	{ "full", W_MENU_FULL, ROLE_PLAIN },
	{ "plain", W_MENU_PLAIN, ROLE_PLAIN },
};

enum ui_role
ui_word(const char *word, const char *detail, char dst[static UI_CELL])
{
	size_t n;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(word, known[i].said) != 0)
			continue;
		words(dst, UI_CELL, known[i].word, detail, NULL, NULL);
		for (n = strlen(dst); n > 0 && dst[n - 1] == ' '; n--)
			dst[n - 1] = '\0';
		return known[i].role;
	}
	text_safe(dst, UI_CELL, word);
	return ROLE_PLAIN;
}

/* Whatever is not well is here, for the other columns may not fit. */
static enum ui_role
state_cell(const struct ui_entry *e, int64_t now, char dst[static UI_CELL])
{
	char detail[32];
	enum ui_role role;
	size_t n;

	if (strcmp(e->state, "running") == 0 && e->health[0] != '\0' &&
	    strcmp(e->health, "healthy") != 0)
		return ui_word(e->health, NULL, dst);
	if (strcmp(e->state, "exited") == 0 && (e->flags & ROW_OOM) != 0) {
		words(dst, UI_CELL, W_STATE_OOM, NULL, NULL, NULL);
		return ROLE_BAD;
	}
	if (strcmp(e->state, "unreachable") == 0 && e->node_seen != 0) {
		role = ui_word(e->state, NULL, dst);
		n = strlen(dst);
		snprintf(
		    dst + n, UI_CELL - n, " %s", ui_age(e->node_seen, now, detail, sizeof(detail)));
		return role;
	}
	snprintf(detail, sizeof(detail), "%" PRIu32, e->exit_code);
	role = ui_word(e->state, detail, dst);
	return role == ROLE_DIM && e->exit_code != 0 && strcmp(e->state, "exited") == 0 ? ROLE_BAD
											: role;
}

static enum ui_role
age_cell(const struct ui_entry *e, int64_t now, char dst[static UI_CELL])
{
	ui_age(ui_entry_since(e), now, dst, UI_CELL);
	return ROLE_PLAIN;
}

static enum ui_role
health_cell(const struct ui_entry *e, int64_t now, char dst[static UI_CELL])
{
	(void)now;
	return ui_word(e->health, NULL, dst);
}

static enum ui_role
number_cell(const struct ui_entry *e, int64_t now, char dst[static UI_CELL])
{
	(void)now;
	snprintf(dst, UI_CELL, "%u", e->number);
	return ROLE_PLAIN;
}

static enum ui_role
gpu_cell(const struct ui_entry *e, int64_t now, char dst[static UI_CELL])
{
	(void)now;
	dst[0] = '\0';
	if ((e->flags & ROW_GPU) != 0)
		words(dst, UI_CELL, W_YES, NULL, NULL, NULL);
	return ROLE_PLAIN;
}

/* ---- the columns --------------------------------------------------------------- */

static const struct column {
	enum word title;
	unsigned rank;	      /* 1 goes in first */
	unsigned more;	      /* 1 gets first of what is left */
	unsigned least, most; /* how narrow and how wide it may be */
	bool right;
	size_t text; /* of the string in struct ui_entry, unless there is a function */
	enum ui_role (*cell)(const struct ui_entry *e, int64_t now, char dst[static UI_CELL]);
} columns[COL_COUNT] = {
	/* clang-format off */
	[COL_NUMBER]  = { W_COL_NUMBER,  1,  1,  3,  6, true,  0, number_cell },
	[COL_NAME]    = { W_COL_NAME,    2,  5, 20, 32, false, offsetof(struct ui_entry, name), NULL },
	[COL_STATE]   = { W_COL_STATE,   3,  2, 14, 18, false, 0, state_cell },
	[COL_HEALTH]  = { W_COL_HEALTH,  7,  7,  9,  9, false, 0, health_cell },
	[COL_NODE]    = { W_COL_NODE,    4,  3,  8, 16, false, offsetof(struct ui_entry, node), NULL },
	[COL_REGION]  = { W_TABLE_REGION, 12, 12,  6, 16, false, offsetof(struct ui_entry, region), NULL },
	[COL_SERVICE] = { W_COL_SERVICE, 8,  8, 10, 30, false, offsetof(struct ui_entry, service), NULL },
	[COL_IMAGE]   = { W_COL_IMAGE,   6,  6, 12, 50, false, offsetof(struct ui_entry, image), NULL },
	[COL_PORTS]   = { W_COL_PORTS,   9,  9, 10, 30, false, offsetof(struct ui_entry, ports), NULL },
	[COL_OWNER]   = { W_COL_OWNER,  10, 10,  8, 16, false, offsetof(struct ui_entry, owner), NULL },
	[COL_GPU]     = { W_COL_GPU,    11, 11,  3,  3, false, 0, gpu_cell },
	[COL_AGE]     = { W_COL_AGE,     5,  4,  4,  6, true,  0, age_cell },
	/* clang-format on */
};

enum word
ui_column_title(enum ui_column c)
{
	return columns[c].title;
}

bool
ui_column_right(enum ui_column c)
{
	return columns[c].right;
}

enum ui_role
ui_cell(const struct ui_entry *e, enum ui_column c, int64_t now, char dst[static UI_CELL])
{
	if (columns[c].cell != NULL)
		return columns[c].cell(e, now, dst);
	text_safe(
	    dst, UI_CELL, *(const char *const *)(const void *)((const char *)e + columns[c].text));
	return ROLE_PLAIN;
}

/* Times grow while they are looked at: there is room for any. */
void
ui_widths_add(struct ui_widths *w, const struct ui_entry *e)
{
	char cell[UI_CELL];
	size_t n;

	for (unsigned c = 0; c < COL_COUNT; c++) {
		if (w->widest[c] >= columns[c].most)
			continue;
		ui_cell(e, c, 0, cell);
		n = text_width(cell);
		if (c == COL_AGE)
			n = columns[c].least + 1;
		if (c == COL_STATE && strcmp(e->state, "unreachable") == 0)
			n += 2;
		if (n > columns[c].most)
			n = columns[c].most;
		if (n > w->widest[c])
			w->widest[c] = (unsigned)n;
	}
}

static unsigned
title_width(enum ui_column c)
{
	char title[UI_CELL];

	return (unsigned)text_width(
	    words(title, sizeof(title), columns[c].title, NULL, NULL, NULL));
}

/*
 * First each column in the order of its rank, as narrow as it may be; then
 * what is left goes to those whose words are short, and at last to names and
 * images.  One column in front is the
 * cursor's.  A column that is empty everywhere is left out.
 */
void
ui_layout_make(struct ui_layout *l, const struct ui_widths *w, unsigned cols)
{
	unsigned left = cols > 1 ? cols - 1 : 0, title[COL_COUNT], want[COL_COUNT], gap;

	memset(l, 0, sizeof(*l));
	for (unsigned c = 0; c < COL_COUNT; c++) {
		title[c] = title_width(c);
		want[c] = w->widest[c];
		if (want[c] > 0 && want[c] < title[c])
			want[c] = title[c];
	}
	for (unsigned rank = 1; rank <= COL_COUNT; rank++) {
		for (unsigned c = 0; c < COL_COUNT; c++) {
			unsigned n = want[c] < columns[c].least ? want[c] : columns[c].least;

			if (n > 0 && n < title[c])
				n = title[c];
			gap = c == 0 ? 0 : UI_GAP;
			if (columns[c].rank != rank || n == 0)
				continue;
			if (n + gap > left && c == COL_NAME && left > gap)
				n = left - gap;
			if (n + gap > left)
				goto widen; /* nothing of a lower rank jumps the queue */
			l->width[c] = n;
			left -= n + gap;
		}
	}
widen:
	for (unsigned rank = 1; rank <= COL_COUNT; rank++) {
		for (unsigned c = 0; c < COL_COUNT; c++) {
			unsigned more = l->width[c] == 0 ? 0 : want[c] - l->width[c];

			if (columns[c].more != rank)
				continue;
			if (more > left)
				more = left;
			l->width[c] += more;
			left -= more;
		}
	}
}
