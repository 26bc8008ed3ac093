/* Prometheus' text format.  jumpbox-metrics, in the process that reads the database. */
#include "text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* Backslash and line feed; in a label's value also the quote. */
static void
put_escaped(FILE *f, const char *s, const char *also)
{
	for (; *s != '\0'; s++) {
		if (*s == '\n') {
			fputs("\\n", f);
			continue;
		}
		if (*s == '\\' || strchr(also, *s) != NULL)
			fputc('\\', f);
		fputc(*s, f);
	}
}

void
text_head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP %s ", name);
	put_escaped(f, help, "");
	fprintf(f, "\n# TYPE %s %s\n", name, type);
}

void
text_sample(FILE *f, const char *name, const char *suffix,
    const struct label labels[static TEXT_LABELS], const char *value)
{
	bool any = false;

	fprintf(f, "%s%s", name, suffix);
	for (int i = 0; i < TEXT_LABELS; i++) {
		if (labels[i].key == NULL)
			continue;
		fprintf(f, "%c%s=\"", any ? ',' : '{', labels[i].key);
		put_escaped(f, labels[i].value, "\"");
		fputc('"', f);
		any = true;
	}
	fprintf(f, "%s %s\n", any ? "}" : "", value);
}

const char *
text_number(char dst[static TEXT_NUMBER], int64_t n)
{
	snprintf(dst, TEXT_NUMBER, "%" PRId64, n);
	return dst;
}

const char *
text_seconds(char dst[static TEXT_NUMBER], int64_t ms)
{
	snprintf(dst, TEXT_NUMBER, "%.15g", (double)ms / 1000); /* no needless zeros */
	return dst;
}
