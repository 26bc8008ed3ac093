/* Every sentence that a user sees, and the language that this process speaks.  Every role. */
#include "jumpbox/words.h"

#include "jumpbox/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD(name, en, zh) [name] = { en, zh },
static const char *const catalogue[W_COUNT][LANGUAGE_COUNT] = {
#include "jumpbox/words_list.h"
};
#undef WORD

/* An empty translation is a missing one. */
#define WORD(name, en, zh) \
	_Static_assert(sizeof(en "") > 1 && sizeof(zh "") > 1, #name " lacks a language");
#include "jumpbox/words_list.h"
#undef WORD

static enum language spoken = LANGUAGE_EN;

static const struct name {
	const char *text;
	enum language language;
} names[] = {
	{ "en", LANGUAGE_EN },
	{ "zh", LANGUAGE_ZH },
};

static const struct name *
find(const char *text, size_t n)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].text) == n && strncmp(text, names[i].text, n) == 0)
			return &names[i];
	return NULL;
}

bool
language_parse(const char *text, enum language *l)
{
	const struct name *name = find(text, strlen(text));

	if (name != NULL)
		*l = name->language;
	return name != NULL;
}

/* LANGUAGE[_TERRITORY][.CODESET][@MODIFIER] */
static bool
is_utf8(const char *locale)
{
	const char *set = locale + strcspn(locale, ".@");
	size_t n = *set == '.' ? strcspn(++set, "@") : 0;

	return (n == 5 && strncasecmp(set, "UTF-8", n) == 0) ||
	    (n == 4 && strncasecmp(set, "UTF8", n) == 0);
}

enum language
language_of_locale(const char *locale)
{
	const struct name *name = find(locale, strcspn(locale, "_-.@"));

	return name != NULL && is_utf8(locale) ? name->language : LANGUAGE_EN;
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
words_in(enum language l, char *dst, size_t size, enum word w, const char *a1, const char *a2,
    const char *a3)
{
	const char *const arg[] = { a1, a2, a3 };
	size_t n = 0, len;

	for (const char *p = catalogue[w][l]; *p != '\0';) {
		const char *from = piece(&p, arg, &len);

		if (len > size - 1 - n)
			len = text_cut(from, size - 1 - n);
		memcpy(dst + n, from, len);
		n += len;
	}
	dst[n] = '\0';
	return dst;
}

char *
words(char *dst, size_t size, enum word w, const char *a1, const char *a2, const char *a3)
{
	return words_in(spoken, dst, size, w, a1, a2, a3);
}

char *
words_again(char *dst, size_t size, const char *english, const char *a1)
{
	for (unsigned w = 0; w < W_COUNT; w++)
		if (strcmp(words_in(LANGUAGE_EN, dst, size, (enum word)w, a1, NULL, NULL),
			english) == 0)
			return words(dst, size, (enum word)w, a1, NULL, NULL);
	snprintf(dst, size, "%s", english);
	return dst;
}
