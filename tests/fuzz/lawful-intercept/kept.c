/**
 * @file kept.c  The store of fuzz targets.
 */
#include "kept.h"
#include "key_file.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/dev/shm/strowger-fuzz-XXXXXX";


void must(bool is_true)
{
	if (!is_true)
		abort();
}


static const char *file(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);

	return path;
}


static void gone(void)
{
	unlink(file("key"));
	unlink(file("li.db"));
	unlink(file("li.db-wal"));
	unlink(file("li.db-shm"));
	unlink(file("made"));
	rmdir(folder);
}


static void changed(void *arg)
{
	(void)arg;
}


struct li_registry *kept_registry(const struct poi_numbering *numbering)
{
	static struct li_registry *registry;
	struct li_secret *secret;
	struct li_store *store;
	struct li_audit *audit;
	bool is_lost;

	if (registry)
		return registry;
	must(mkdtemp(folder));
	atexit(gone);
	must(!key_file_make(file("key")) &&
	     !li_secret_load(&secret, file("key")));
	must(!li_store_open(&store, folder, secret, &is_lost));
	must(!li_audit_open(&audit, store, secret));
	must(!li_registry_alloc(&registry, store, audit, numbering, changed,
				NULL));

	return registry;
}
