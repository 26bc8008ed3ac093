/*
 * The one writer of the containers table: lists a node's engine and stores
 * what it sees.  A label that a container has from its image owns nothing, so
 * the images of those containers that carry the owner label are asked, once
 * each.  Broker's refresh children, jumpboxctl.
 */
#include "jumpbox/inventory.h"
#include "engine.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

struct image {
	const char *id;
	char *labels; /* NULL: not to be had */
};

struct images {
	struct image *image;
	size_t n;
};

/* *labels: NULL when nobody can say. */
static int
image_labels(
    struct engine *en, struct images *seen, const char *id, const char **labels, struct errtext *e)
{
	struct image *im;
	int rc;

	*labels = NULL;
	for (size_t i = 0; i < seen->n; i++)
		if (strcmp(seen->image[i].id, id) == 0) {
			*labels = seen->image[i].labels;
			return 0;
		}
	seen->image = xreallocarray(seen->image, seen->n + 1, sizeof(*seen->image));
	im = &seen->image[seen->n];
	*im = (struct image){ id, NULL };
	rc = engine_image_labels(en, id, &im->labels, e);
	if (rc < 0 && rc != JB_NOT_FOUND)
		return rc;
	seen->n++;
	*labels = im->labels;
	return 0;
}

/* *owner: malloc'd or NULL. */
static int
find_owner(struct engine *en, struct images *seen, const struct engine_container *c,
    const char *owner_label, char **owner, struct errtext *e)
{
	char *value = owner_label && *owner_label ? engine_label(c->labels, owner_label) : NULL;
	const char *inherited;
	int rc = 0;

	*owner = NULL;
	if (value) {
		rc = image_labels(en, seen, c->image_id, &inherited, e);
		if (rc == 0 && inherited)
			*owner = engine_own_label(c->labels, inherited, owner_label);
	}
	free(value);
	return rc;
}

/* One entry a container: malloc'd, or NULL. */
static int
find_owners(struct engine *en, const char *owner_label, const struct engine_list *list,
    char **owners, struct errtext *e)
{
	struct images seen = { NULL, 0 };
	int rc = 0;

	for (size_t i = 0; i < list->n && rc == 0; i++)
		rc = find_owner(en, &seen, &list->c[i], owner_label, &owners[i], e);
	for (size_t i = 0; i < seen.n; i++)
		free(seen.image[i].labels);
	free(seen.image);
	return rc;
}

static int
store_list(struct store *st, const struct node *n, const struct engine_list *list, char **owners)
{
	struct container *rows = xcalloc(list->n + 1, sizeof(*rows));
	int rc;

	for (size_t i = 0; i < list->n; i++) {
		const struct engine_container *c = &list->c[i];

		rows[i] = (struct container){ .id = c->id,
			.name = c->name,
			.image = c->image,
			.state = c->state,
			.labels = c->labels,
			.owner = owners[i],
			.service = c->service,
			.ports = c->ports,
			.created = c->created };
	}
	rc = container_replace(st, n->id, rows, list->n);
	free(rows);
	return rc;
}

int
inventory_refresh(struct store *st, const struct node *n, const char *owner_label, long timeout_ms,
    struct errtext *e)
{
	const struct engine_addr addr = engine_addr_of(n);
	struct engine *en = engine_new(&addr, timeout_ms);
	struct engine_list list = { .n = 0 };
	struct errtext why = { 0 };
	char **owners = NULL;
	int rc;

	en->until = now_mono_ms() + en->timeout_ms;
	rc = engine_list(en, &list, &why);
	if (rc == 0) {
		owners = xcalloc(list.n + 1, sizeof(*owners));
		rc = find_owners(en, owner_label, &list, owners, &why);
	}
	if (rc < 0) {
		node_set_failed(st, n->id, why.s);
		err_set(e, rc, "%s", why.s);
	} else if ((rc = store_list(st, n, &list, owners)) < 0) {
		err_set(e, rc, "%s", store_error(st));
	}
	for (size_t i = 0; owners && i < list.n; i++)
		free(owners[i]);
	free(owners);
	engine_list_release(&list);
	engine_free(en);
	return rc;
}
