/* JSON as the session writes it.  jumpbox-session; pure. */
#include "ui_json.h"

#include "jumpbox/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_ROOM = 4096 };

void
ui_json_raw(struct buf *out, const char *s)
{
	buf_add(out, s, strlen(s));
}

void
ui_json_text(struct buf *out, const char *s)
{
	char safe[TEXT_ROOM];

	buf_add(out, "\"", 1);
	for (const char *p = text_safe(safe, sizeof(safe), s); *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_add(out, "\\", 1);
		buf_add(out, p, 1);
	}
	buf_add(out, "\"", 1);
}

void
ui_json_key(struct buf *out, const char *key, unsigned *n)
{
	if ((*n)++ > 0)
		buf_add(out, ",", 1);
	ui_json_text(out, key);
	buf_add(out, ":", 1);
}

void
ui_json_string(struct buf *out, const char *key, const char *value, unsigned *n)
{
	ui_json_key(out, key, n);
	ui_json_text(out, value);
}

void
ui_json_number(struct buf *out, const char *key, uint64_t value, unsigned *n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	ui_json_key(out, key, n);
	ui_json_raw(out, text);
}
