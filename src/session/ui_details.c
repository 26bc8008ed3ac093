/*
 * What there is to know of a container, as a person reads it, and as JSON.
 * jumpbox-session; pure.
 */
#include "ui_details.h"
#include "ui_columns.h"
#include "ui_json.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"
#include "jumpbox/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_ROOM = 4 * DETAIL_MAX };

/* clang-format off */
static const struct detail {
	const char *json;
	enum word title;
	enum { TEXT, WORD, NUMBER, TIME, FLAG } kind;
	bool many;
} details[DETAIL_KEYS] = {
	[DETAIL_NAME]      = { "name",      W_DETAIL_NAME,      TEXT,   false },
	[DETAIL_ID]        = { "id",        W_DETAIL_ID,        TEXT,   false },
	[DETAIL_NODE]      = { "node",      W_DETAIL_NODE,      TEXT,   false },
	[DETAIL_STATE]     = { "state",     W_DETAIL_STATE,     WORD,   false },
	[DETAIL_HEALTH]    = { "health",    W_DETAIL_HEALTH,    WORD,   false },
	[DETAIL_EXIT_CODE] = { "exit_code", W_DETAIL_EXIT_CODE, NUMBER, false },
	[DETAIL_OOM]       = { "oom",       W_DETAIL_OOM,       FLAG,   false },
	[DETAIL_IMAGE]     = { "image",     W_DETAIL_IMAGE,     TEXT,   false },
	[DETAIL_COMMAND]   = { "command",   W_DETAIL_COMMAND,   TEXT,   false },
	[DETAIL_USER]      = { "user",      W_DETAIL_USER,      TEXT,   false },
	[DETAIL_WORKDIR]   = { "workdir",   W_DETAIL_WORKDIR,   TEXT,   false },
	[DETAIL_CREATED]   = { "created",   W_DETAIL_CREATED,   TIME,   false },
	[DETAIL_STARTED]   = { "started",   W_DETAIL_STARTED,   TIME,   false },
	[DETAIL_FINISHED]  = { "finished",  W_DETAIL_FINISHED,  TIME,   false },
	[DETAIL_RESTART]   = { "restart",   W_DETAIL_RESTART,   TEXT,   false },
	[DETAIL_GPU]       = { "gpu",       W_DETAIL_GPU,       TEXT,   true  },
	[DETAIL_PORT]      = { "ports",     W_DETAIL_PORT,      TEXT,   true  },
	[DETAIL_NETWORK]   = { "networks",  W_DETAIL_NETWORK,   TEXT,   true  },
	[DETAIL_MOUNT]     = { "mounts",    W_DETAIL_MOUNT,     TEXT,   true  },
	[DETAIL_LABEL]     = { "labels",    W_DETAIL_LABEL,     TEXT,   true  },
	[DETAIL_ENV]       = { "env",       W_DETAIL_ENV,       TEXT,   true  },
	[DETAIL_RUN_AS]    = { "run_as",    W_DETAIL_RUN_AS,    TEXT,   true  },
	[DETAIL_CUT]       = { "truncated", W_DETAIL_CUT,       FLAG,   false },
};
/* clang-format on */

void
ui_details_release(struct ui_details *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->row[i].value);
	free(d->row);
	*d = (struct ui_details){ 0 };
}

/* Safe to show. */
static char *
detail_value(const struct ui_detail *d, char *dst, size_t size)
{
	char when[32], word[UI_CELL];

	if (details[d->key].kind == WORD) {
		ui_word(d->value, NULL, word);
		return text_safe(dst, size, word);
	}
	if (details[d->key].kind == TIME) {
		when_format(strtoll(d->value, NULL, 10), when);
		return text_safe(dst, size, when);
	}
	if (details[d->key].kind == FLAG)
		return words(dst, size, W_ANSWER_YES, NULL, NULL, NULL);
	return text_safe(dst, size, d->value);
}

/* ---- text -------------------------------------------------------------------- */

static void
say(struct buf *out, const char *s)
{
	buf_add(out, s, strlen(s));
}

static size_t
title_width(void)
{
	char title[64];
	size_t most = 0, w;

	for (unsigned k = DETAIL_NAME; k < DETAIL_KEYS; k++) {
		w = text_width(words(title, sizeof(title), details[k].title, NULL, NULL, NULL));
		most = w > most ? w : most;
	}
	return most;
}

void
ui_details_text(const struct ui_details *d, struct buf *out)
{
	char title[64], fit[128], value[TEXT_ROOM];
	size_t width = title_width() + 2;

	for (unsigned k = DETAIL_NAME; k < DETAIL_KEYS; k++) {
		words(title, sizeof(title), details[k].title, NULL, NULL, NULL);
		for (size_t i = 0; i < d->n; i++) {
			if (d->row[i].key != k)
				continue;
			say(out, text_fit(fit, sizeof(fit), title, width, true));
			say(out, detail_value(&d->row[i], value, sizeof(value)));
			say(out, "\n");
			title[0] = '\0';
		}
	}
}

/* ---- JSON -------------------------------------------------------------------- */

static const char *
first(const struct ui_details *d, unsigned key)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->row[i].key == key)
			return d->row[i].value;
	return "";
}

static void
put_many(const struct ui_details *d, unsigned key, struct buf *out)
{
	unsigned n = 0;

	ui_json_raw(out, "[");
	for (size_t i = 0; i < d->n; i++) {
		if (d->row[i].key != key)
			continue;
		if (n++ > 0)
			ui_json_raw(out, ",");
		ui_json_text(out, d->row[i].value);
	}
	ui_json_raw(out, "]");
}

void
ui_details_json(const struct ui_details *d, struct buf *out)
{
	unsigned n = 0;

	ui_json_raw(out, "{");
	for (unsigned k = DETAIL_NAME; k < DETAIL_KEYS; k++) {
		const char *value = first(d, k);

		if (details[k].many) {
			ui_json_key(out, details[k].json, &n);
			put_many(d, k, out);
		} else if (details[k].kind == TEXT || details[k].kind == WORD) {
			ui_json_string(out, details[k].json, value, &n);
		} else if (details[k].kind == FLAG) {
			ui_json_key(out, details[k].json, &n);
			ui_json_raw(out, value[0] != '\0' ? "true" : "false");
		} else {
			ui_json_number(out, details[k].json, strtoull(value, NULL, 10), &n);
		}
	}
	ui_json_raw(out, "}\n");
}
