/* A command of jumpbox's own, split into words as a shell would.  Pure. */
#ifndef SESSION_CMDLINE_H
#define SESSION_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

enum { CMDLINE_WORDS = 32 };

/*
 * Blanks separate; '...' is literal, "..." but for \" and \\, elsewhere \
 * takes the next character as it is.  Nothing is expanded.  A bare -- ends
 * the words: what follows it is `rest`, untouched, and NULL without one.
 */
struct cmdline {
	char *word[CMDLINE_WORDS + 1]; /* NULL-terminated */
	size_t n;
	const char *rest; /* in the text */
	char *storage;
};

/* False: a quote that nothing ends, or too many words. Release it anyway. */
bool cmdline_split(struct cmdline *c, const char *text);
void cmdline_release(struct cmdline *c);

/* The same words, in quotes where that is needed: for lines to be copied. */
char *cmdline_quote(const char *word, char *dst, size_t size);

#endif
