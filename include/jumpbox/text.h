/* Foreign text made safe for a person's screen. Pure. */
#ifndef JUMPBOX_TEXT_H
#define JUMPBOX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The character at s (which is not at its end): how many bytes it takes, and
 * its code point, or 1 and -1 for a byte that is not UTF-8.
 */
size_t text_decode(const char *s, int32_t *cp);
/* The other way round; returns the length. */
enum { TEXT_CHAR_MAX = 4 };
size_t text_encode(char dst[static TEXT_CHAR_MAX], int32_t cp);
/* How many bytes of s to keep, at most max, so that no character is cut in two. */
size_t text_cut(const char *s, size_t max);
/* Control, escape, bidi, invisible, or not a character: never to be shown as it is. */
bool text_unsafe(int32_t cp);
/* How text_safe writes an unsafe character decoded at s; returns the length. */
enum { TEXT_ESCAPE_MAX = 16 };
size_t text_escape(const char *s, int32_t cp, char out[static TEXT_ESCAPE_MAX]);

/*
 * Copies src to dst[size], escaping control, ESC, DEL, C1, bidi and other
 * invisible characters and invalid UTF-8 as \xNN or \u{NNNN}.  Truncates at
 * a character.  Returns dst.
 */
char *text_safe(char *dst, size_t size, const char *src);

/*
 * A text of lines made safe, malloc'd: each as text_safe() does, tabs as blanks, a CR at the end of
 * a line dropped, the last one ended.
 */
char *text_safe_lines(const char *text);

/* Columns that safe UTF-8 text takes on a terminal (CJK and emoji: 2). */
size_t text_width(const char *s);

/* Cuts to at most `width` columns, ending in "~" when cut, and pads with blanks to exactly `width`
 * if pad. */
char *text_fit(char *dst, size_t size, const char *s, size_t width, bool pad);

/* `*` and `?` (one character) glob, case-sensitive, no other metacharacter; never exponential. */
bool text_glob(const char *pattern, const char *s);

#endif
