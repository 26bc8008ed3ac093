/*
 * Settings by name, `user set` and `node set`: which statement a key means,
 * and which values it takes.  jumpboxctl.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

int
setting_text(struct store *st, const struct setting *s, const char *value, struct param *p)
{
	if (value[0] == '\0' && !s->optional)
		return store_fail(st, JB_BAD_INPUT, "%s: must not be empty", s->key);
	*p = P_TEXT(value[0] != '\0' ? value : NULL);
	return 0;
}

int
setting_choice(struct store *st, const struct setting *s, const char *value, struct param *p)
{
	bool none = s->optional && value[0] == '\0';

	if (!none && strcmp(value, s->choices[0]) != 0 && strcmp(value, s->choices[1]) != 0)
		return store_fail(st, JB_BAD_INPUT, "%s: %s or %s%s", s->key, s->choices[0],
		    s->choices[1], s->optional ? ", or \"\" for none" : "");
	*p = P_TEXT(none ? NULL : value);
	return 0;
}

int
setting_yes_no(struct store *st, const struct setting *s, const char *value, struct param *p)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return store_fail(st, JB_BAD_INPUT, "%s: yes or no", s->key);
	*p = P_INT(yes);
	return 0;
}

int
setting_count(struct store *st, const struct setting *s, const char *value, struct param *p)
{
	char *end;
	long n = strtol(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end != '\0' || n > SETTING_COUNT_MAX)
		return store_fail(
		    st, JB_BAD_INPUT, "%s: a number from 0 to %d", s->key, SETTING_COUNT_MAX);
	*p = P_INT(n);
	return 0;
}

int
setting_time(struct store *st, const struct setting *s, const char *value, struct param *p)
{
	struct errtext why;
	int64_t at;

	if (when_parse(value, now_unix(), &at, &why))
		return store_fail(st, JB_BAD_INPUT, "%s: %.200s", s->key, why.s);
	*p = P_INT(at);
	return 0;
}

static int
unknown(struct store *st, const struct setting *table, const char *key)
{
	char known[128] = "";
	size_t n = 0;

	for (const struct setting *s = table; s->key != NULL && n < sizeof(known); s++)
		n += (size_t)snprintf(
		    known + n, sizeof(known) - n, "%s%s", n > 0 ? " " : "", s->key);
	return store_fail(st, JB_BAD_INPUT, "no such setting: %.64s (%s)", key, known);
}

int
setting_apply(struct store *st, const struct actor *by, const struct setting *table,
    const char *key, const char *value, struct change c)
{
	const struct setting *s = table;
	struct param param;
	char detail[200];
	int err;

	while (s->key != NULL && strcmp(s->key, key) != 0)
		s++;
	if (s->key == NULL)
		return unknown(st, table, key);
	if ((err = s->parse(st, s, value, &param)) != 0)
		return err;
	if (s->secret)
		snprintf(detail, sizeof(detail), "%s %s", key,
		    value[0] != '\0' ? "replaced" : "removed");
	else
		snprintf(detail, sizeof(detail), "%s=%.128s", key, value);
	c.sql = s->sql;
	c.params = PARAMS(param, P_TEXT(c.name));
	c.detail = detail;
	return change_apply(st, by, &c);
}
