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

/* Where the strings of an entry are, for all that does the same to each. */
static const size_t strings[] = {
	offsetof(struct ui_entry, id),
	offsetof(struct ui_entry, name),
	offsetof(struct ui_entry, node),
	offsetof(struct ui_entry, state),
	offsetof(struct ui_entry, health),
	offsetof(struct ui_entry, image),
	offsetof(struct ui_entry, service),
	offsetof(struct ui_entry, labels),
	offsetof(struct ui_entry, owner),
	offsetof(struct ui_entry, ports),
	offsetof(struct ui_entry, region),
};
enum { STRINGS = sizeof(strings) / sizeof(strings[0]) };

static const char **
string_at(struct ui_entry *e, size_t i)
{
	return (const char **)(void *)((char *)e + strings[i]);
}

void
ui_model_init(struct ui_model *m)
{
	memset(m, 0, sizeof(*m));
}

static void
drop_strings(struct ui_entry *e)
{
	free(e->text);
	free(e->fold);
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
	m->generation++;
}

static void
gone(struct ui_entry *e)
{
	e->touched |= e->listed;
	e->listed = false;
}

void
ui_model_end(struct ui_model *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->entry[i].generation != m->generation)
			gone(&m->entry[i]);
}

void
ui_model_settle(struct ui_model *m)
{
	for (size_t i = 0; i < m->n; i++)
		m->entry[i].touched = false;
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

static struct ui_entry *
known(const struct ui_model *m, uint64_t ref)
{
	uint32_t number = m->nslots == 0 ? 0 : *slot_of(m, ref);

	return number == 0 ? NULL : &m->entry[number - 1];
}

const struct ui_entry *
ui_model_get(const struct ui_model *m, uint64_t ref)
{
	return known(m, ref);
}

const struct ui_entry *
ui_model_number(const struct ui_model *m, unsigned long number)
{
	if (number == 0 || number > m->n || !m->entry[number - 1].listed)
		return NULL;
	return &m->entry[number - 1];
}

void
ui_model_gone(struct ui_model *m, uint64_t ref)
{
	struct ui_entry *e = known(m, ref);

	if (e != NULL)
		gone(e);
}

void
ui_model_used(struct ui_model *m, uint64_t ref, uint64_t now)
{
	struct ui_entry *e = known(m, ref);

	if (e == NULL)
		return;
	e->used = now;
	e->touched = true;
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

/* One block for all of them: a model may have ten thousand rows. */
static void
copy_strings(struct ui_entry *e)
{
	size_t n = 0, len;
	char *at;

	for (size_t i = 0; i < STRINGS; i++)
		n += *string_at(e, i) == NULL ? 1 : strlen(*string_at(e, i)) + 1;
	e->text = at = xcalloc(n, 1);
	for (size_t i = 0; i < STRINGS; i++) {
		len = *string_at(e, i) == NULL ? 0 : strlen(*string_at(e, i));
		memcpy(at, len == 0 ? "" : *string_at(e, i), len + 1);
		*string_at(e, i) = at;
		at += len + 1;
	}
}

void
ui_model_add(struct ui_model *m, const struct ui_entry *row)
{
	struct ui_entry *e;
	uint32_t *slot;
	bool hidden = false, shown = false;

	make_room(m);
	slot = slot_of(m, row->ref);
	if (*slot == 0) {
		*slot = (uint32_t)++m->n;
		e = &m->entry[*slot - 1];
	} else {
		e = &m->entry[*slot - 1];
		hidden = e->hidden;
		shown = e->shown;
		drop_strings(e);
	}
	*e = *row;
	e->number = *slot;
	e->generation = m->generation;
	e->listed = e->touched = true;
	e->hidden = hidden;
	e->shown = shown;
	e->fold = NULL;
	copy_strings(e);
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
