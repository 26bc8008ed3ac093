/*
 * The containers that a user may reach, as the menu knows them: numbers that
 * stay the same for the whole session, and finding by what was typed.  Pure;
 * every face of the menu reads this.
 */
#ifndef SESSION_UI_MODEL_H
#define SESSION_UI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ui_entry {
	uint64_t ref;
	unsigned number;			/* from 1 */
	bool listed;				/* in the newest list */
	bool hidden;				/* filtered away */
	char *id, *name, *node, *state, *image; /* as the broker gave them: foreign text */
	uint64_t since;
};

struct ui_model {
	struct ui_entry *entry; /* in the order of their numbers */
	size_t n, room;
	uint32_t *slot; /* hash of ref: number of an entry, 0: free */
	size_t nslots;	/* a power of two, more than twice n */
};

void ui_model_init(struct ui_model *m);
void ui_model_release(struct ui_model *m);

/* A new list: begin, then each row, which keeps its number if it was known. */
void ui_model_begin(struct ui_model *m);
void ui_model_add(struct ui_model *m, const struct ui_entry *row); /* copies the strings */

/* Only entries whose "NODE+NAME" is among these are shown; n 0 shows all. */
void ui_model_filter(struct ui_model *m, char *const *candidate, size_t n);

bool ui_entry_visible(const struct ui_entry *e); /* listed, and not filtered away */
size_t ui_model_visible(const struct ui_model *m);

/*
 * What was typed: a number, NAME or NODE+NAME (or a unique beginning of a
 * name; exact beats it).  How many visible entries match, and the first.
 */
size_t ui_model_find(const struct ui_model *m, const char *text, const struct ui_entry **e);

#endif
