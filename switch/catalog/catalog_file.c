/**
 * @file catalog_file.c  The last good rows on disk, so that a node can start
 * without its database: one JSON value per line, the rates of a deck as arrays
 * behind its row, and a trailer with the CRC-32C of everything before it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "json.h"
#include "catalog_store_data.h"
#include "log.h"
#include "text.h"

#define FORMAT 1

struct writer {
	FILE *f;
	uint32_t crc;
	int err;
};


/** One line; takes the reference of value. */
static void line_write(struct writer *w, json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	if (!text) {
		w->err = ENOMEM;
		return;
	}

	w->crc = crc32c(w->crc, text, strlen(text));
	w->crc = crc32c(w->crc, "\n", 1);
	if (fputs(text, w->f) < 0 || fputc('\n', w->f) < 0)
		w->err = errno;

	free(text);
}


static int rate_write(const struct rate *rate, void *arg)
{
	struct writer *w = arg;

	if (!w->err)
		line_write(w, row_rate_encode(rate));

	return w->err;
}


static bool row_write(void *data, void *arg)
{
	const struct row *row = data;
	struct writer *w = arg;

	line_write(w, json_pack("{sssssIso*}", "kind", row_kind_name(row->kind),
				"id", row->id, "version",
				(json_int_t)row->version, "row",
				json_loads(row->json, 0, NULL)));

	(void)deck_each(row->deck, rate_write, w);

	return w->err != 0;
}


static int trailer_write(struct writer *w)
{
	if (w->err)
		return w->err;

	if (fprintf(w->f, "{\"crc32c\":\"%08x\"}\n", w->crc) < 0 ||
	    fflush(w->f) || fsync(fileno(w->f)))
		return errno;

	return 0;
}


/** The new name is on disk when its directory is. */
static int directory_sync(const char *file)
{
	const char *slash = strrchr(file, '/');
	char dir[4096];
	int fd, err;

	if (!slash)
		err = text_copy(dir, sizeof(dir), ".");
	else
		err = text_set(dir, sizeof(dir), file,
			       slash == file ? 1 : (size_t)(slash - file));
	if (err)
		return err;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;

	err = fsync(fd) ? errno : 0;
	(void)close(fd);

	return err;
}


/* HA1s are in it: for nobody else to read, whatever the umask and the folder.
 * What a crash left of the last one is not written on: its mode may be old. */
static FILE *private_open(const char *file)
{
	FILE *f;
	int fd;

	if (unlink(file) && errno != ENOENT)
		return NULL;

	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;

	f = fdopen(fd, "w");
	if (!f)
		(void)close(fd);

	return f;
}


int catalog_store_save(struct catalog_store *s, const char *file)
{
	struct writer w = {0};
	char next[4096];
	int err;

	if (text_format(next, sizeof(next), "%s.new", file))
		return ENAMETOOLONG;

	err = catalog_store_build_decks(s);
	if (err)
		return err;

	w.f = private_open(next);
	if (!w.f)
		return errno;

	line_write(&w, json_pack("{sisIss}", "strowger_catalog", FORMAT,
				 "version", (json_int_t)s->version, "feed",
				 s->feed));
	(void)htab_each(s->rows, row_write, &w);
	err = trailer_write(&w);

	if (fclose(w.f) && !err)
		err = errno;
	if (!err && rename(next, file))
		err = errno;
	if (err)
		(void)unlink(next);

	return err ? err : directory_sync(file);
}


/* --- reading */

/** The trailer must be the last line and fit what came before it. */
static int file_verify(FILE *f)
{
	uint32_t crc = 0, before = 0;
	char *line = NULL, wanted[32];
	size_t size = 0;
	ssize_t n;
	int err = EBADMSG;

	wanted[0] = '\0';
	while ((n = getline(&line, &size, f)) > 0) {
		before = crc;
		crc = crc32c(crc, line, (size_t)n);
	}

	if (line && size)
		(void)text_format(wanted, sizeof(wanted),
				  "{\"crc32c\":\"%08x\"}\n", before);
	if (wanted[0] && !strcmp(line, wanted))
		err = 0;

	free(line);

	return err;
}


static int head_read(struct catalog_store *s, const json_t *head)
{
	const json_t *format = json_object_get(head, "strowger_catalog");
	const char *feed = json_string_value(json_object_get(head, "feed"));
	json_int_t version = json_integer_value(json_object_get(head,
								"version"));

	if (json_integer_value(format) != FORMAT || !feed || version < 0 ||
	    text_copy(s->feed, sizeof(s->feed), feed))
		return EBADMSG;

	s->version = (uint64_t)version;

	return 0;
}


/** A row this version does not accept is left out: an older node may read
 *  what a newer one has written. */
static int row_read(struct catalog_store *s, const json_t *line,
		    char deck_id[REALM_SIZE])
{
	const char *kind = json_string_value(json_object_get(line, "kind"));
	const char *id = json_string_value(json_object_get(line, "id"));
	json_int_t version = json_integer_value(json_object_get(line,
								"version"));
	char why[128] = "";
	int err;

	deck_id[0] = '\0';
	if (!kind || !id || version < 0)
		return EBADMSG;

	err = catalog_store_put(s, kind, id, (uint64_t)version,
				json_object_get(line, "row"), why,
				sizeof(why));
	if (err == EINVAL)
		catalog_row_skipped(kind, id, why);
	else if (!err)
		(void)text_copy(deck_id, REALM_SIZE, id);

	return err == EINVAL ? 0 : err;
}


static int rate_read(struct catalog_store *s, const json_t *line,
		     const char *deck_id)
{
	struct rate rate;
	int err;

	if (!deck_id[0])
		return 0;

	err = row_rate_decode(&rate, line);
	if (!err)
		err = catalog_store_put_rate(s, deck_id, &rate);
	if (err == ENOMEM)
		return err;
	if (err)
		catalog_row_skipped("rate", deck_id, "not a rate");

	return 0;
}


static int line_read(struct catalog_store *s, const json_t *line,
		     char deck_id[REALM_SIZE])
{
	if (json_is_array(line))
		return rate_read(s, line, deck_id);
	if (json_object_get(line, "crc32c"))
		return 0;

	return row_read(s, line, deck_id);
}


static int rows_read(struct catalog_store *s, FILE *f)
{
	char *line = NULL, deck_id[REALM_SIZE] = "";
	size_t size = 0;
	json_t *json;
	bool is_head = true;
	int err = 0;

	while (!err && getline(&line, &size, f) > 0) {
		json = json_loads(line, 0, NULL);
		if (!json)
			err = EBADMSG;
		else if (is_head)
			err = head_read(s, json);
		else
			err = line_read(s, json, deck_id);

		is_head = false;
		json_decref(json);
	}

	free(line);

	return err;
}


int catalog_store_load(struct catalog_store *s, const char *file)
{
	FILE *f;
	int err;

	f = fopen(file, "re");
	if (!f)
		return errno;

	err = file_verify(f);
	if (err)
		goto out;

	rewind(f);
	catalog_store_clear(s);
	err = rows_read(s, f);
	if (err)
		catalog_store_clear(s);

 out:
	(void)fclose(f);
	return err;
}
