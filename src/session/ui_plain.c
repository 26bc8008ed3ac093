/*
 * The model as text: the numbered list of the plain menu and of `ls`, and
 * `ls --json`.  Everything foreign passes through text_safe.  jumpbox-session; pure.
 */
#include "ui_plain.h"

#include "jumpbox/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 512, COLUMNS = 4, GAP = 2 };

static const struct column {
	size_t offset; /* of the string in struct ui_entry */
	size_t most;   /* columns it may take */
} columns[COLUMNS] = {
	{ offsetof(struct ui_entry, name), 40 },
	{ offsetof(struct ui_entry, state), 12 },
	{ offsetof(struct ui_entry, node), 16 },
	{ offsetof(struct ui_entry, image), 60 },
};

static const char *
cell(const struct ui_entry *e, unsigned c, char safe[static CELL])
{
	return text_safe(
	    safe, CELL, *(const char *const *)(const void *)((const char *)e + columns[c].offset));
}

static void
add(struct buf *out, const char *s)
{
	buf_add(out, s, strlen(s));
}

static void
measure(const struct ui_model *m, size_t width[static COLUMNS])
{
	char safe[CELL];
	size_t w;

	memset(width, 0, COLUMNS * sizeof(width[0]));
	for (size_t i = 0; i < m->n; i++) {
		for (unsigned c = 0; ui_entry_visible(&m->entry[i]) && c < COLUMNS; c++) {
			w = text_width(cell(&m->entry[i], c, safe));
			if (w > columns[c].most)
				w = columns[c].most;
			if (w > width[c])
				width[c] = w;
		}
	}
}

void
ui_plain_rows(const struct ui_model *m, unsigned width, struct buf *out)
{
	size_t column[COLUMNS], left, w;
	char safe[CELL], fit[CELL], number[16];

	measure(m, column);
	for (size_t i = 0; i < m->n; i++) {
		const struct ui_entry *e = &m->entry[i];

		if (!ui_entry_visible(e))
			continue;
		snprintf(number, sizeof(number), "%3u", e->number);
		add(out, number);
		left = width > strlen(number) ? width - strlen(number) : 0;
		for (unsigned c = 0; c < COLUMNS; c++) {
			w = column[c];
			if (width > 0 && left < GAP + 1)
				break;
			if (width > 0 && w > left - GAP)
				w = left - GAP;
			add(out, "  ");
			add(out, text_fit(fit, sizeof(fit), cell(e, c, safe), w, c < COLUMNS - 1));
			left -= width > 0 ? GAP + w : 0;
		}
		add(out, "\n");
	}
}

static void
json_string(struct buf *out, const char *key, const char *value)
{
	char safe[CELL];

	add(out, "\"");
	add(out, key);
	add(out, "\":\"");
	for (const char *p = text_safe(safe, sizeof(safe), value); *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			add(out, "\\");
		buf_add(out, p, 1);
	}
	add(out, "\",");
}

void
ui_plain_json(const struct ui_model *m, struct buf *out)
{
	const char *sep = "";
	char number[64];

	add(out, "[");
	for (size_t i = 0; i < m->n; i++) {
		const struct ui_entry *e = &m->entry[i];

		if (!ui_entry_visible(e))
			continue;
		add(out, sep);
		sep = ",";
		add(out, "\n{");
		json_string(out, "id", e->id);
		json_string(out, "name", e->name);
		json_string(out, "node", e->node);
		json_string(out, "state", e->state);
		json_string(out, "image", e->image);
		snprintf(number, sizeof(number), "\"since\":%" PRIu64 "}", e->created);
		add(out, number);
	}
	add(out, "\n]\n");
}
