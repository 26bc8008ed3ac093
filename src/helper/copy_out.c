/*
 * The end of a copy that reads: walks a file or a directory and writes what it
 * finds as records (copy.h).  Links are read as links, and nothing is followed
 * but the path that the user typed.  jumpbox-helper, a process of its own.
 */
#include "copy.h"
#include "note.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_LEAST = COPY_RECORD_MAX / 4, PIPE_LEN = 1024 * 1024 };

static struct out {
	bool failed, dead; /* dead: nobody reads it */
	struct copy_path path;
	size_t n;
	uint8_t buf[4 * COPY_RECORD_MAX];
} out;

/* ---- records ----------------------------------------------------------- */

static void
flush(void)
{
	size_t done = 0;
	ssize_t n;

	while (!out.dead && done < out.n) {
		n = write(STDOUT_FILENO, out.buf + done, out.n - done);
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			out.dead = true;
	}
	out.n = 0;
}

static void
put(const struct copy_record *r)
{
	if (sizeof(out.buf) - out.n < COPY_RECORD_MAX)
		flush();
	out.n += copy_put(out.buf + out.n, r);
}

static void
say(const char *reason)
{
	char text[COPY_SAID_MAX + 1];

	copy_path_says(&out.path, reason, text);
	put(&(struct copy_record){ .type = COPY_SAID, .text = text });
}

static void
failed(const char *reason)
{
	out.failed = true;
	say(reason);
}

static void
put_entry(enum copy_type type, const char *as, const struct stat *st, const char *target)
{
	put(&(struct copy_record){ .type = type,
	    .mode = st->st_mode & 07777,
	    .mtime = st->st_mtim,
	    .text = as,
	    .target = target });
}

/* ---- files ------------------------------------------------------------- */

/* What cannot be told must not go on. */
static void
note(const char *verb, const char *key, uint64_t n)
{
	struct note line;

	note_begin(&line, verb);
	note_path(&line, "path", out.path.s);
	note_text(&line, key, "%llu", (unsigned long long)n);
	out.dead |= !note_write(STDERR_FILENO, &line);
}

static void
put_hole(off_t n)
{
	if (n > 0)
		put(&(struct copy_record){ .type = COPY_HOLE, .length = (uint64_t)n });
}

/* Straight to its place behind the head.  How much, 0 at the end of the file, -errno. */
static ssize_t
put_data(int fd, off_t at, off_t most)
{
	uint8_t *head;
	size_t room;
	ssize_t n;

	if (sizeof(out.buf) - out.n < COPY_HEAD + READ_LEAST)
		flush();
	head = out.buf + out.n;
	room = sizeof(out.buf) - out.n - COPY_HEAD;
	if (room > COPY_DATA_MAX)
		room = COPY_DATA_MAX;
	if (most < (off_t)room)
		room = (size_t)most;
	do
		n = pread(fd, head + COPY_HEAD, room, at);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	copy_put_head(head, COPY_DATA, (size_t)n);
	out.n += COPY_HEAD + (size_t)n;
	return n;
}

/* From *at to the end of what lies there together, or of the file: more, 0 at its end, -errno. */
static ssize_t
put_stretch(int fd, off_t *at, bool sparse)
{
	off_t data = sparse ? lseek(fd, *at, SEEK_DATA) : *at, end = INT64_MAX;
	ssize_t n = 1;

	if (data < 0 && errno == ENXIO) { /* nothing but a hole */
		if ((end = lseek(fd, 0, SEEK_END)) > *at) {
			put_hole(end - *at);
			*at = end;
		}
		return 0;
	}
	if (data < 0) /* this file system cannot tell */
		data = *at;
	else if (sparse && (end = lseek(fd, data, SEEK_HOLE)) < 0)
		end = INT64_MAX;
	put_hole(data - *at);
	for (*at = data; n > 0 && *at < end && !out.dead; *at += n > 0 ? n : 0)
		n = put_data(fd, *at, end - *at);
	return n;
}

static void
send_file(int dir, const char *name, const char *as)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	ssize_t more = 1;
	off_t at = 0;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		failed(fd < 0 ? strerror(errno) : "it has just been replaced");
		if (fd >= 0)
			close(fd);
		return;
	}
	note("read", "size", (uint64_t)st.st_size);
	put_entry(COPY_FILE, as, &st, NULL);
	while (more > 0 && !out.dead)
		more = put_stretch(fd, &at, st.st_blocks < st.st_size / 512);
	if (more < 0)
		failed(strerror((int)-more));
	put(&(struct copy_record){ .type = COPY_CLOSE, .flag = more < 0 });
	if (at != st.st_size) /* it was written to meanwhile, or is no file of a disk */
		note("close", "read", (uint64_t)at);
	close(fd);
}

static void
send_link(int dir, const char *name, const char *as, const struct stat *st)
{
	char target[COPY_TARGET_MAX + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));

	if (n <= 0 || (size_t)n == sizeof(target)) {
		failed(n < 0 ? strerror(errno) : "its target is too long");
		return;
	}
	target[n] = '\0';
	put_entry(COPY_LINK, as, st, target);
}

/* ---- directories -------------------------------------------------------- */

static void send_entry(int dir, const char *name, const char *as, unsigned depth);

static void
send_names(DIR *d, unsigned depth)
{
	struct dirent *e;
	size_t n;

	for (errno = 0; !out.dead && (e = readdir(d)) != NULL; errno = 0) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		n = copy_path_push(&out.path, e->d_name);
		send_entry(dirfd(d), e->d_name, e->d_name, depth);
		copy_path_pop(&out.path, n);
	}
	if (errno != 0)
		failed(strerror(errno));
}

static void
send_directory(int dir, const char *name, const char *as, unsigned depth)
{
	struct stat st;
	DIR *d = NULL;
	int fd;

	if (depth == COPY_DEPTH) {
		failed("too many directories in each other");
		return;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || (d = fdopendir(fd)) == NULL) {
		failed(strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	put_entry(COPY_DIR, as, &st, NULL);
	send_names(d, depth + 1);
	put(&(struct copy_record){ .type = COPY_UP });
	closedir(d);
}

static void
send_entry(int dir, const char *name, const char *as, unsigned depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		failed(strerror(errno));
	} else if (S_ISREG(st.st_mode)) {
		send_file(dir, name, as);
	} else if (S_ISDIR(st.st_mode)) {
		send_directory(dir, name, as, depth);
	} else if (S_ISLNK(st.st_mode)) {
		send_link(dir, name, as, &st);
	} else {
		out.failed |= depth == 0; /* nothing else was asked for */
		say("skipped: no file, directory or link");
	}
}

int
copy_out(const char *path)
{
	fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_LEN); /* fewer turns; the kernel may refuse */
	copy_path_set(&out.path, path);
	send_entry(AT_FDCWD, path[0] != '\0' ? path : ".", "", 0);
	put(&(struct copy_record){ .type = COPY_END, .flag = out.failed });
	flush();
	return out.failed || out.dead;
}
