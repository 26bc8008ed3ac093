/*
 * Rows of cells as a person reads them, and as JSON: what `who`, `nodes`,
 * `recordings`, `keys list` and `whoami` print.  jumpbox-session; pure.
 */
#include "ui_table.h"
#include "ui_columns.h"
#include "ui_json.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 1200, GAP = 2, MOST_WIDTH = 64 };

/* clang-format off */
static const struct table_column who[] = {
	{ "id",        W_TABLE_ID,        CELL_NUMBER, false },
	{ "user",      W_TABLE_USER,      CELL_TEXT,   false },
	{ "source",    W_TABLE_SOURCE,    CELL_TEXT,   false },
	{ "method",    W_TABLE_METHOD,    CELL_TEXT,   false },
	{ "started",   W_TABLE_STARTED,   CELL_TIME,   false },
	{ "container", W_TABLE_CONTAINER, CELL_TEXT,   false },
	{ "host",      W_TABLE_HOST,      CELL_TEXT,   true  },
};
static const struct table_column nodes[] = {
	{ "name",        W_TABLE_NODE,      CELL_TEXT,  false },
	{ "state",       W_TABLE_STATE,     CELL_WORD,  false },
	{ "state_since", W_TABLE_SINCE,     CELL_TIME,  false },
	{ "last_seen",   W_TABLE_LAST_SEEN, CELL_TIME,  false },
	{ "address",     W_TABLE_ADDRESS,   CELL_TEXT,  false },
	{ "region",      W_TABLE_REGION,    CELL_TEXT,  false },
	{ "enabled",     W_TABLE_ENABLED,   CELL_YESNO, false },
	{ "error",       W_TABLE_ERROR,     CELL_TEXT,  true  },
};
static const struct table_column keys[] = {
	{ "fingerprint", W_TABLE_FINGERPRINT, CELL_TEXT, false },
	{ "algorithm",   W_TABLE_ALGORITHM,   CELL_TEXT, false },
	{ "comment",     W_TABLE_COMMENT,     CELL_TEXT, false },
	{ "from",        W_TABLE_FROM,        CELL_TEXT, false },
	{ "until",       W_TABLE_UNTIL,       CELL_TIME, false },
	{ "created",     W_TABLE_CREATED,     CELL_TIME, true  },
};
/* The pairs of an account; those that a pair names by `group` and `grant` repeat. */
static const struct table_column account[] = {
	{ "name",       W_TABLE_NAME,       CELL_TEXT,   false },
	{ "role",       W_TABLE_ROLE,       CELL_WORD,   false },
	{ "created",    W_DETAIL_CREATED,   CELL_TIME,   false },
	{ "last_login", W_TABLE_LAST_LOGIN, CELL_TIME,   false },
	{ "expires",    W_TABLE_EXPIRES,    CELL_TIME,   false },
	{ "password",   W_TABLE_PASSWORD,   CELL_YESNO,  false },
	{ "language",   W_TABLE_LANGUAGE,   CELL_TEXT,   false },
	{ "menu",       W_TABLE_MENU,       CELL_WORD,   false },
	{ "session",    W_TABLE_SESSION,    CELL_NUMBER, false },
	{ "source",     W_TABLE_LOGGED_IN_FROM, CELL_TEXT, false },
	{ "groups",     W_TABLE_GROUP,      CELL_TEXT,   true  },
	{ "grants",     W_TABLE_GRANT,      CELL_GRANT,  true  },
};
static const struct table_column recorded[] = {
	{ "session",   W_TABLE_ID,        CELL_NUMBER, false },
	{ "number",    W_COL_NUMBER,      CELL_NUMBER, false },
	{ "user",      W_TABLE_USER,      CELL_TEXT,   false },
	{ "container", W_TABLE_CONTAINER, CELL_TEXT,   false },
	{ "started",   W_TABLE_STARTED,   CELL_TIME,   false },
	{ "ended",     W_TABLE_ENDED,     CELL_TIME,   true  },
};

#define COLUMNS(c) c, sizeof(c) / sizeof(c[0])
static const struct table_kind kinds[] = {
	[QUERY_WHO]      = { COLUMNS(who),      false },
	[QUERY_NODES]    = { COLUMNS(nodes),    false },
	[QUERY_KEYS]     = { COLUMNS(keys),     false },
	[QUERY_ACCOUNT]  = { COLUMNS(account),  true  },
	[QUERY_RECORDED] = { COLUMNS(recorded), false },
};
/* clang-format on */

const struct table_kind *
table_kind_of(enum query what)
{
	return what < sizeof(kinds) / sizeof(kinds[0]) && kinds[what].ncols > 0 ? &kinds[what]
										: NULL;
}

/* ---- cells ------------------------------------------------------------------ */

void
table_init(struct table *t, const struct table_kind *kind)
{
	*t = (struct table){ .kind = kind };
}

void
table_add(struct table *t, char *cell)
{
	if (t->n == t->room) {
		t->room = t->room == 0 ? 64 : t->room * 2;
		t->cell = xreallocarray(t->cell, t->room, sizeof(*t->cell));
	}
	t->cell[t->n++] = cell;
}

void
table_release(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cell[i]);
	free(t->cell);
	*t = (struct table){ 0 };
}

static void
say(struct buf *out, const char *s)
{
	buf_add(out, s, strlen(s));
}

/* UNTIL \n ALLOW \n RUN-AS \n SELECTOR, as a sentence; what is not, as it is. */
static char *
grant_text(enum language l, const char *cell, char dst[static CELL])
{
	char copy[CELL], when[32], *p = copy, *field[3];
	size_t n;

	snprintf(copy, sizeof(copy), "%s", cell);
	snprintf(dst, CELL, "%s", cell);
	for (size_t i = 0; i < 3; i++)
		if ((field[i] = strsep(&p, "\n")) == NULL || p == NULL)
			return dst;
	words_in(l, dst, CELL, W_GRANT_ALLOW, p, field[1], NULL);
	n = strlen(dst);
	if (field[2][0] != '\0')
		words_in(l, dst + n, CELL - n, W_GRANT_AS, field[2], NULL, NULL);
	n = strlen(dst);
	if (strcmp(field[0], "0") != 0) {
		when_format(strtoll(field[0], NULL, 10), when);
		words_in(l, dst + n, CELL - n, W_GRANT_UNTIL, when, NULL, NULL);
	}
	return dst;
}

static char *
cell_text(const struct table_column *c, const char *cell, char dst[static CELL])
{
	int64_t at = c->kind == CELL_TIME ? strtoll(cell, NULL, 10) : 0;
	char when[32], grant[CELL];

	if (c->kind == CELL_GRANT)
		return text_safe(dst, CELL, grant_text(words_language(), cell, grant));
	if (c->kind == CELL_WORD) {
		ui_word(cell, NULL, dst);
		return dst;
	}
	if (c->kind == CELL_TIME) {
		when_format(at, when);
		return text_safe(dst, CELL, at > 0 ? when : "");
	}
	if (c->kind == CELL_YESNO)
		return words(dst, CELL, strcmp(cell, "yes") == 0 ? W_ANSWER_YES : W_ANSWER_NO, NULL,
		    NULL, NULL);
	return text_safe(dst, CELL, cell);
}

/* ---- rows --------------------------------------------------------------------- */

static void
widths(const struct table *t, size_t *width)
{
	char text[CELL];
	size_t w;

	for (unsigned c = 0; c < t->kind->ncols; c++)
		width[c] = text_width(
		    words(text, sizeof(text), t->kind->column[c].title, NULL, NULL, NULL));
	for (size_t i = 0; i < t->n; i++) {
		unsigned c = (unsigned)(i % t->kind->ncols);

		w = text_width(cell_text(&t->kind->column[c], t->cell[i], text));
		if (w > MOST_WIDTH)
			w = MOST_WIDTH;
		if (w > width[c])
			width[c] = w;
	}
}

static void
put(struct buf *out, const struct table_column *c, const char *text, size_t width)
{
	char fit[CELL];

	say(out, c->last ? text : text_fit(fit, sizeof(fit), text, width, true));
	if (c->last)
		say(out, "\n");
	else
		say(out, "  ");
}

static void
rows_text(const struct table *t, struct buf *out)
{
	size_t width[QUERY_COLS];
	char text[CELL];

	widths(t, width);
	for (unsigned c = 0; c < t->kind->ncols; c++)
		put(out, &t->kind->column[c],
		    words(text, sizeof(text), t->kind->column[c].title, NULL, NULL, NULL),
		    width[c]);
	for (size_t i = 0; i < t->n; i++) {
		unsigned c = (unsigned)(i % t->kind->ncols);

		put(out, &t->kind->column[c], cell_text(&t->kind->column[c], t->cell[i], text),
		    width[c]);
	}
}

static void
json_cell(struct buf *out, const struct table_column *c, const char *cell, unsigned *n)
{
	if (c->kind == CELL_TIME || c->kind == CELL_NUMBER) {
		ui_json_number(out, c->key, strtoull(cell, NULL, 10), n);
	} else if (c->kind == CELL_YESNO) {
		ui_json_key(out, c->key, n);
		ui_json_raw(out, strcmp(cell, "yes") == 0 ? "true" : "false");
	} else {
		ui_json_string(out, c->key, cell, n);
	}
}

static void
rows_json(const struct table *t, struct buf *out)
{
	unsigned n;

	ui_json_raw(out, "[");
	for (size_t row = 0; row + t->kind->ncols <= t->n; row += t->kind->ncols) {
		ui_json_raw(out, row > 0 ? ",\n{" : "\n{");
		n = 0;
		for (unsigned c = 0; c < t->kind->ncols; c++)
			json_cell(out, &t->kind->column[c], t->cell[row + c], &n);
		ui_json_raw(out, "}");
	}
	ui_json_raw(out, "\n]\n");
}

/* ---- pairs ----------------------------------------------------------------------- */

/* The broker says last-login, group and grant for last_login, groups and grants. */
static bool
pair_is(const char *key, const struct table_column *c)
{
	size_t i, n = strlen(key);

	for (i = 0; i < n; i++)
		if (key[i] != c->key[i] && !(key[i] == '-' && c->key[i] == '_'))
			return false;
	return c->key[n] == '\0' || (c->last && strcmp(c->key + n, "s") == 0);
}

static void
pairs_text(const struct table *t, struct buf *out)
{
	char title[CELL], text[CELL], fit[CELL];
	size_t width = 0, w;

	for (unsigned c = 0; c < t->kind->ncols; c++) {
		w = text_width(
		    words(title, sizeof(title), t->kind->column[c].title, NULL, NULL, NULL));
		width = w > width ? w : width;
	}
	for (unsigned c = 0; c < t->kind->ncols; c++) {
		const struct table_column *col = &t->kind->column[c];

		words(title, sizeof(title), col->title, NULL, NULL, NULL);
		for (size_t i = 0; i + 1 < t->n; i += 2) {
			if (!pair_is(t->cell[i], col) ||
			    cell_text(col, t->cell[i + 1], text)[0] == '\0')
				continue;
			say(out, text_fit(fit, sizeof(fit), title, width + GAP, true));
			say(out, text);
			say(out, "\n");
		}
	}
}

static void
pair_json(const struct table *t, const struct table_column *c, struct buf *out, unsigned *n)
{
	char grant[CELL];
	unsigned many = 0;

	if (c->last) {
		ui_json_key(out, c->key, n);
		ui_json_raw(out, "[");
	}
	for (size_t i = 0; i + 1 < t->n; i += 2) {
		if (!pair_is(t->cell[i], c))
			continue;
		if (!c->last) {
			json_cell(out, c, t->cell[i + 1], n);
			return;
		}
		if (many++ > 0)
			ui_json_raw(out, ",");
		ui_json_text(out,
		    c->kind == CELL_GRANT ? grant_text(LANGUAGE_EN, t->cell[i + 1], grant)
					  : t->cell[i + 1]);
	}
	if (c->last)
		ui_json_raw(out, "]");
}

static void
pairs_json(const struct table *t, struct buf *out)
{
	unsigned n = 0;

	ui_json_raw(out, "{");
	for (unsigned c = 0; c < t->kind->ncols; c++)
		pair_json(t, &t->kind->column[c], out, &n);
	ui_json_raw(out, "}\n");
}

void
table_text(const struct table *t, struct buf *out)
{
	if (t->kind->pairs)
		pairs_text(t, out);
	else
		rows_text(t, out);
}

void
table_json(const struct table *t, struct buf *out)
{
	if (t->kind->pairs)
		pairs_json(t, out);
	else
		rows_json(t, out);
}
