/* Every sentence that a user sees, and the language that this process speaks.  Every role. */
#include "jumpbox/words.h"

#include "jumpbox/text.h"

#include <string.h>

#define WORD(name, en, zh) [name] = { en, zh },
static const char *const catalogue[W_COUNT][LANGUAGE_COUNT] = {
#include "jumpbox/words_list.h"
};
#undef WORD

static enum language spoken = LANGUAGE_EN;

static const struct {
	const char *prefix;
	enum language language;
} languages[] = {
	{ "en", LANGUAGE_EN },
	{ "zh", LANGUAGE_ZH },
	{ "C", LANGUAGE_EN },
	{ "POSIX", LANGUAGE_EN },
};

bool
language_parse(const char *text, enum language *l)
{
	size_t n = strcspn(text, "_.@-");

	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
		if (strlen(languages[i].prefix) == n &&
		    strncmp(text, languages[i].prefix, n) == 0) {
			*l = languages[i].language;
			return true;
		}
	}
	return false;
}

void
words_speak(enum language l)
{
	spoken = l;
}

enum language
words_language(void)
{
	return spoken;
}

/* The next piece of a sentence: an argument, or the text up to one. */
static const char *
piece(const char **p, const char *const arg[static 3], size_t *len)
{
	const char *from = *p, *value;

	if (from[0] == '{' && from[1] >= '1' && from[1] <= '3' && from[2] == '}') {
		value = arg[from[1] - '1'] != NULL ? arg[from[1] - '1'] : "";
		*len = strlen(value);
		*p += 3;
		return value;
	}
	*len = 1 + strcspn(from + 1, "{");
	*p += *len;
	return from;
}

char *
words(char *dst, size_t size, enum word w, const char *a1, const char *a2, const char *a3)
{
	const char *const arg[] = { a1, a2, a3 };
	size_t n = 0, len;

	for (const char *p = catalogue[w][spoken]; *p != '\0';) {
		const char *from = piece(&p, arg, &len);

		if (len > size - 1 - n)
			len = text_cut(from, size - 1 - n);
		memcpy(dst + n, from, len);
		n += len;
	}
	dst[n] = '\0';
	return dst;
}
