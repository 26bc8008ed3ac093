/*
 * The help: the rows of the key table, by where they are good.
 * jumpbox-session; pure.
 */
#include "ui_menu.h"

#include "jumpbox/text.h"

#include <stdio.h>
#include <string.h>

enum { KEYS_WIDTH = 22 };

static const struct {
	enum ui_where where, but; /* what is good there and not there */
	enum word title;
} sections[] = {
	{ UI_LIST, 0, W_HELP_TITLE },
	{ UI_FILTER, 0, W_HELP_IN_FILTER },
	{ UI_LOGS, 0, W_HELP_IN_PAGE },
	{ UI_WHO, UI_LOGS, W_HELP_IN_SESSIONS },
};

static void
add(struct ui_page *p, const char *text)
{
	ui_page_add(p, text, strlen(text));
}

static void
add_row(struct ui_page *p, const struct ui_key *k, enum ui_where where)
{
	char label[UI_LABEL], fit[2 * UI_LABEL], help[256];

	ui_keys_label(k, where, true, label);
	add(p, "   ");
	add(p, text_fit(fit, sizeof(fit), label, KEYS_WIDTH, true));
	add(p, words(help, sizeof(help), k->help, NULL, NULL, NULL));
	add(p, "\n");
}

void
ui_help(struct ui_page *p, uint32_t perms)
{
	const struct ui_key *k;
	char title[64];

	for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
		if (s > 0)
			add(p, "\n");
		add(p, " ");
		add(p, words(title, sizeof(title), sections[s].title, NULL, NULL, NULL));
		add(p, "\n");
		for (size_t r = 0; (k = ui_keys_row(r)) != NULL; r++)
			if ((k->where & sections[s].where) != 0 &&
			    (k->where & sections[s].but) == 0 && (k->needs & ~perms) == 0)
				add_row(p, k, sections[s].where);
	}
}
