/* The engine's JSON: what real engines say, and what a hostile one could. */
#include "../../src/docker/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int
list(const char *text, struct engine_list *l)
{
	memset(l, 0, sizeof(*l));
	return json_list(text, strlen(text), l);
}

static void
lists_containers(void **state)
{
	struct engine_list l;

	(void)state;
	assert_int_equal(
	    list("[{\"Id\":\"" ID "\",\"Names\":[\"/other/alias\",\"/web\"],\"Image\":\"debian\","
		 "\"ImageID\":\"sha256:12\",\"State\":\"running\",\"Status\":\"Up 3 hours\","
		 "\"Created\":1795245086,\"Labels\":{\"a\":\"1\",\"n\":2}}]",
		&l),
	    0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.c[0].id, ID);
	assert_string_equal(l.c[0].name, "web");
	assert_string_equal(l.c[0].image, "debian");
	assert_string_equal(l.c[0].image_id, "sha256:12");
	assert_string_equal(l.c[0].state, "running");
	assert_string_equal(l.c[0].service, "");
	assert_string_equal(l.c[0].ports, "");
	assert_string_equal(l.c[0].labels, "{\"a\":\"1\"}");
	assert_int_equal(l.c[0].created, 1795245086);
	engine_list_release(&l);
	assert_int_equal(list("[]", &l), 0);
	assert_int_equal(l.n, 0);
	engine_list_release(&l);
}

/* rest: more members of the one container of a list. */
static void
list_with(const char *rest, struct engine_list *l)
{
	char text[4096];

	snprintf(text, sizeof(text), "[{\"Id\":\"" ID "\",\"Names\":[\"/web\"],%s}]", rest);
	assert_int_equal(list(text, l), 0);
	assert_int_equal(l->n, 1);
}

static void
names_the_service_that_made_it(void **state)
{
	static const char *const rows[][2] = {
		{ "\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"db\"",
		    "shop/db" },
		{ "\"com.docker.compose.project\":\"shop\"", "" },
		{ "\"com.docker.swarm.task.name\":\"web.3.x8f\",\"com.docker.swarm.task.id\":"
		  "\"x8f\"",
		    "web.3" },
		{ "\"com.docker.swarm.task.name\":\"web.3.x8f\"", "web.3.x8f" },
		{ "\"com.docker.swarm.task.name\":\"x8f\",\"com.docker.swarm.task.id\":\"x8f\"",
		    "x8f" },
		{ "\"com.docker.swarm.task.name\":\"\",\"com.docker.swarm.task.id\":\"\"", "" },
		{ "\"com.docker.swarm.task.name\":7", "" },
	};
	struct engine_list l;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "\"Labels\":{%s}", rows[i][0]);
		list_with(text, &l);
		assert_string_equal(l.c[0].service, rows[i][1]);
		engine_list_release(&l);
	}
}

static void
says_ports_in_an_order_of_its_own(void **state)
{
	static const char *const rows[][2] = {
		{ "[{\"PrivatePort\":443,\"Type\":\"tcp\"},"
		  "{\"IP\":\"::\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"},"
		  "{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"}]",
		    "8080->80/tcp, 443/tcp" },
		{ "[{\"PrivatePort\":53,\"Type\":\"udp\"},{\"PrivatePort\":53,\"Type\":\"tcp\"}]",
		    "53/tcp, 53/udp" },
		{ "[7,{},{\"PrivatePort\":0},{\"PrivatePort\":65536},{\"PrivatePort\":\"80\"}]",
		    "" },
		{ "{\"a\":1}", "" },
		{ "[{\"PrivatePort\":9,\"PublicPort\":-1,\"Type\":\"longer than any\"}]", "9/tcp" },
	};
	struct engine_list l;
	char text[4096];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "\"Ports\":%s", rows[i][0]);
		list_with(text, &l);
		assert_string_equal(l.c[0].ports, rows[i][1]);
		engine_list_release(&l);
	}
	/* More than fit: whole ones only. */
	n = (size_t)snprintf(text, sizeof(text), "\"Ports\":[");
	for (unsigned i = 0; i < 60; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s{\"PrivatePort\":%u}",
		    i > 0 ? "," : "", 10000 + i);
	snprintf(text + n, sizeof(text) - n, "]");
	list_with(text, &l);
	assert_int_equal(strlen(l.c[0].ports), 11 * strlen("10000/tcp, ") - 2);
	assert_string_equal(l.c[0].ports + 10 * 11, "10010/tcp");
	engine_list_release(&l);
}

/* One odd container must not hide the others. */
static void
leaves_out_what_cannot_be_named(void **state)
{
	struct engine_list l;

	(void)state;
	assert_int_equal(
	    list("[null,7,\"x\",[],{},{\"Id\":7,\"Names\":[\"/a\"]},"
		 "{\"Id\":\"../../x\",\"Names\":[\"/a\"]},{\"Id\":\"" ID "0\",\"Names\":[\"/a\"]},"
		 "{\"Id\":\"" ID "\",\"Names\":[]},{\"Id\":\"" ID "\",\"Names\":{\"a\":1}},"
		 "{\"Id\":\"" ID "\",\"Names\":[\"/a\\u0000b\"]},"
		 "{\"Id\":\"" ID "\",\"Names\":[null,\"/good\"],\"Image\":3,\"State\":null,"
		 "\"Labels\":[1],\"Created\":\"x\"}]",
		&l),
	    0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.c[0].name, "good");
	assert_string_equal(l.c[0].image, "");
	assert_string_equal(l.c[0].state, "");
	assert_string_equal(l.c[0].labels, "{}");
	assert_int_equal(l.c[0].created, 0);
	engine_list_release(&l);
}

static void
a_nul_in_one_label_is_that_label_s_loss(void **state)
{
	struct engine_list l;

	(void)state;
	assert_int_equal(list("[{\"Id\":\"" ID "\",\"Names\":[\"/a\"],"
			      "\"Labels\":{\"x\":\"a\\u0000b\",\"y\":\"2\"}}]",
			     &l),
	    0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.c[0].labels, "{\"y\":\"2\"}");
	engine_list_release(&l);
	/* Nor does one in a key, which jansson does not let in; "\\u0000" is none. */
	assert_int_equal(list("[{\"Id\":\"" ID "\",\"Names\":[\"/a\"],"
			      "\"Labels\":{\"x\\u0000\":\"1\",\"y\\\\u0000\":\"2\"}}]",
			     &l),
	    0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.c[0].labels, "{\"x\xef\xbf\xbd\":\"1\",\"y\\\\u0000\":\"2\"}");
	engine_list_release(&l);
}

static void
refuses_what_is_not_json(void **state)
{
	static const char *const rows[] = { "", "{", "<html>", "null", "{}", "7", "\"x\"", "[1,",
		"[\"\xff\"]", "[\"\xed\xa0\x80\"]", "[1e999]", "[99999999999999999999]", "[nan]",
		"[null,7,\"x\",[],{},{\"Id\":7,\"Names\":[\"/a\"]}]" };
	size_t n = 1 << 20;
	char *deep = malloc(n), id[65];
	struct engine_list l = { .n = 0 };
	struct engine_info info;
	struct engine_inspect in;
	struct exec_status st;
	char *s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t k = strlen(rows[i]);

		assert_int_equal(json_list(rows[i], k, &l), JB_UNAVAILABLE);
		assert_int_equal(json_version(rows[i], k, &info), JB_UNAVAILABLE);
		assert_int_equal(json_inspect(rows[i], k, &in, &s), JB_UNAVAILABLE);
		assert_int_equal(json_exec_id(rows[i], k, id), JB_UNAVAILABLE);
		assert_int_equal(json_exec_status(rows[i], k, &st), JB_UNAVAILABLE);
	}
	memset(deep, '[', n);
	assert_int_equal(json_list(deep, n, &l), JB_UNAVAILABLE);
	free(deep);
}

static int
version(const char *text, struct engine_info *info)
{
	return json_version(text, strlen(text), info);
}

static void
reads_versions(void **state)
{
	struct engine_info info;

	(void)state;
	assert_int_equal(version("{\"Version\":\"20.10.24+dfsg1\",\"ApiVersion\":\"1.41\","
				 "\"Components\":[{\"Name\":\"Engine\"}]}",
			     &info),
	    0);
	assert_string_equal(info.version, "20.10.24+dfsg1");
	assert_int_equal(info.api, 141);
	assert_false(info.podman);
	assert_int_equal(version("{\"Version\":\"4.3.1\",\"ApiVersion\":\"1.41\","
				 "\"Components\":[7,{\"Name\":\"Podman Engine\"}]}",
			     &info),
	    0);
	assert_true(info.podman);
	assert_int_equal(
	    version("{\"Version\":\"1\\u001b[2J\",\"ApiVersion\":\"1.50\"}", &info), 0);
	assert_string_equal(info.version, "1??2J");
	assert_int_equal(info.api, 150);
	assert_int_equal(
	    version("{\"Version\":\"1\",\"ApiVersion\":\"1\"}", &info), JB_UNAVAILABLE);
	assert_int_equal(
	    version("{\"Version\":\"1\",\"ApiVersion\":\"1.41x\"}", &info), JB_UNAVAILABLE);
	assert_int_equal(version("{\"Version\":\"1\",\"ApiVersion\":1.41}", &info), JB_UNAVAILABLE);
}

static void
inspects_a_container(void **state)
{
	static const char text[] =
	    "{\"Id\":\"" ID "\",\"Name\":\"/web\",\"Image\":\"sha256:12\","
	    "\"State\":{\"Status\":\"paused\"},\"Config\":{\"Image\":\"deb\","
	    "\"Labels\":{\"k\":\"v\"}},\"HostConfig\":{\"PidMode\":\"host\"}}";
	struct engine_inspect in = { .pid_host = false };
	char *image_id = NULL;

	(void)state;
	assert_int_equal(json_inspect(text, sizeof(text) - 1, &in, &image_id), 0);
	assert_string_equal(in.id, ID);
	assert_string_equal(in.name, "web");
	assert_string_equal(in.image, "deb");
	assert_string_equal(in.state, "paused");
	assert_string_equal(in.labels, "{\"k\":\"v\"}");
	assert_string_equal(image_id, "sha256:12");
	assert_true(in.pid_host);
	engine_inspect_release(&in);
	free(image_id);
}

static void
tells_own_labels_from_inherited(void **state)
{
	static const struct {
		const char *labels, *image, *own;
	} rows[] = {
		{ "{\"o\":\"alice\"}", "{}", "alice" },
		{ "{\"o\":\"alice\"}", "{\"o\":\"alice\"}", NULL },
		{ "{\"o\":\"alice\"}", "{\"o\":\"bob\"}", "alice" },
		{ "{}", "{\"o\":\"bob\"}", NULL },
		{ "{\"o\":7}", "{}", NULL },
		{ "nonsense", "{}", NULL },
		{ NULL, NULL, NULL },
		{ "{\"o\":\"a\\u0000b\"}", "{}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *own = engine_own_label(rows[i].labels, rows[i].image, "o");

		if (rows[i].own)
			assert_string_equal(own, rows[i].own);
		else
			assert_null(own);
		free(own);
	}
}

static void
reads_exec_states(void **state)
{
	static const struct {
		const char *text;
		int rc;
		bool running;
		int code;
		int64_t pid;
	} rows[] = {
		{ "{\"Running\":true,\"ExitCode\":null,\"Pid\":42}", 0, true, -1, 42 },
		{ "{\"Running\":false,\"ExitCode\":126,\"Pid\":0}", 0, false, 126, 0 },
		{ "{\"Running\":false,\"ExitCode\":-1}", 0, false, -1, 0 },
		{ "{\"Running\":false,\"ExitCode\":4294967296}", 0, false, -1, 0 },
		{ "{\"Running\":\"false\"}", JB_UNAVAILABLE, false, 0, 0 },
		{ "{\"ExitCode\":0}", JB_UNAVAILABLE, false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exec_status s = { .pid = 0 };

		assert_int_equal(
		    json_exec_status(rows[i].text, strlen(rows[i].text), &s), rows[i].rc);
		if (rows[i].rc)
			continue;
		assert_int_equal(s.running, rows[i].running);
		assert_int_equal(s.exit_code, rows[i].code);
		assert_int_equal(s.pid, rows[i].pid);
	}
}

static void
sends_sizes_env_and_detach_keys(void **state)
{
	const char *argv[] = { "sh", "-c", "say \"\xc3\xa9\"\n", NULL };
	const char *env[] = { "A=b", "BAD=\xff", "C=d", NULL };
	struct exec_spec spec = {
		.tty = true, .cols = 123, .rows = 45, .user = "1000:1000", .env = env, .argv = argv
	};
	char *create = json_create_body(&spec), *start = json_start_body(&spec);

	(void)state;
	assert_non_null(strstr(create, "\"ConsoleSize\":[45,123]"));
	assert_non_null(strstr(create, "\"Env\":[\"A=b\",\"C=d\"]"));
	assert_non_null(strstr(create, "\"User\":\"1000:1000\""));
	assert_non_null(strstr(create, "\"DetachKeys\":\"ctrl-^,ctrl-]"));
	assert_non_null(strstr(create, "\"say \\\"\xc3\xa9\\\"\\n\""));
	assert_non_null(strstr(start, "\"h\":45,\"w\":123"));
	assert_non_null(strstr(start, "\"Detach\":false"));
	free(create);
	free(start);
	argv[2] = "\xff";
	assert_null(json_create_body(&spec));
}

/* ---- one container looked at alone ---------------------------------------------- */

static void
inspected(const char *members, struct engine_inspect *in)
{
	char text[4096], *image_id = NULL;

	memset(in, 0, sizeof(*in));
	snprintf(text, sizeof(text),
	    "{\"Id\":\"" ID "\",\"Name\":\"/web\",\"Image\":\"sha256:1\",%s}", members);
	assert_int_equal(json_inspect(text, strlen(text), in, &image_id), 0);
	free(image_id);
}

static void
says_how_a_container_is(void **state)
{
	struct engine_inspect in;

	(void)state;
	inspected(
	    "\"Config\":{},\"State\":{\"Status\":\"exited\",\"ExitCode\":137,\"OOMKilled\":true,"
	    "\"StartedAt\":\"2026-11-26T04:10:38.117Z\",\"FinishedAt\":\"2026-11-26T06:10:39+02:"
	    "00\","
	    "\"Health\":{\"Status\":\"unhealthy\"}}",
	    &in);
	assert_string_equal(in.state, "exited");
	assert_string_equal(in.health, "unhealthy");
	assert_int_equal(in.exit_code, 137);
	assert_true(in.oom);
	assert_int_equal(in.finished - in.started, 1);
	engine_inspect_release(&in);
	inspected("\"Config\":{},\"State\":{\"Status\":\"created\",\"ExitCode\":99999999999,"
		  "\"StartedAt\":\"0001-01-01T00:00:00Z\",\"FinishedAt\":7,\"OOMKilled\":1,"
		  "\"Health\":{\"Status\":\"none\"}}",
	    &in);
	assert_string_equal(in.health, "");
	assert_int_equal(in.exit_code, 0);
	assert_false(in.oom);
	assert_int_equal(in.started, 0);
	assert_int_equal(in.finished, 0);
	engine_inspect_release(&in);
}

static void
says_which_gpus_it_has(void **state)
{
	static const char *const rows[][2] = {
		{ "\"Config\":{},\"HostConfig\":{\"DeviceRequests\":[{\"Driver\":\"\",\"Count\":-1,"
		  "\"DeviceIDs\":null,\"Capabilities\":[[\"gpu\"]]}]}",
		    "all" },
		{ "\"Config\":{},\"HostConfig\":{\"DeviceRequests\":[{\"Count\":2,"
		  "\"Capabilities\":[[\"x\"],[\"nvidia\",\"gpu\"]]}]}",
		    "count=2" },
		{ "\"Config\":{},\"HostConfig\":{\"DeviceRequests\":[{\"Driver\":\"nvidia\","
		  "\"Count\":0,"
		  "\"DeviceIDs\":[\"0\",\"GPU-3a23c669\"]}]}",
		    "0,GPU-3a23c669" },
		{ "\"Config\":{},\"HostConfig\":{\"DeviceRequests\":[{\"Driver\":\"cdi\","
		  "\"DeviceIDs\":[\"nvidia.com/gpu=all\"]}]}",
		    "nvidia.com/gpu=all" },
		{ "\"Config\":{},\"HostConfig\":{\"DeviceRequests\":[{\"Count\":1,"
		  "\"Capabilities\":[[\"tpu\"],7]},3]}",
		    "" },
		{ "\"Config\":{},\"HostConfig\":{\"Devices\":[{\"PathOnHost\":\"/dev/nvidia0\"},"
		  "{\"PathOnHost\":\"/dev/nvidiactl\"},{\"PathOnHost\":\"/dev/fuse\"}]}",
		    "0" },
		{ "\"Config\":{\"Env\":[\"NVIDIA_VISIBLE_DEVICES=0,1\"]},"
		  "\"HostConfig\":{\"Runtime\":\"nvidia\"}",
		    "0,1" },
		{ "\"Config\":{\"Env\":[\"NVIDIA_VISIBLE_DEVICES=a secret\"]},"
		  "\"HostConfig\":{\"Runtime\":\"nvidia\"}",
		    "" },
		{ "\"Config\":{\"Env\":[\"NVIDIA_VISIBLE_DEVICES=void\"]},"
		  "\"HostConfig\":{\"Runtime\":\"nvidia\"}",
		    "" },
		{ "\"Config\":{\"Env\":[\"NVIDIA_VISIBLE_DEVICES=all\",7]},"
		  "\"HostConfig\":{\"Runtime\":\"runc\"}",
		    "" },
		{ "\"Config\":{}", "" },
	};
	struct engine_inspect in;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		inspected(rows[i][0], &in);
		assert_string_equal(in.gpus, rows[i][1]);
		engine_inspect_release(&in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_containers),
		cmocka_unit_test(names_the_service_that_made_it),
		cmocka_unit_test(says_ports_in_an_order_of_its_own),
		cmocka_unit_test(says_how_a_container_is),
		cmocka_unit_test(says_which_gpus_it_has),
		cmocka_unit_test(leaves_out_what_cannot_be_named),
		cmocka_unit_test(a_nul_in_one_label_is_that_label_s_loss),
		cmocka_unit_test(refuses_what_is_not_json),
		cmocka_unit_test(reads_versions),
		cmocka_unit_test(inspects_a_container),
		cmocka_unit_test(tells_own_labels_from_inherited),
		cmocka_unit_test(reads_exec_states),
		cmocka_unit_test(sends_sizes_env_and_detach_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
