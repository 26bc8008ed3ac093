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

enum { CELL = 512, COLUMNS = 5, GAP = 2 };
#define STATE (SIZE_MAX - 1)
#define AGE   SIZE_MAX

static const struct column {
	size_t offset; /* of the string in struct ui_entry; AGE: how long it has been up; STATE */
	size_t most;   /* columns it may take */
} columns[COLUMNS] = {
	{ offsetof(struct ui_entry, name), 40 },
	{ STATE, 18 },
	{ AGE, 6 },
	{ offsetof(struct ui_entry, node), 16 },
	{ offsetof(struct ui_entry, image), 60 },
};

static const char *
cell(const struct ui_entry *e, unsigned c, int64_t now, char safe[static CELL])
{
	if (columns[c].offset == AGE)
		return ui_age(strcmp(e->state, "running") == 0 ? e->started : 0, now, safe, CELL);
	if (columns[c].offset == STATE) {
		ui_cell(e, COL_STATE, now, safe);
		return safe;
	}
	return text_safe(
	    safe, CELL, *(const char *const *)(const void *)((const char *)e + columns[c].offset));
}

static void
add(struct buf *out, const char *s)
{
	buf_add(out, s, strlen(s));
}

static void
measure(const struct ui_model *m, int64_t now, size_t width[static COLUMNS])
{
	char safe[CELL];
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

void
ui_plain_rows(const struct ui_model *m, unsigned width, int64_t now, struct buf *out)
{
	size_t column[COLUMNS], left, w;
	char safe[CELL], fit[CELL], number[16];

	measure(m, now, column);
	for (size_t i = 0; i < m->n; i++) {
		const struct ui_entry *e = &m->entry[i];

		if (!ui_entry_visible(e))
			continue;
		snprintf(number, sizeof(number), "%3u", e->number);
		add(out, number);
		left = width > strlen(number) ? width - strlen(number) : 0;
		for (unsigned c = 0; c < COLUMNS; c++) {
			if ((w = column[c]) == 0)
				continue; /* of no container */
			if (width > 0 && left < GAP + 1)
				break;
			if (width > 0 && w > left - GAP)
				w = left - GAP;
			add(out, "  ");
			add(out,
			    text_fit(fit, sizeof(fit), cell(e, c, now, safe), w, c < COLUMNS - 1));
			left -= width > 0 ? GAP + w : 0;
		}
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
