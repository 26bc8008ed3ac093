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
	unsigned number;     /* from 1 */
	unsigned generation; /* of the list that it was in last */
	bool listed;	     /* still there */
	bool hidden;	     /* not among the candidates */
	bool touched;	     /* changed since ui_model_settle() */
	bool shown;	     /* ui_list's: listed, and the filter lets it pass */
	/* as the broker gave them: foreign text */
	const char *id, *name, *node, *state, *health, *image, *service, *labels, *owner, *ports,
	    *region;
	/* unix seconds; 0: never */
	uint64_t created, started, finished, node_seen, used;
	uint32_t exit_code, perms, flags;
	char *text; /* the block in which those strings are */
	char *fold; /* what a filter looks at, in lower case; NULL: not made yet */
};

struct ui_model {
	struct ui_entry *entry; /* in the order of their numbers */
	size_t n, room;
	uint32_t *slot; /* hash of ref: number of an entry, 0: free */
	size_t nslots;	/* a power of two, more than twice n */
	unsigned generation;
};

void ui_model_init(struct ui_model *m);
void ui_model_release(struct ui_model *m);

/*
 * A whole list: begin, each row, end; what was not in it has gone.  Without
 * begin and end the rows are changes.  A row keeps its number if it was known.
 */
void ui_model_begin(struct ui_model *m);
void ui_model_add(struct ui_model *m, const struct ui_entry *row); /* copies the strings */
void ui_model_gone(struct ui_model *m, uint64_t ref);
void ui_model_used(struct ui_model *m, uint64_t ref, uint64_t now); /* attached to just now */
void ui_model_end(struct ui_model *m);
/* Nothing is touched any more. */
void ui_model_settle(struct ui_model *m);

const struct ui_entry *ui_model_get(const struct ui_model *m, uint64_t ref); /* NULL: unknown */
const struct ui_entry *ui_model_number(const struct ui_model *m, unsigned long number); /* listed */

/* Only entries whose "NODE+NAME" is among these are shown; n 0 shows all. */
void ui_model_filter(struct ui_model *m, char *const *candidate, size_t n);

bool ui_entry_visible(const struct ui_entry *e); /* listed, and among the candidates */
size_t ui_model_visible(const struct ui_model *m);

/*
 * What was typed: a number, NAME or NODE+NAME (or a unique beginning of a
 * name; exact beats it).  How many visible entries match, and the first.
 */
size_t ui_model_find(const struct ui_model *m, const char *text, const struct ui_entry **e);

#endif
