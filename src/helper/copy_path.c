/*
 * Where a copy is, for whoever is told of it: the path as the user began it,
 * and the names below.  It is never opened.  jumpbox-helper; pure.
 */
#include "copy.h"

#include "jumpbox/text.h"

#include <stdio.h>
#include <string.h>

enum { KEEP_LAST = 400, SHOWN = 800 /* with escapes */ };

void
copy_path_set(struct copy_path *p, const char *s)
{
	p->n = (size_t)snprintf(p->s, sizeof(p->s), "%.4095s", s);
}

size_t
copy_path_push(struct copy_path *p, const char *name)
{
	size_t n = p->n;
	const char *slash = n > 0 && p->s[n - 1] != '/' ? "/" : "";

	if (name[0] != '\0' && n + strlen(name) + 2 <= sizeof(p->s))
		p->n += (size_t)snprintf(p->s + n, sizeof(p->s) - n, "%s%s", slash, name);
	return n;
}

void
copy_path_pop(struct copy_path *p, size_t n)
{
	p->n = n;
	p->s[n] = '\0';
}

void
copy_path_says(const struct copy_path *p, const char *reason, char text[static COPY_SAID_MAX + 1])
{
	const char *end = p->s;
	char safe[SHOWN + 1];
	bool cut = p->n > KEEP_LAST;

	if (cut)
		for (end += p->n - KEEP_LAST; ((unsigned char)*end & 0xc0) == 0x80;)
			end++;
	snprintf(text, COPY_SAID_MAX + 1, "%s%s: %s", cut ? "..." : "",
	    text_safe(safe, sizeof(safe), end), reason);
}
