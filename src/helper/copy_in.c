/*
 * The end of a copy that writes: makes of records what they say (copy.h).  They
 * are another container's, so each has to be due, every directory is opened as
 * one and by its name alone, and what came as a link is never gone through.
 * What cannot be made is told, and the rest goes on.  jumpbox-helper, a process
 * of its own.
 */
#include "copy.h"
#include "note.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIPE_LEN = 1024 * 1024, DIRECTORY_MODES = 01777 };

/* A directory that the copy is in. */
struct level {
	int fd;
	bool made; /* by us: it gets the other's mode and time when all is in it */
	uint32_t mode;
	struct timespec mtime;
	size_t path; /* the length before it */
};

static struct in {
	const char *dest, *from;
	bool here;
	bool began, ended, failed;
	struct copy_place place;
	struct level level[COPY_DEPTH];
	unsigned depth;
	unsigned skip; /* so deep in what could not be made */
	bool in_file;
	struct copy_record entry; /* that file's; its name is not kept */
	struct copy_file file;
	size_t file_path;
	struct copy_path path;
	size_t off, end;
	uint8_t buf[8 * COPY_RECORD_MAX];
} in;

/* ---- what is told ------------------------------------------------------ */

static void
tell(char whose, const char *text)
{
	char line[COPY_SAID_MAX + 3];
	size_t n = strlen(text), done = 0;
	ssize_t w;

	line[0] = whose;
	memcpy(line + 1, text, n);
	line[++n] = '\n';
	for (n++; done < n; done += (size_t)w)
		if ((w = write(STDOUT_FILENO, line + done, n - done)) < 0)
			return; /* nobody is there */
}

/* Without the first entry there is nothing that could go on. */
static void
failed(const char *reason)
{
	char text[COPY_SAID_MAX + 1];

	in.failed = true;
	in.ended |= in.depth == 0;
	copy_path_says(&in.path, reason, text);
	tell('d', text);
}

/* False: what cannot be told must not go on. */
static bool
note(const char *verb, const char *target, int64_t size, int64_t was)
{
	struct note line;

	note_begin(&line, verb);
	note_path(&line, "path", in.path.s);
	if (target != NULL)
		note_quoted(&line, "target", target);
	note_size(&line, "size", size);
	note_size(&line, "was", was);
	return note_write(STDERR_FILENO, &line);
}

/* ---- where --------------------------------------------------------------- */

/* Where the entry goes, and its name there; false: nowhere, and that was said. */
static bool
locate(const struct copy_record *r, int *dir, const char **name)
{
	const char *why;

	if (in.depth > 0) {
		*dir = in.level[in.depth - 1].fd;
		*name = r->text;
		return true;
	}
	why = copy_place(&in.place, in.dest, in.from, in.here, r->type == COPY_DIR);
	copy_path_set(&in.path, why == NULL ? in.place.path : in.dest);
	if (why != NULL) {
		failed(why);
		return false;
	}
	*dir = in.place.dir;
	*name = in.place.name;
	return true;
}

/* The first one has no name, and there is no second one beside it. */
static bool
is_due(const struct copy_record *r)
{
	bool first = !in.began;

	in.began = true;
	if (in.in_file || (r->text[0] == '\0') != first)
		return false;
	return first || in.depth + in.skip > 0;
}

/* ---- records: false is for what is not due --------------------------------- */

static bool
enter(int dir, const char *name, const struct copy_record *r)
{
	bool made = name[0] != '\0' && mkdirat(dir, name, 0700) == 0;
	struct level *l = &in.level[in.depth];

	if (!made && name[0] != '\0' && errno != EEXIST)
		return false;
	/* To search one that was there already may be all that is allowed. */
	l->fd = openat(dir, name[0] != '\0' ? name : ".",
	    (made ? O_RDONLY : O_PATH) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->fd < 0)
		return false;
	l->made = made;
	l->mode = r->mode;
	l->mtime = r->mtime;
	in.depth++;
	return true;
}

static bool
do_dir(const struct copy_record *r)
{
	const char *name;
	size_t path;
	int dir;

	if (!is_due(r) || in.depth + in.skip >= COPY_DEPTH)
		return false;
	if (in.skip > 0 || !locate(r, &dir, &name)) {
		in.skip++;
		return true;
	}
	path = copy_path_push(&in.path, name);
	if (!enter(dir, name, r)) {
		failed(strerror(errno));
		copy_path_pop(&in.path, path);
		in.skip = 1;
		return true;
	}
	in.level[in.depth - 1].path = path;
	return !in.level[in.depth - 1].made || note("mkdir", NULL, -1, -1);
}

static void
leave(void)
{
	struct level *l = &in.level[--in.depth];
	const struct timespec times[2] = COPY_TIMES(l->mtime);

	if (l->made && (futimens(l->fd, times) < 0 || fchmod(l->fd, l->mode & DIRECTORY_MODES) < 0))
		failed(strerror(errno));
	close(l->fd);
	copy_path_pop(&in.path, l->path);
}

static bool
do_up(const struct copy_record *r)
{
	(void)r;
	if (in.in_file || in.depth + in.skip == 0)
		return false;
	if (in.skip > 0)
		in.skip--;
	else
		leave();
	return true;
}

static bool
do_file(const struct copy_record *r)
{
	const char *name, *why;
	int dir;

	if (!is_due(r))
		return false;
	in.in_file = true;
	in.entry = *r;
	in.file.fd = -1;
	in.file.at = 0;
	in.file_path = in.path.n;
	if (in.skip > 0 || !locate(r, &dir, &name))
		return true;
	in.file_path = copy_path_push(&in.path, name);
	if ((why = copy_file_begin(&in.file, dir, name)) != NULL)
		failed(why);
	return true;
}

static bool
do_data(const struct copy_record *r)
{
	const char *why;

	if (!in.in_file || r->nbytes > INT64_MAX - in.file.at)
		return false;
	if (in.file.fd >= 0 && (why = copy_file_data(&in.file, r->bytes, r->nbytes)) != NULL)
		failed(why);
	return true;
}

static bool
do_hole(const struct copy_record *r)
{
	if (!in.in_file || r->length > INT64_MAX - in.file.at)
		return false;
	in.file.at += r->length;
	in.file.hole = true;
	return true;
}

static bool
do_close(const struct copy_record *r)
{
	const char *why;
	bool told = true;
	int64_t was;

	if (!in.in_file)
		return false;
	in.in_file = false;
	if (in.file.fd >= 0 && r->flag) {
		copy_file_drop(&in.file);
	} else if (in.file.fd >= 0) {
		was = note_size_of(in.file.dir, in.file.name, AT_SYMLINK_NOFOLLOW);
		why = copy_file_end(&in.file, in.entry.mode, &in.entry.mtime);
		if (why != NULL)
			failed(why);
		else
			told = note("write", NULL, (int64_t)in.file.at, was);
	}
	copy_path_pop(&in.path, in.file_path);
	return told;
}

static bool
do_link(const struct copy_record *r)
{
	const char *name, *why;
	bool told = true;
	int64_t was;
	size_t path;
	int dir;

	if (!is_due(r))
		return false;
	if (in.skip > 0 || !locate(r, &dir, &name))
		return true;
	path = copy_path_push(&in.path, name);
	was = note_size_of(dir, name, AT_SYMLINK_NOFOLLOW);
	if ((why = copy_link(dir, name, r->target, &r->mtime)) != NULL)
		failed(why);
	else
		told = note("symlink", r->target, -1, was);
	copy_path_pop(&in.path, path);
	return told;
}

static bool
do_said(const struct copy_record *r)
{
	tell('s', r->text);
	return true;
}

static bool
do_end(const struct copy_record *r)
{
	if (in.in_file || in.depth + in.skip > 0)
		return false;
	in.failed |= r->flag;
	in.ended = true;
	return true;
}

static bool (*const handlers[COPY_TYPES])(const struct copy_record *) = {
	[COPY_DIR] = do_dir,
	[COPY_FILE] = do_file,
	[COPY_LINK] = do_link,
	[COPY_DATA] = do_data,
	[COPY_HOLE] = do_hole,
	[COPY_CLOSE] = do_close,
	[COPY_UP] = do_up,
	[COPY_SAID] = do_said,
	[COPY_END] = do_end,
};

/* ---- the stream ------------------------------------------------------------- */

static bool
fill(void)
{
	ssize_t n;

	memmove(in.buf, in.buf + in.off, in.end - in.off);
	in.end -= in.off;
	in.off = 0;
	do
		n = read(STDIN_FILENO, in.buf + in.end, sizeof(in.buf) - in.end);
	while (n < 0 && errno == EINTR);
	in.end += n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* To its end, or to where it is none any more: why. */
static const char *
take_all(void)
{
	struct copy_record r;
	long n;

	while (!in.ended) {
		n = copy_get(in.buf + in.off, in.end - in.off, &r);
		if (n < 0 || (n > 0 && !handlers[r.type](&r)))
			return "what is sent is no copy";
		if (n == 0 && !fill())
			return "it was cut off";
		in.off += (size_t)n;
	}
	return NULL;
}

int
copy_in(const char *path, const char *from, bool here)
{
	const char *why;

	/* Each is told by an error instead; the end of a connection by that of the input. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE_LEN);
	in.dest = path;
	in.from = from;
	in.here = here;
	in.file.fd = -1;
	copy_path_set(&in.path, path);
	if ((why = take_all()) != NULL)
		failed(why);
	copy_file_drop(&in.file);
	while (in.depth > 0)
		leave();
	return in.failed;
}
