/* The menu's model: stable numbers, filter, finding.  jumpbox-session; pure. */
#include "ui_model.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

void
ui_model_init(struct ui_model *m)
{
	memset(m, 0, sizeof(*m));
}

static void
drop_strings(struct ui_entry *e)
{
	free(e->name);
	free(e->node);
	free(e->state);
	free(e->image);
}

void
ui_model_release(struct ui_model *m)
{
	for (size_t i = 0; i < m->n; i++)
		drop_strings(&m->entry[i]);
	free(m->entry);
	ui_model_init(m);
}

void
ui_model_begin(struct ui_model *m)
{
	for (size_t i = 0; i < m->n; i++)
		m->entry[i].listed = false;
}

static struct ui_entry *
known(struct ui_model *m, uint64_t ref)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->entry[i].ref == ref)
			return &m->entry[i];
	return NULL;
}

void
ui_model_add(struct ui_model *m, const struct ui_entry *row)
{
	struct ui_entry *e = known(m, row->ref);
	bool hidden = e != NULL && e->hidden;
	unsigned number;

	if (e == NULL) {
		m->entry = xreallocarray(m->entry, m->n + 1, sizeof(*m->entry));
		e = &m->entry[m->n++];
		number = (unsigned)m->n;
	} else {
		number = e->number;
		drop_strings(e);
	}
	*e = *row;
	e->number = number;
	e->listed = true;
	e->hidden = hidden;
	e->name = xstrdup(row->name);
	e->node = xstrdup(row->node);
	e->state = xstrdup(row->state);
	e->image = xstrdup(row->image);
}

/* "NODE+NAME" */
static bool
is_full_name(const struct ui_entry *e, const char *text)
{
	size_t n = strlen(e->node);

	return strncmp(text, e->node, n) == 0 && text[n] == '+' &&
	    strcmp(text + n + 1, e->name) == 0;
}

void
ui_model_filter(struct ui_model *m, char *const *candidate, size_t n)
{
	for (size_t i = 0; i < m->n; i++) {
		m->entry[i].hidden = n > 0;
		for (size_t k = 0; k < n; k++)
			if (is_full_name(&m->entry[i], candidate[k]))
				m->entry[i].hidden = false;
	}
}

static bool
visible(const struct ui_entry *e)
{
	return e->listed && !e->hidden;
}

size_t
ui_model_visible(const struct ui_model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += visible(&m->entry[i]);
	return n;
}

/* 3 a number or the full name, 2 the name, 1 its beginning, 0 no */
static unsigned
level(const struct ui_entry *e, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && number == e->number)
		return 3;
	if (is_full_name(e, text))
		return 3;
	if (strcmp(e->name, text) == 0)
		return 2;
	return strncmp(e->name, text, strlen(text)) == 0;
}

size_t
ui_model_find(const struct ui_model *m, const char *text, const struct ui_entry **e)
{
	unsigned best = 1, l;
	size_t n = 0;

	for (size_t i = 0; text[0] != '\0' && i < m->n; i++) {
		l = visible(&m->entry[i]) ? level(&m->entry[i], text) : 0;
		if (l < best || l == 0)
			continue;
		if (l > best)
			n = 0;
		best = l;
		if (n++ == 0)
			*e = &m->entry[i];
	}
	return n;
}
