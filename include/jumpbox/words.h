/*
 * Every sentence that a user sees, in English and Simplified Chinese.  A
 * process serves one person, so the language is the process's.  Pure but for
 * that one setting.
 */
#ifndef JUMPBOX_WORDS_H
#define JUMPBOX_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORD(name, en, zh) name,
enum word {
#include "jumpbox/words_list.h"
	W_COUNT,
	W_NONE = W_COUNT, /* not a word */
};
#undef WORD

enum language { LANGUAGE_EN, LANGUAGE_ZH, LANGUAGE_COUNT };

/* "zh", "en": a setting.  False: no such language is here. */
bool language_parse(const char *text, enum language *l);
/*
 * "zh_CN.UTF-8", "C", ...: a client's locale.  What a terminal cannot show is
 * not spoken: without UTF-8 it is English, as for a language that is not here.
 */
enum language language_of_locale(const char *locale);
void words_speak(enum language l);
enum language words_language(void);

/*
 * The sentence with {1} {2} {3} replaced by the strings given (NULL where
 * there is none).  Cut to fit, never within a character.  Returns dst.
 */
char *words(char *dst, size_t size, enum word w, const char *a1, const char *a2, const char *a3);
/*
 * A sentence of one argument that is kept in English, such as why a node
 * failed, in the spoken language; as it is where no row says that.
 */
char *words_again(char *dst, size_t size, const char *english, const char *a1);
char *words_in(enum language l, char *dst, size_t size, enum word w, const char *a1, const char *a2,
    const char *a3);

#endif
