/*
 * What a node's engine says of its containers, as rows of the containers
 * table: the list, and each looked at alone.  A label that a container has from
 * its image owns nothing, so the images of those containers that carry the
 * owner label are asked, once each.  The watcher of a node, jumpboxctl.
 */
#include "jumpbox/inventory.h"
#include "engine.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 2000,	     /* at one container */
	LOOK_ALL_MS = 30000, /* at all of a list; what is left then keeps what is known of it */
};

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

/* ---- reading ---------------------------------------------------------------- */

/*
 * One container's own facts.  Docker tells of a rename a moment before its
 * list knows of it: the name is that of the look, which comes after the event.
 * One that cannot be looked at, because it has just gone, or because an engine
 * has hung itself up over it, hides no other.
 */
static void
look(struct engine *en, struct engine_container *c, int64_t until, struct container *row)
{
	struct engine_inspect in = { .pid_host = false };
	char *image_id = NULL;
	int64_t now = now_mono_ms();

	if (now >= until)
		return;
	en->until = now + LOOK_MS < until ? now + LOOK_MS : until;
	if (engine_look(en, c->id, &in, &image_id, NULL) == 0) {
		free(c->state); /* that of the very moment of the rest */
		row->state = c->state = in.state;
		in.state = NULL;
		if (in.name[0] != '\0') {
			free(c->name);
			row->name = c->name = in.name;
			in.name = NULL;
		}
		row->inspected = true;
		row->health = xstrdup(in.health);
		row->gpus = xstrdup(in.gpus);
		row->started = in.started;
		row->finished = in.finished;
		row->exit_code = in.exit_code;
		row->oom = in.oom;
		engine_inspect_release(&in);
		free(image_id);
	}
}

static void
look_at_all(struct engine *en, struct inventory *inv)
{
	int64_t until = now_mono_ms() + LOOK_ALL_MS;

	for (size_t i = 0; i < inv->n; i++)
		look(en, &inv->list.c[i], until, &inv->row[i]);
}

int
inventory_read(struct engine *en, const char *owner_label, const char *const *ids, size_t n,
    struct inventory *inv, struct errtext *e)
{
	struct inventory found = { .n = 0 };
	char **owners;
	int rc;

	en->until = now_mono_ms() + en->timeout_ms;
	rc = engine_list(en, ids, n, &found.list, e);
	found.n = found.list.n;
	found.row = xcalloc(found.n + 1, sizeof(*found.row));
	owners = xcalloc(found.n + 1, sizeof(*owners));
	if (rc == 0)
		rc = find_owners(en, owner_label, &found.list, owners, e);
	for (size_t i = 0; i < found.n; i++) {
		const struct engine_container *c = &found.list.c[i];

		found.row[i] = (struct container){ .id = c->id,
			.name = c->name,
			.image = c->image,
			.state = c->state,
			.labels = c->labels,
			.owner = owners[i],
			.service = c->service,
			.ports = c->ports,
			.created = c->created };
	}
	free(owners);
	if (rc == 0)
		look_at_all(en, &found);
	en->until = 0;
	if (rc == 0)
		*inv = found;
	else
		inventory_release(&found);
	return rc;
}

void
inventory_release(struct inventory *inv)
{
	for (size_t i = 0; i < inv->n; i++) {
		free((char *)inv->row[i].owner);
		free((char *)inv->row[i].health);
		free((char *)inv->row[i].gpus);
	}
	free(inv->row);
	engine_list_release(&inv->list);
	*inv = (struct inventory){ .n = 0 };
}

int
inventory_refresh(struct store *st, const struct node *n, const char *owner_label, long timeout_ms,
    struct errtext *e)
{
	const struct engine_addr addr = engine_addr_of(n);
	struct engine *en = engine_new(&addr, timeout_ms);
	struct inventory inv = { .n = 0 };
	struct errtext why = { .s = "" };
	int rc = inventory_read(en, owner_label, NULL, 0, &inv, &why);

	if (rc < 0) {
		node_set_failed(st, n->id, why.s);
		if (e)
			*e = why;
	} else if ((rc = container_replace(st, n->id, inv.row, inv.n)) < 0) {
		err_set(e, rc, "%s", store_error(st));
	}
	inventory_release(&inv);
	engine_free(en);
	return rc;
}
