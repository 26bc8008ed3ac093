/* Every sentence that a user sees, in one table, so that there can be a second language.  Pure. */
#ifndef SESSION_WORDS_H
#define SESSION_WORDS_H

#include <stddef.h>

enum word {
	W_MENU_HEAD_ONE,
	W_MENU_HEAD,
	W_MENU_NONE,
	W_MENU_FILTERED,
	W_MENU_PROMPT,
	W_PICK_PROMPT,
	W_MENU_HELP,
	W_NO_SUCH,
	W_AMBIGUOUS,
	W_CONNECTING,
	W_ENDED,
	W_ENDED_UNKNOWN,
	W_CANCELLED,
	W_NEW_PASSWORD_DUE,
	W_NEW_PASSWORD_TERMINAL,
	W_NEW_PASSWORD_ELSEWHERE,
	W_NEW_PASSWORD,
	W_NEW_PASSWORD_AGAIN,
	W_PASSWORDS_DIFFER,
	W_PASSWORD_TOO_LONG,
	W_PASSWORD_CHANGED,
	W_PASSWORD_GIVE_UP,
	W_NO_LIST,
	W_NO_COMMAND,
	W_HELP,
	W_HINT,
	W_IDLE_WARNING,
	W_IDLE_END,
	W_STREAM_BROKEN,
	W_STATUS_UNKNOWN,
	W_LIST_TOO_LONG,
	W_TOO_MANY_TRIES,
	W_LOGIN_DEADLINE,
	W_NAME_CHANGED,
	W_UNUSABLE_KEY,
	W_FLOODED,
	W_COUNT, /* not a word */
};

/*
 * The sentence with {1} {2} {3} replaced by the strings given (NULL where
 * there is none).  Cut to fit.  Returns dst.
 */
char *words(char *dst, size_t size, enum word w, const char *a1, const char *a2, const char *a3);

#endif
