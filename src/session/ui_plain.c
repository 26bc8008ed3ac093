/*
 * The model as text: the numbered list of the plain menu and of `ls`, and
 * `ls --json`.  Everything foreign passes through text_safe.  jumpbox-session; pure.
 */
#include "ui_plain.h"
#include "ui_columns.h"
#include "ui_json.h"

#include "jumpbox/policy.h"
#include "jumpbox/proto.h"
#include "jumpbox/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 5, GAP = 2, NUMBER_LEAST = 3, NAME_LEAST = 8 };

/* The first two are what there has to be room for. */
static const struct column {
	enum ui_column what;
	size_t most; /* columns it may take */
} columns[COLUMNS] = {
	{ COL_NAME, 40 },
	{ COL_STATE, 18 },
	{ COL_AGE, 6 },
	{ COL_NODE, 16 },
	{ COL_IMAGE, 60 },
};

/* In the words of the full-screen menu; only what runs says for how long. */
static const char *
cell(const struct ui_entry *e, unsigned c, int64_t now, char safe[static UI_CELL])
{
	if (columns[c].what == COL_AGE)
		return ui_age(
		    strcmp(e->state, "running") == 0 ? e->started : 0, now, safe, UI_CELL);
	ui_cell(e, columns[c].what, now, safe);
	return safe;
}

static void
add(struct buf *out, const char *s)
{
	buf_add(out, s, strlen(s));
}

static void
measure(const struct ui_model *m, int64_t now, size_t width[static COLUMNS])
{
	char safe[UI_CELL];
	size_t w;

	memset(width, 0, COLUMNS * sizeof(width[0]));
	for (size_t i = 0; i < m->n; i++) {
		for (unsigned c = 0; ui_entry_visible(&m->entry[i]) && c < COLUMNS; c++) {
			w = text_width(cell(&m->entry[i], c, now, safe));
			if (w > columns[c].most)
				w = columns[c].most;
			if (w > width[c])
				width[c] = w;
		}
	}
}

/* Names give way to states; what else does not fit is cut at the right. */
static void
squeeze(size_t column[static COLUMNS], size_t width)
{
	size_t state = 2 * GAP + column[1];

	if (column[0] + state > width && width >= NAME_LEAST + state)
		column[0] = width - state;
}

static void
put_row(const struct ui_entry *e, const size_t column[static COLUMNS], size_t left, int64_t now,
    struct buf *out)
{
	char safe[UI_CELL], fit[UI_CELL];
	size_t w;

	for (unsigned c = 0; c < COLUMNS && left > GAP; c++) {
		if ((w = column[c]) == 0)
			continue; /* of no container */
		if (w > left - GAP)
			w = left - GAP;
		add(out, "  ");
		add(out, text_fit(fit, sizeof(fit), cell(e, c, now, safe), w, c < COLUMNS - 1));
		left -= GAP + w;
	}
}

void
ui_plain_rows(const struct ui_model *m, unsigned width, int64_t now, struct buf *out)
{
	int digits = snprintf(NULL, 0, "%zu", m->n);
	size_t column[COLUMNS], left;
	char number[24];

	if (digits < NUMBER_LEAST)
		digits = NUMBER_LEAST;
	left = width == 0 ? SIZE_MAX : width > (unsigned)digits ? width - (unsigned)digits : 0;
	measure(m, now, column);
	squeeze(column, left);
	for (size_t i = 0; i < m->n; i++) {
		if (!ui_entry_visible(&m->entry[i]))
			continue;
		snprintf(number, sizeof(number), "%*u", digits, m->entry[i].number);
		add(out, number);
		put_row(&m->entry[i], column, left, now, out);
		add(out, "\n");
	}
}

/* ---- JSON ------------------------------------------------------------------------ */

static const struct {
	uint32_t perm;
	const char *name;
} perms[] = {
	{ PERM_SHELL, "shell" },
	{ PERM_EXEC, "exec" },
	{ PERM_FILES, "files" },
	{ PERM_FORWARD, "forward" },
	{ PERM_LOGS, "logs" },
	{ PERM_POWER, "power" },
};

static void
put_allow(const struct ui_entry *e, struct buf *out, unsigned *n)
{
	unsigned some = 0;

	ui_json_key(out, "allow", n);
	ui_json_raw(out, "[");
	for (size_t i = 0; i < sizeof(perms) / sizeof(perms[0]); i++) {
		if ((e->perms & perms[i].perm) == 0)
			continue;
		if (some++ > 0)
			ui_json_raw(out, ",");
		ui_json_text(out, perms[i].name);
	}
	ui_json_raw(out, "]");
}

static void
put_flag(struct buf *out, const char *key, bool on, unsigned *n)
{
	ui_json_key(out, key, n);
	ui_json_raw(out, on ? "true" : "false");
}

static void
put_entry(const struct ui_entry *e, struct buf *out)
{
	unsigned n = 0;

	ui_json_raw(out, "\n{");
	ui_json_string(out, "id", e->id, &n);
	ui_json_string(out, "name", e->name, &n);
	ui_json_string(out, "node", e->node, &n);
	ui_json_string(out, "region", e->region, &n);
	ui_json_string(out, "state", e->state, &n);
	ui_json_string(out, "health", e->health, &n);
	ui_json_number(out, "exit_code", e->exit_code, &n);
	ui_json_string(out, "image", e->image, &n);
	ui_json_string(out, "service", e->service, &n);
	ui_json_string(out, "owner", e->owner, &n);
	ui_json_string(out, "ports", e->ports, &n);
	ui_json_number(out, "since", e->created, &n);
	ui_json_number(out, "started", e->started, &n);
	ui_json_number(out, "finished", e->finished, &n);
	ui_json_number(out, "node_seen", e->node_seen, &n);
	ui_json_number(out, "used", e->used, &n);
	put_flag(out, "oom", (e->flags & ROW_OOM) != 0, &n);
	put_flag(out, "gpu", (e->flags & ROW_GPU) != 0, &n);
	put_allow(e, out, &n);
	ui_json_raw(out, "}");
}

void
ui_plain_json(const struct ui_model *m, struct buf *out)
{
	const char *sep = "";

	ui_json_raw(out, "[");
	for (size_t i = 0; i < m->n; i++) {
		if (!ui_entry_visible(&m->entry[i]))
			continue;
		ui_json_raw(out, sep);
		sep = ",";
		put_entry(&m->entry[i], out);
	}
	ui_json_raw(out, "\n]\n");
}
