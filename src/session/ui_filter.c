/*
 * Filters: words that must all be found in what is known of a container,
 * literally and whatever their case.  jumpbox-session; pure.
 */
#include "ui_filter.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>
#include <wctype.h>

/* In lower case into dst, which has room for as many bytes again; returns the length. */
static size_t
fold(char *dst, const char *s)
{
	size_t n = 0, len;
	int32_t cp;

	while (*s != '\0') {
		if ((unsigned char)*s < 0x80) {
			dst[n++] = (char)(*s >= 'A' && *s <= 'Z' ? *s + ('a' - 'A') : *s);
			s++;
			continue;
		}
		len = text_decode(s, &cp);
		if (cp < 0)
			dst[n++] = *s;
		else
			n += text_encode(dst + n, (int32_t)towlower((wint_t)cp));
		s += len;
	}
	dst[n] = '\0';
	return n;
}

void
ui_words_init(struct ui_words *w, const char *text)
{
	char cut[UI_FILTER_MAX + 1], *p;
	size_t n = text_cut(text, UI_FILTER_MAX);

	memcpy(cut, text, n);
	cut[n] = '\0';
	fold(w->text, cut);
	w->n = 0;
	p = w->text;
	while (*(p += strspn(p, " ")) != '\0' && w->n < UI_WORDS) {
		w->word[w->n++] = p;
		p += strcspn(p, " ");
		if (*p != '\0')
			*p++ = '\0';
	}
}

/* {"key":"value","other":"one"} as lines of key=value, in place of the JSON. */
static size_t
fold_labels(char *dst, const char *json)
{
	char *plain = xstrdup(json), *to = plain;
	bool in_string = false;
	size_t n;

	for (const char *p = json; *p != '\0'; p++) {
		if (*p == '"')
			in_string = !in_string;
		else if (in_string && *p == '\\' && p[1] != '\0')
			*to++ = *++p;
		else if (in_string)
			*to++ = *p;
		else if (*p == ':' || *p == ',')
			*to++ = *p == ':' ? '=' : '\n';
	}
	*to = '\0';
	n = fold(dst, plain);
	free(plain);
	return n;
}

/* Made once for an entry, when it is first looked at; a newline is in no word. */
static void
make_fold(struct ui_entry *e)
{
	const char *const all[] = { e->name, e->id, e->image, e->node, e->region, e->owner,
		e->service };
	size_t n = 2 * strlen(e->labels);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		n += 2 * strlen(all[i]) + 1;
	e->fold = xcalloc(n + 1, 1);
	n = 0;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		n += fold(e->fold + n, all[i]);
		e->fold[n++] = '\n';
	}
	n += fold_labels(e->fold + n, e->labels);
	e->fold = xreallocarray(e->fold, n + 1, 1);
}

bool
ui_entry_matches(struct ui_entry *e, const struct ui_words *w)
{
	if (w->n > 0 && e->fold == NULL)
		make_fold(e);
	for (unsigned i = 0; i < w->n; i++)
		if (strstr(e->fold, w->word[i]) == NULL)
			return false;
	return true;
}
