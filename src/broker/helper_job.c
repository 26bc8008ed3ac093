/*
 * The broker's engine child for REQ_HELPER: reads the program for the node's
 * processor, has it placed and started, passes its stream.
 */
#include "attached.h"
#include "job.h"

#include "jumpbox/util.h"

#include <malloc.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAM_MAX = 4 << 20 };

static int
load(const struct engine_info *info, const char *node, struct engine_program *p, struct errtext *e)
{
	char path[256], *data;
	uint8_t hash[32];
	struct errtext why;

	snprintf(path, sizeof(path), "%s/jumpbox-helper.%s", LIBEXECDIR, info->arch);
	if (strpbrk(info->arch, "/.") != NULL ||
	    read_file(path, PROGRAM_MAX, &data, &p->size, &why) != 0)
		return err_words(e, JB_UNAVAILABLE, W_HELPER_NO_ARCH, node, info->arch, NULL);
	p->data = (const uint8_t *)data;
	EVP_Digest(p->data, p->size, hash, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(p->sha256 + 2 * i, 3, "%02x", hash[i]);
	return 0;
}

static void
made(const char *exec_id, void *arg)
{
	job_exec(*(int *)arg, exec_id);
}

void
run_helper(int fd, const struct broker *b, const void *owner)
{
	const struct attached *a = owner;
	struct engine *en = job_engine(a->exec.node, ENGINE_CALL_MS);
	char *marker = xasprintf("%s=%s", EXEC_MARKER, a->exec.marker), *run_as = NULL;
	const char *const env[] = { marker, NULL };
	struct exec_spec spec = { .container = a->exec.container, .env = env };
	struct engine_program program = { 0 };
	struct engine_placing placing = { &program, a->exec.marker, made, &fd };
	struct exec_stream stream;
	struct engine_info info;
	struct errtext e = { 0 };
	int r;

	mallopt(M_PERTURB, 1);
	job_forget_words(b); /* of the attaches that wait for it */
	if ((r = job_facts(fd, b, en, a->exec.container, &info, NULL, &e)) < 0)
		goto out;
	job_go(fd, &run_as);
	spec.user = run_as;
	if ((r = load(&info, a->exec.node->node->name, &program, &e)) < 0)
		goto out;
	if ((r = engine_place(en, &info, &spec, &placing, &stream, &e)) == 0)
		job_pass(fd, en, &stream);
out:
	if (r < 0)
		job_failed(fd, r, &e);
	engine_free(en);
}
