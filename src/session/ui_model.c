/*
 * The menu's model: stable numbers, filter, finding.  jumpbox-session; pure.
 *
 * Entries are found by their ref through a hash table with open addressing,
 * so that a list of n rows costs n steps; entries are never removed.
 */
#include "ui_model.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64, FIRST_ROOM = 16 };

void
ui_model_init(struct ui_model *m)
{
	memset(m, 0, sizeof(*m));
}

static void
drop_strings(struct ui_entry *e)
{
	free(e->id);
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
	free(m->slot);
	ui_model_init(m);
}

void
ui_model_begin(struct ui_model *m)
{
	for (size_t i = 0; i < m->n; i++)
		m->entry[i].listed = false;
}

/* The slot of ref, or the free one where it belongs. */
static uint32_t *
slot_of(const struct ui_model *m, uint64_t ref)
{
	size_t i = (size_t)(ref * 0x9e3779b97f4a7c15u >> 32) & (m->nslots - 1);

	while (m->slot[i] != 0 && m->entry[m->slot[i] - 1].ref != ref)
		i = (i + 1) & (m->nslots - 1);
	return &m->slot[i];
}

static void
make_room(struct ui_model *m)
{
	if (m->n == m->room) {
		m->room = m->room == 0 ? FIRST_ROOM : m->room * 2;
		m->entry = xreallocarray(m->entry, m->room, sizeof(*m->entry));
	}
	if (m->nslots > 2 * (m->n + 1))
		return;
	free(m->slot);
	m->nslots = m->nslots == 0 ? FIRST_SLOTS : m->nslots * 2;
	m->slot = xcalloc(m->nslots, sizeof(*m->slot));
	for (size_t i = 0; i < m->n; i++)
		*slot_of(m, m->entry[i].ref) = (uint32_t)i + 1;
}

void
ui_model_add(struct ui_model *m, const struct ui_entry *row)
{
	struct ui_entry *e;
	uint32_t *slot;
	bool hidden = false;

	make_room(m);
	slot = slot_of(m, row->ref);
	if (*slot == 0) {
		*slot = (uint32_t)++m->n;
		e = &m->entry[*slot - 1];
	} else {
		e = &m->entry[*slot - 1];
		hidden = e->hidden;
		drop_strings(e);
	}
	*e = *row;
	e->number = *slot;
	e->listed = true;
	e->hidden = hidden;
	e->id = xstrdup(row->id);
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

bool
ui_entry_visible(const struct ui_entry *e)
{
	return e->listed && !e->hidden;
}

size_t
ui_model_visible(const struct ui_model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += ui_entry_visible(&m->entry[i]);
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
		l = ui_entry_visible(&m->entry[i]) ? level(&m->entry[i], text) : 0;
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
