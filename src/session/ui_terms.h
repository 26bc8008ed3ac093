/* The terminals that the full-screen menu knows; terminfo.sh makes the table when the program is built. */
#ifndef SESSION_UI_TERMS_H
#define SESSION_UI_TERMS_H

struct ui_term {
	const char *name;
	const char *called; /* in the entry: ncurses leaks one that has another name */
	const char *entry;  /* "b64:...": the compiled entry, as TERMINFO may hold it */
};
extern const struct ui_term ui_terms[]; /* the last has no name */

#endif
