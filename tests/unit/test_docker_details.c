/* What an inspect says, as rows: of Docker, of Podman, and of an engine that is neither. */
#include "../../src/docker/engine.h"
#include "jumpbox/proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char docker[] =
    "{\"Id\":\"3d0c64c1cc52d571676213f1d61dd94a0536eb0660e90bd118ef893c2bf451c8\","
    "\"Created\":\"2026-11-26T04:10:36.117441291Z\",\"Path\":\"python\",\"Args\":[\"-c\",\"print('"
    "a b')\",\"\"],"
    "\"State\":{\"Status\":\"exited\",\"Running\":false,\"OOMKilled\":true,\"ExitCode\":137,"
    "\"StartedAt\":\"2026-11-26T04:10:37Z\",\"FinishedAt\":\"2026-11-26T05:10:37.5+01:00\","
    "\"Health\":{\"Status\":\"unhealthy\"}},\"Name\":\"/"
    "web\",\"HostConfig\":{\"RestartPolicy\":{\"Name\":"
    "\"on-failure\",\"MaximumRetryCount\":5},\"DeviceRequests\":[{\"Driver\":\"\",\"Count\":-1,"
    "\"DeviceIDs\":null},{\"Driver\":\"nvidia\",\"Count\":0,\"DeviceIDs\":[\"0\",\"GPU-1\"]},"
    "{\"Driver\":\"nvidia\",\"Count\":2},{\"Driver\":\"\",\"Count\":1,\"Capabilities\":[[\"tpu\"]]}"
    "]},\"Config\":{\"User\":\"app\",\"WorkingDir\":\"/"
    "srv\",\"Image\":\"web:1\","
    "\"Env\":[\"PATH=/bin\",\"TOKEN=hunter2=x\",\"NVIDIA_VISIBLE_DEVICES=all\",\"EMPTY\"],"
    "\"Labels\":{\"team\":\"red\",\"odd\":7}},\"NetworkSettings\":{\"Ports\":{\"80/"
    "tcp\":[{\"HostIp\":\"0.0.0.0\","
    "\"HostPort\":\"8080\"}],\"443/"
    "tcp\":null},\"Networks\":{\"bridge\":{\"IPAddress\":\"172.17.0.2\","
    "\"GlobalIPv6Address\":\"\"}}},\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/"
    "data\",\"Destination\":\"/d\","
    "\"RW\":false},{\"Type\":\"volume\",\"Name\":\"v\",\"Source\":\"/var/lib/docker/volumes/v/"
    "_data\","
    "\"Destination\":\"/v\",\"RW\":true}]}";

/* All values of a key, each followed by a newline. */
static const char *
values(const struct engine_details *d, uint32_t key)
{
	static char text[4096];

	text[0] = '\0';
	for (size_t i = 0; i < d->n; i++) {
		if (d->row[i].key != key)
			continue;
		strcat(text, d->row[i].value);
		strcat(text, "\n");
	}
	return text;
}

static void
docker_says(void **state)
{
	struct engine_details *d = calloc(1, sizeof(*d));

	(void)state;
	assert_int_equal(json_details(docker, strlen(docker), d), 0);
	assert_string_equal(values(d, DETAIL_NAME), "web\n");
	assert_string_equal(values(d, DETAIL_STATE), "exited\n");
	assert_string_equal(values(d, DETAIL_HEALTH), "unhealthy\n");
	assert_string_equal(values(d, DETAIL_EXIT_CODE), "137\n");
	assert_string_equal(values(d, DETAIL_OOM), "yes\n");
	assert_string_equal(values(d, DETAIL_IMAGE), "web:1\n");
	assert_string_equal(values(d, DETAIL_COMMAND), "python -c 'print('\\''a b'\\'')' ''\n");
	assert_string_equal(values(d, DETAIL_USER), "app\n");
	assert_string_equal(values(d, DETAIL_WORKDIR), "/srv\n");
	assert_string_equal(values(d, DETAIL_CREATED), "1795666236\n");
	assert_string_equal(values(d, DETAIL_STARTED), "1795666237\n");
	assert_string_equal(values(d, DETAIL_FINISHED), "1795666237\n"); /* another zone */
	assert_string_equal(values(d, DETAIL_RESTART), "on-failure:5\n");
	assert_string_equal(values(d, DETAIL_GPU), "0,GPU-1,count=2\n");
	assert_string_equal(values(d, DETAIL_PORT), "0.0.0.0:8080->80/tcp\n443/tcp\n");
	assert_string_equal(values(d, DETAIL_NETWORK), "bridge 172.17.0.2\n");
	assert_string_equal(values(d, DETAIL_MOUNT), "bind /data -> /d (ro)\nvolume v -> /v\n");
	assert_string_equal(values(d, DETAIL_LABEL), "team=red\n");
	engine_details_release(d);
	free(d);
}

static void
no_value_of_a_variable_is_copied(void **state)
{
	struct engine_details *d = calloc(1, sizeof(*d));

	(void)state;
	assert_int_equal(json_details(docker, strlen(docker), d), 0);
	assert_string_equal(values(d, DETAIL_ENV), "PATH\nTOKEN\nNVIDIA_VISIBLE_DEVICES\nEMPTY\n");
	for (size_t i = 0; i < d->n; i++)
		assert_null(strstr(d->row[i].value, "hunter2"));
	engine_details_release(d);
	free(d);
}

/* What that variable holds is told only where it is a list of devices. */
static void
devices_are_no_place_for_secrets(void **state)
{
	static const char *const secrets[] = { "a secret", "x=y", "$(id)", "void", "none", "" };
	struct engine_details *d = calloc(1, sizeof(*d));
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		snprintf(text, sizeof(text),
		    "{\"Name\":\"/x\",\"HostConfig\":{\"Runtime\":\"nvidia\"},"
		    "\"Config\":{\"Env\":[\"NVIDIA_VISIBLE_DEVICES=%s\"]}}",
		    secrets[i]);
		assert_int_equal(json_details(text, strlen(text), d), 0);
		assert_string_equal(values(d, DETAIL_GPU), "");
		engine_details_release(d);
	}
	free(d);
}

static void
podman_says(void **state)
{
	static const char podman[] =
	    "{\"Id\":\"b8bb9ca8548230ca7f1f10455172212df46f1ee837dcd994269b305ae7930b08\","
	    "\"Created\":\"2026-11-26T04:10:38.117441291Z\",\"Path\":\"/run/"
	    "podman-init\",\"Args\":[\"--\",\"sleep\","
	    "\"1\"],\"State\":{\"Status\":\"running\",\"Running\":true,\"ExitCode\":0,"
	    "\"StartedAt\":"
	    "\"2026-11-26T04:10:38.391816041Z\",\"FinishedAt\":\"0001-01-01T00:00:00Z\",\"Health\":"
	    "{\"Status\":\"\"}},"
	    "\"Name\":\"/"
	    "bb\",\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"\"},\"DeviceRequests\":null},"
	    "\"Config\":{\"User\":\"\",\"Image\":\"localhost/"
	    "busybox:latest\",\"Env\":[\"container=podman\"],"
	    "\"Labels\":{}},\"NetworkSettings\":{\"Ports\":{},\"Networks\":{}},\"Mounts\":[]}";
	struct engine_details *d = calloc(1, sizeof(*d));

	(void)state;
	assert_int_equal(json_details(podman, strlen(podman), d), 0);
	assert_string_equal(values(d, DETAIL_COMMAND), "/run/podman-init -- sleep 1\n");
	assert_string_equal(values(d, DETAIL_EXIT_CODE), "");
	assert_string_equal(values(d, DETAIL_FINISHED), "");
	assert_string_equal(values(d, DETAIL_HEALTH), "");
	assert_string_equal(values(d, DETAIL_RESTART), "no\n");
	assert_string_equal(values(d, DETAIL_ENV), "container\n");
	assert_string_equal(values(d, DETAIL_CUT), "");
	engine_details_release(d);
	free(d);
}

static void
too_much_is_cut(void **state)
{
	struct engine_details *d = calloc(1, sizeof(*d));
	char *text = calloc(1, 400000), *p = text;

	(void)state;
	p += sprintf(p, "{\"Name\":\"/x\",\"Config\":{\"Env\":[\"");
	for (int i = 0; i < 2000; i++)
		p += sprintf(p, "%s", "\xe4\xb8\xad"); /* three bytes each: cut between two */
	for (int i = 0; i < 1000; i++)
		p += sprintf(p, "\",\"V%d=1", i);
	sprintf(p, "\"]}}");
	assert_int_equal(json_details(text, strlen(text), d), 0);
	assert_int_equal(d->n, DETAIL_ROWS + 1);
	assert_string_equal(values(d, DETAIL_CUT), "yes\n");
	for (size_t i = 0; i < d->n; i++)
		assert_true(strlen(d->row[i].value) <= DETAIL_MAX);
	engine_details_release(d);
	free(text);
	free(d);
}

static void
no_container(void **state)
{
	static const char *const bad[] = { "", "{}", "[]", "{\"Name\":7,\"Config\":{}}",
		"{\"Name\":\"/x\"}", "{\"Name\":\"/x\",\"Config\":[]}",
		"{\"Name\":\"/x\\u0000y\",\"Config\":{}}" };
	static const char odd[] =
	    "{\"Name\":\"/x\",\"Config\":{\"Env\":7,\"Labels\":[]},\"State\":3,\"Args\":{},"
	    "\"HostConfig\":[],\"NetworkSettings\":{\"Ports\":[1],\"Networks\":9},\"Mounts\":"
	    "[1,{}],\"Created\":\"yesterday\"}";
	struct engine_details *d = calloc(1, sizeof(*d));

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(json_details(bad[i], strlen(bad[i]), d) < 0);
	assert_int_equal(json_details(odd, strlen(odd), d), 0);
	assert_string_equal(values(d, DETAIL_CREATED), "");
	engine_details_release(d);
	free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(docker_says),
		cmocka_unit_test(no_value_of_a_variable_is_copied),
		cmocka_unit_test(devices_are_no_place_for_secrets),
		cmocka_unit_test(podman_says),
		cmocka_unit_test(too_much_is_cut),
		cmocka_unit_test(no_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
