/* A short text that is typed: a filter, a search, a name.  Pure. */
#ifndef SESSION_UI_EDIT_H
#define SESSION_UI_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a key does to the text; false: there is no room. */
bool ui_edit_add(char *text, size_t size, int32_t cp);
void ui_edit_erase(char *text);	     /* the last character */
void ui_edit_erase_word(char *text); /* the last word, and the blanks behind it */

#endif
