/*
 * The configuration: what is accepted must print to a text that is accepted
 * and prints the same.
 */
#include "fuzz.h"

#include "jumpbox/config.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
load(const void *p, size_t n, struct config *c, struct errtext *e)
{
	int fd = memfd_create("conf", MFD_CLOEXEC), r;

	check(fd >= 0 && write_all(fd, p, n, -1) == 0);
	r = config_load_fd(fd, "conf", c, e);
	close(fd);
	return r;
}

static char *
print(const struct config *c, size_t *n)
{
	char *text;
	FILE *f = open_memstream(&text, n);

	check(f != NULL);
	config_print(c, f);
	fclose(f);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct config c, again;
	struct errtext e = { 0 };
	char *first, *second;
	size_t len;

	if (load(p, n, &c, &e) < 0) {
		if (strncmp(e.s, "conf:", 5) != 0)
			abort();
		return 0;
	}
	first = print(&c, &len);
	check(load(first, len, &again, &e) == 0);
	second = print(&again, &len);
	check(strcmp(first, second) == 0);
	free(first);
	free(second);
	config_release(&c);
	config_release(&again);
	return 0;
}
