/*
 * A hostile container's copy, made in another one: the first byte says where
 * it goes, the rest is its records.  Nothing outside of what the user named is
 * touched, nothing half-made stays, no file gets a set-id bit, and what the
 * user and the audit are told is whole lines.  What came of it is then copied
 * by our own two ends, and is the same again.
 */
#include "copy_source.h"
#include "fuzz.h"
#include "jail.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct {
	int records, lines, notes;
} lab;

#undef STDIN_FILENO
#undef STDOUT_FILENO
#undef STDERR_FILENO
#define STDIN_FILENO  lab.records
#define STDOUT_FILENO lab.lines
#define STDERR_FILENO lab.notes
#include "../../src/helper/copy_in.c"

/* What the user typed; /to is all that it may reach. */
static const struct {
	const char *dest, *from;
	bool here;
} typed[] = {
	{ "/to", "x", false },
	{ "/to", "/any/f", false },
	{ "/to", "d", false },
	{ "/to/", "l", false },
	{ "/to", "..", false },
	{ "/to/new", "x", false },
	{ "/to/f", "x", false },
	{ "/to/d/h", "x", false },
	{ "/to/none/new", "x", false },
	{ "to/d", "/to", true },
	{ "/to/fifo", "x", false },
	{ "to/.", "/other", true },
};

/* ---- the directories -------------------------------------------------- */

static void
make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	check(fd >= 0 && write(fd, "content", 7) == 7 && close(fd) == 0);
}

/* Made once: whoever touches any of it moves its ctime. */
static void
make_other(void)
{
	check(mkdir("/other", 0755) == 0 && mkdir("/other/d", 0755) == 0);
	check(symlink("/to", "/other/l") == 0 && mkdir("/to", 0755) == 0);
	check(mkdir("/again", 0755) == 0);
	make_file("/other/f");
}

static void
make_tree(void)
{
	make_file("/to/f");
	check(mkdir("/to/d", 0755) == 0 && link("/to/f", "/to/d/h") == 0);
	check(symlink("../other", "/to/l") == 0 && symlink("../../other/f", "/to/d/l") == 0);
	check(symlink("/other/d", "/to/d/up") == 0 && mkfifo("/to/fifo", 0600) == 0);
}

static void
check_other(void)
{
	static const char *const paths[] = { "/", "/other", "/other/d", "/other/f", "/other/l" };
	enum { PATHS = sizeof(paths) / sizeof(paths[0]) };
	static struct timespec was[PATHS];
	struct stat st;

	for (size_t i = 0; i < PATHS; i++) {
		check(lstat(paths[i], &st) == 0);
		if (was[i].tv_sec == 0)
			was[i] = st.st_ctim;
		check(was[i].tv_sec == st.st_ctim.tv_sec && was[i].tv_nsec == st.st_ctim.tv_nsec);
	}
}

static void
empty_dir(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	check(dir >= 0);
	jail_walk(dir, jail_remove);
	check(fchmod(dir, 0755) == 0);
	close(dir);
}

/* ---- what is in them -------------------------------------------------- */

static bool temp_named; /* by the records themselves */
static uint64_t sum;

static void
check_one(int dir, const char *name, const struct stat *st)
{
	(void)dir;
	check(S_ISLNK(st->st_mode) || (st->st_mode & 06000) == 0);
	check(temp_named || strncmp(name, ".jumpbox-", 9) != 0);
	sum += st->st_mode * 31u + strlen(name);
	sum += S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size;
	sum += (uint64_t)st->st_mtim.tv_sec * 7 + (uint64_t)st->st_mtim.tv_nsec;
}

static uint64_t
look_at(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	check(dir >= 0);
	sum = 0;
	jail_walk(dir, check_one);
	close(dir);
	return sum;
}

/* ---- one copy ----------------------------------------------------------- */

static void
check_lines(const uint8_t *p, size_t n)
{
	const uint8_t *end;

	for (; n > 0; n -= (size_t)(end - p), p = end) {
		end = memchr(p, '\n', n);
		check(end++ != NULL && (*p == 's' || *p == 'd') && end - p <= COPY_SAID_MAX + 2);
	}
}

static int
copy(const char *dest, const char *from, bool here)
{
	const size_t descriptors = jail_descriptors();
	const uint8_t *p;
	size_t n;
	int code;

	memset(&in, 0, offsetof(struct in, path));
	in.off = in.end = 0;
	in.place.dir = -1;
	check(lseek(lab.records, 0, SEEK_SET) == 0);
	code = copy_in(dest, from, here);
	if (in.place.dir >= 0)
		close(in.place.dir);
	check(jail_descriptors() == descriptors);
	check(code == 0 ? in.ended && !in.failed : code == 1);
	n = jail_take(lab.lines, &p);
	check_lines(p, n);
	jail_empty(lab.lines, p, n);
	n = jail_take(lab.notes, &p);
	jail_check_notes(p, n);
	jail_empty(lab.notes, p, n);
	return code;
}

static void
copies(const uint8_t *p, size_t n)
{
	const size_t i = p[0] % (sizeof(typed) / sizeof(typed[0]));
	uint64_t made;

	if (lab.records == 0) {
		lab.records = jail_file("records");
		lab.lines = jail_file("lines");
		lab.notes = jail_file("notes");
		make_other();
		check_other();
	}
	make_tree();
	temp_named = memmem(p, n, ".jumpbox-", 9) != NULL;
	check(write(lab.records, p + 1, n - 1) == (ssize_t)n - 1);
	copy(typed[i].dest, typed[i].from, typed[i].here);
	jail_empty(lab.records, NULL, 0);
	check_other();
	unlink("/to/fifo");
	made = look_at("/to");
	if (copy_source("/to/.", lab.records, lab.notes) == 0) {
		check(copy("/again", ".", false) == 0);
		check(look_at("/again") == made);
	}
	jail_empty(lab.records, NULL, 0);
	empty_dir("/to");
	empty_dir("/again");
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n > 0)
		jail_run(copies, p, n);
	return 0;
}
