/* An engine's counters and the figures that they make: what engines answered, and what they never should. */
#include "../../src/docker/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Docker 20.10, cgroup v1, in the middle of a stream. */
static const char docker_v1[] =
    "{\"read\":\"2026-11-26T04:11:25.653036685Z\",\"preread\":\"2026-11-26T04:11:24.649164121Z\","
    "\"pids_stats\":{\"current\":2},\"blkio_stats\":{\"io_service_bytes_recursive\":["
    "{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":4096},"
    "{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":8192},"
    "{\"major\":8,\"minor\":0,\"op\":\"Sync\",\"value\":12288},"
    "{\"major\":8,\"minor\":16,\"op\":\"Read\",\"value\":1},"
    "{\"major\":8,\"minor\":0,\"op\":\"Total\",\"value\":12288}]},\"num_procs\":0,"
    "\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":1527228897,\"percpu_usage\":[23949315,3279582],"
    "\"usage_in_kernelmode\":10000000,\"usage_in_usermode\":0},\"system_cpu_usage\":53894170000000,"
    "\"online_cpus\":2},\"precpu_stats\":{\"cpu_usage\":{\"total_usage\":527228897},"
    "\"system_cpu_usage\":53892170000000,\"online_cpus\":2},\"memory_stats\":{\"usage\":462848,"
    "\"max_usage\":4571136,\"stats\":{\"inactive_file\":1,\"total_inactive_file\":4096},"
    "\"limit\":25276502016},\"name\":\"/bb\",\"id\":\"3d0c64c1cc52\","
    "\"networks\":{\"eth0\":{\"rx_bytes\":100,\"tx_bytes\":7},\"eth1\":{\"rx_bytes\":23,\"tx_"
    "bytes\":1}}}";

/* The same under cgroup v2: no total_inactive_file, lower case operations, no percpu_usage. */
static const char docker_v2[] =
    "{\"pids_stats\":{\"current\":9,\"limit\":1000},\"blkio_stats\":{\"io_service_bytes_"
    "recursive\":["
    "{\"op\":\"read\",\"value\":10},{\"op\":\"write\",\"value\":20}]},\"cpu_stats\":{\"cpu_usage\":"
    "{\"total_usage\":30},\"system_cpu_usage\":400,\"online_cpus\":4},\"precpu_stats\":{\"cpu_"
    "usage\":"
    "{\"total_usage\":10},\"system_cpu_usage\":200},\"memory_stats\":{\"usage\":1000,\"stats\":"
    "{\"inactive_file\":250},\"limit\":2000}}";

/* Podman 4.3, asked once. */
static const char podman[] =
    "{\"read\":\"2026-11-26T04:12:00.81335855Z\",\"preread\":\"0001-01-01T00:00:00Z\","
    "\"pids_stats\":{\"current\":2},\"blkio_stats\":{\"io_service_bytes_recursive\":[],"
    "\"io_serviced_recursive\":null},\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":31665658,"
    "\"percpu_usage\":[0,31665658]},\"system_cpu_usage\":26154383691325,\"online_cpus\":2,\"cpu\":"
    "0},"
    "\"precpu_stats\":{\"cpu_usage\":{\"total_usage\":0},\"cpu\":0},\"memory_stats\":{\"usage\":"
    "1110016,"
    "\"limit\":25276502016},\"networks\":{\"network\":{\"rx_bytes\":0,\"tx_bytes\":0}}}";

/* Docker, of what has stopped. */
static const char stopped[] =
    "{\"read\":\"0001-01-01T00:00:00Z\",\"pids_stats\":{},\"blkio_stats\":{\"io_service_bytes_"
    "recursive\":null},"
    "\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":0},\"throttling_data\":{}},\"precpu_stats\":{},"
    "\"memory_stats\":{}}";

static void
docker_with_the_old_cgroups(void **state)
{
	struct stats_sample s, before;

	(void)state;
	assert_int_equal(json_stats(docker_v1, strlen(docker_v1), &s, &before), 0);
	assert_int_equal(s.now.mem, 462848 - 4096);
	assert_int_equal(s.now.mem_limit, 25276502016);
	assert_int_equal(s.now.net_rx, 123);
	assert_int_equal(s.now.net_tx, 8);
	assert_int_equal(s.now.blk_read, 4097);
	assert_int_equal(s.now.blk_write, 8192);
	assert_int_equal(s.now.pids, 2);
	/* One of the two seconds of two processors. */
	assert_int_equal(stats_cpu(&before, &s), 10000);
}

static void
docker_with_the_new_cgroups(void **state)
{
	struct stats_sample s, before;

	(void)state;
	assert_int_equal(json_stats(docker_v2, strlen(docker_v2), &s, &before), 0);
	assert_int_equal(s.now.mem, 750);
	assert_int_equal(s.now.blk_read, 10);
	assert_int_equal(s.now.blk_write, 20);
	assert_int_equal(s.now.pids, 9);
	assert_int_equal(stats_cpu(&before, &s), 4000); /* 20 / 200 of 4 processors */
}

static void
podman_has_no_sample_before(void **state)
{
	struct stats_sample first, second, none;

	(void)state;
	assert_int_equal(json_stats(podman, strlen(podman), &first, &none), 0);
	assert_int_equal(none.system, 0);
	assert_int_equal(first.now.mem, 1110016);
	second = first;
	second.system += 2000000000;
	second.cpu += 250000000;
	assert_int_equal(stats_cpu(&first, &second), 2500);
}

/* What newer engines say of a container without limits: more than a signed number holds. */
static void
no_limit_is_a_number(void **state)
{
	static const char text[] =
	    "{\"pids_stats\":{\"current\":3,\"limit\":18446744073709551615},\"cpu_stats\":"
	    "{\"cpu_usage\":{\"total_usage\":9007199254740991},\"system_cpu_usage\":400},"
	    "\"memory_stats\":{\"usage\":1000,\"limit\":18446744073709551615}}";
	struct stats_sample s, before;

	(void)state;
	assert_int_equal(json_stats(text, strlen(text), &s, &before), 0);
	assert_int_equal(s.now.pids, 3);
	assert_int_equal(s.now.mem, 1000);
	assert_true(s.now.mem_limit == UINT64_MAX);
	assert_true(s.cpu == 9007199254740991);
}

static void
nothing_has_passed(void **state)
{
	struct stats_sample a = { .cpu = 10, .system = 100, .cpus = 2 }, b = a;

	(void)state;
	assert_int_equal(stats_cpu(&a, &b), 0);
	b.cpu = 20; /* time stood still */
	assert_int_equal(stats_cpu(&a, &b), 0);
	b.system = 90; /* or went back */
	assert_int_equal(stats_cpu(&a, &b), 0);
	b.system = 200;
	b.cpu = 5; /* the container was started again */
	assert_int_equal(stats_cpu(&a, &b), 0);
}

static void
what_does_not_run_has_no_figures(void **state)
{
	static const char *const bad[] = { "", "{}", "[]", "null", "\"x\"", "{\"cpu_stats\":7}",
		"{\"cpu_stats\":{\"system_cpu_usage\":-5}}",
		"{\"cpu_stats\":{\"system_cpu_usage\":\"9\"}}" };
	struct stats_sample s, before;

	(void)state;
	assert_true(json_stats(stopped, strlen(stopped), &s, &before) < 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(json_stats(bad[i], strlen(bad[i]), &s, &before) < 0);
}

static void
wrong_types_count_as_nothing(void **state)
{
	static const char odd[] =
	    "{\"cpu_stats\":{\"cpu_usage\":[],\"system_cpu_usage\":5},\"memory_stats\":"
	    "{\"usage\":\"much\",\"stats\":3,\"limit\":-1},\"networks\":[1,2],"
	    "\"blkio_stats\":{\"io_service_bytes_recursive\":[7,{\"op\":3},{\"op\":\"\"}]},"
	    "\"pids_stats\":\"none\"}";
	struct stats_sample s, before;

	(void)state;
	assert_int_equal(json_stats(odd, strlen(odd), &s, &before), 0);
	assert_int_equal(
	    s.now.mem + s.now.mem_limit + s.now.net_rx + s.now.blk_read + s.now.pids, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(docker_with_the_old_cgroups),
		cmocka_unit_test(docker_with_the_new_cgroups),
		cmocka_unit_test(podman_has_no_sample_before),
		cmocka_unit_test(no_limit_is_a_number),
		cmocka_unit_test(nothing_has_passed),
		cmocka_unit_test(what_does_not_run_has_no_figures),
		cmocka_unit_test(wrong_types_count_as_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
