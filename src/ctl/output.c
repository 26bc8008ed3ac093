/*
 * What a command prints: lists, objects and what an `add` made, as JSON or
 * for a person.  Foreign text is made safe for the terminal in both: JSON is
 * plain ASCII, and escapes all else.  jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096, JSON_FLAGS = JSON_COMPACT | JSON_ENSURE_ASCII };

/* ---- cells ------------------------------------------------------------- */

/* 2027-01-31T18:00:00Z, with thousandths when the cell has them. */
static void
time_text(enum cell_type type, int64_t t, char dst[static 40])
{
	char text[32];

	when_format(type == CELL_TIME_MS ? t / 1000 : t, text);
	if (type == CELL_TIME_MS)
		snprintf(dst, 40, "%.19s.%03dZ", text, (int)(t % 1000));
	else
		snprintf(dst, 40, "%s", text);
}

/* NULL: the cell is empty. */
static char *
cell_text(enum cell_type type, const struct cell *cell)
{
	char text[TEXT_MAX] = "";

	switch (type) {
	case CELL_TEXT:
		if (cell->s == NULL || cell->s[0] == '\0')
			return NULL;
		text_safe(text, sizeof text, cell->s);
		break;
	case CELL_NUM:
		snprintf(text, sizeof text, "%lld", (long long)cell->n);
		break;
	case CELL_BOOL:
		snprintf(text, sizeof text, "%s", cell->n ? "yes" : "no");
		break;
	case CELL_CONN:
		snprintf(text, sizeof text, "%016llx", (unsigned long long)cell->n);
		return cell->n == 0 ? NULL : xstrdup(text);
	case CELL_TIME:
	case CELL_TIME_MS:
		if (cell->n == 0)
			return NULL;
		time_text(type, cell->n, text);
		break;
	}
	return xstrdup(text);
}

static json_t *
cell_json(enum cell_type type, const struct cell *cell)
{
	json_t *j;
	char *text;

	if (type == CELL_NUM)
		return json_integer(cell->n);
	if (type == CELL_BOOL)
		return json_boolean(cell->n != 0);
	if (type == CELL_TEXT && cell->s != NULL && (j = json_string(cell->s)) != NULL)
		return j;
	/* Also for text that is not UTF-8: its bytes are escaped. */
	text = cell_text(type, cell);
	j = text != NULL ? json_string(text) : json_null();
	free(text);
	return j;
}

static void
json_print(const struct column *cols, size_t ncols, const struct cell *cells)
{
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < ncols; i++)
		json_object_set_new(o, cols[i].key, cell_json(cols[i].type, &cells[i]));
	json_dumpf(o, stdout, JSON_FLAGS);
	json_decref(o);
}

/* ---- lists ------------------------------------------------------------- */

void
list_begin(struct list *l, const struct ctl *c, const struct column *cols, size_t ncols)
{
	size_t i;

	*l = (struct list){ .c = c, .cols = cols, .ncols = ncols };
	if (c->json)
		return;
	l->width = xcalloc(ncols, sizeof *l->width);
	l->text = xcalloc(LIST_BLOCK * ncols, sizeof *l->text);
	for (i = 0; i < ncols; i++)
		l->width[i] = strlen(cols[i].key);
}

static void
heading_print(const struct list *l)
{
	const char *key;
	bool first = true;
	size_t i, pad = 0;

	for (i = 0; i < l->ncols; i++) {
		if (l->cols[i].detail)
			continue;
		printf("%*s", (int)(first ? 0 : pad + 2), "");
		for (key = l->cols[i].key; *key != '\0'; key++)
			putchar(*key == '_' ? '-' : toupper((unsigned char)*key));
		pad = l->width[i] - strlen(l->cols[i].key);
		first = false;
	}
	putchar('\n');
}

static void
row_print(const struct list *l, char **text)
{
	size_t i, pad = 0;
	bool first = true;

	for (i = 0; i < l->ncols; i++) {
		if (l->cols[i].detail)
			continue;
		/* The blanks of the last column are left out. */
		printf("%*s%s", (int)(first ? 0 : pad + 2), "", text[i]);
		pad = l->width[i] - text_width(text[i]);
		first = false;
	}
	putchar('\n');
}

static void
block_print(struct list *l)
{
	size_t i, w;

	for (i = 0; i < l->nrows * l->ncols; i++) {
		w = l->text[i] != NULL ? text_width(l->text[i]) : 0;
		if (w > l->width[i % l->ncols])
			l->width[i % l->ncols] = w;
	}
	if (l->total == l->nrows)
		heading_print(l);
	for (i = 0; i < l->nrows; i++)
		row_print(l, l->text + i * l->ncols);
	for (i = 0; i < l->nrows * l->ncols; i++)
		free(l->text[i]);
	l->nrows = 0;
}

static void
row_keep(struct list *l, const struct cell *cells)
{
	char **text = l->text + l->nrows * l->ncols;
	size_t i;

	for (i = 0; i < l->ncols; i++) {
		text[i] = l->cols[i].detail ? NULL : cell_text(l->cols[i].type, &cells[i]);
		if (text[i] == NULL && !l->cols[i].detail)
			text[i] = xstrdup("-");
	}
	l->nrows++;
}

void
list_row(struct list *l, const struct cell *cells)
{
	if (l->c->json) {
		fputs(l->total++ == 0 ? "[\n" : ",\n", stdout);
		json_print(l->cols, l->ncols, cells);
		return;
	}
	row_keep(l, cells);
	l->total++;
	if (l->nrows == LIST_BLOCK)
		block_print(l);
}

int
list_end(struct list *l, int r)
{
	if (l->c->json && l->total > 0)
		puts("\n]");
	else if (l->c->json && r == 0)
		puts("[]");
	else if (!l->c->json && (l->nrows > 0 || (l->total == 0 && r == 0)))
		block_print(l);
	free(l->width);
	free(l->text);
	return r;
}

/* ---- single results ---------------------------------------------------- */

void
out_json_line(const struct column *cols, size_t ncols, const struct cell *cells)
{
	json_print(cols, ncols, cells);
	putchar('\n');
}

void
out_object(const struct ctl *c, const struct column *cols, size_t ncols, const struct cell *cells)
{
	size_t i, width = 0;
	char *text;

	if (c->json) {
		out_json_line(cols, ncols, cells);
		return;
	}
	for (i = 0; i < ncols; i++)
		if (strlen(cols[i].key) > width)
			width = strlen(cols[i].key);
	for (i = 0; i < ncols; i++) {
		text = cell_text(cols[i].type, &cells[i]);
		printf("%s:%*s %s\n", cols[i].key, (int)(width - strlen(cols[i].key)), "",
		    text != NULL ? text : "-");
		free(text);
	}
}

static void
made(const struct ctl *c, const struct column *col, const struct cell *cell)
{
	char *text;

	if (c->json) {
		out_json_line(col, 1, cell);
		return;
	}
	text = cell_text(col->type, cell);
	puts(text != NULL ? text : "-");
	free(text);
}

void
out_made(const struct ctl *c, const char *key, const char *s)
{
	made(c, &(struct column){ key, CELL_TEXT, false }, &C_TEXT(s));
}

void
out_made_number(const struct ctl *c, const char *key, int64_t n)
{
	made(c, &(struct column){ key, CELL_NUM, false }, &C_NUM(n));
}

void
out_done(const struct ctl *c)
{
	if (c->json)
		puts("{\"ok\":true}");
}
