/* Filters: words that must all be found in what is known of a container.  Pure. */
#ifndef SESSION_UI_FILTER_H
#define SESSION_UI_FILTER_H

#include "ui_model.h"

enum { UI_WORDS = 16, UI_FILTER_MAX = 127 };

struct ui_words {
	char text[2 * UI_FILTER_MAX + 2];
	const char *word[UI_WORDS]; /* in lower case, within text: not to be copied */
	unsigned n;
};

void ui_words_init(struct ui_words *w, const char *text);

/*
 * Each word is somewhere in the name, id, image, node, its region, owner, service or
 * labels, which read as key=value.  Letters are compared in lower case, as
 * LC_CTYPE knows them.
 */
bool ui_entry_matches(struct ui_entry *e, const struct ui_words *w);

#endif
