/* Any bytes as any answer of an engine: parsers must neither crash nor leak. */
#include "../../src/docker/engine.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct engine_list list = { .n = 0 };
	struct engine_inspect in = { .pid_host = false };
	struct engine_info info;
	struct exec_status status;
	struct engine_details *details = calloc(1, sizeof(*details));
	struct stats_sample now, before;
	char id[65], message[64], *s = NULL;

	if (json_list(text, size, &list) == 0) {
		for (size_t i = 0; i < list.n; i++) {
			if (!engine_id_ok(list.c[i].id) || !*list.c[i].name)
				abort();
			free(engine_own_label(list.c[i].labels, list.c[0].labels, "owner"));
		}
		engine_list_release(&list);
	}
	if (json_inspect(text, size, &in, &s) == 0) {
		free(engine_label(in.labels, "owner"));
		engine_inspect_release(&in);
		free(s);
	}
	if (json_image_labels(text, size, &s) == 0)
		free(s);
	if (json_exec_id(text, size, id) == 0 && !engine_id_ok(id))
		abort();
	if (json_details(text, size, details) == 0) {
		for (size_t i = 0; i < details->n; i++)
			if (strlen(details->row[i].value) > DETAIL_MAX)
				abort();
		engine_details_release(details);
	}
	free(details);
	if (json_stats(text, size, &now, &before) == 0)
		stats_cpu(&before, &now);
	json_version(text, size, &info);
	json_exec_status(text, size, &status);
	json_message(text, size, message, sizeof(message));
	if (strlen(message) >= sizeof(message))
		abort();
	return 0;
}
