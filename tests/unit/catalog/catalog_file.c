#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include "fixture.h"
#include "text.h"

static struct catalog_store *store, *other;
static struct snapshot_slot *slot;
static char dir[] = "/tmp/catalog.XXXXXX", file[64];


static void setup(void)
{
	store = fixture_world();
	cr_assert_eq(catalog_store_alloc(&other), 0);
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
	cr_assert(mkdtemp(dir));
	(void)text_format(file, sizeof(file), "%s/rows", dir);
	cr_assert_eq(catalog_store_save(store, file), 0);
}


static void teardown(void)
{
	(void)unlink(file);
	(void)rmdir(dir);
	snapshot_slot_free(slot);
	mem_deref(store);
	mem_deref(other);
}

TestSuite(catalog_file, .init = setup, .fini = teardown);


static char *slurp(size_t *ret_len)
{
	static char buf[65536];
	FILE *f = fopen(file, "r");

	cr_assert(f);
	*ret_len = fread(buf, 1, sizeof(buf), f);
	(void)fclose(f);

	return buf;
}


static void spill(const char *buf, size_t len)
{
	FILE *f = fopen(file, "w");

	cr_assert(f);
	cr_assert_eq(fwrite(buf, 1, len, f), len);
	(void)fclose(f);
}


static void expect_world(const struct catalog *c)
{
	const struct trunk *t = catalog_trunk(c, "trk_1");
	struct rate rate;

	cr_assert(t);
	cr_expect_eq(t->number_in.n, 1);
	cr_assert(t->deck);
	cr_expect_eq(deck_count(t->deck), 2);
	cr_assert(deck_find(t->deck, "4915", 1, &rate));
	cr_expect_str_eq(rate.destination, "Land \"x\"");
	cr_expect_eq(rate.to_ms, INT64_MAX);
	cr_expect(catalog_did(c, "+4930111222"));
	cr_expect_eq(fixture_route(c, "+4940", NULL)->target_n, 2);
	cr_expect(catalog_credential(c, "sip.example", "pbx"));
}


Test(catalog_file, nobody_else_reads_it)
{
	struct stat st;

	cr_assert_eq(stat(file, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
}


Test(catalog_file, round_trip)
{
	struct snapshot *snap;
	size_t len, again;

	(void)slurp(&len);
	cr_assert_eq(catalog_store_load(other, file), 0);
	snap = fixture_publish(other, slot);
	expect_world(snapshot_data(snap));
	cr_expect_eq(snapshot_version(snap), fixture_rows());
	snapshot_release(snap);

	/* and out again: nothing was lost */
	cr_assert_eq(catalog_store_save(other, file), 0);
	(void)slurp(&again);
	cr_expect_eq(len, again);
}


Test(catalog_file, load_replaces_what_was_there)
{
	struct snapshot *snap;

	cr_assert_eq(fixture_put(store, "tenant", "ten_9", 900,
				 "{\"status\":\"active\"}"), 0);
	cr_assert_eq(catalog_store_load(store, file), 0);
	snap = fixture_publish(store, slot);
	cr_expect_eq(snapshot_version(snap), fixture_rows());
	snapshot_release(snap);
}


Test(catalog_file, save_leaves_no_other_file)
{
	char next[80];

	(void)text_format(next, sizeof(next), "%s.new", file);
	cr_expect_neq(access(next, F_OK), 0);
}


Test(catalog_file, every_damaged_byte_is_seen)
{
	size_t len, i;
	char *buf = slurp(&len);

	for (i = 0; i < len; i += 7) {
		buf[i] ^= 0x04;
		spill(buf, len);
		buf[i] ^= 0x04;
		cr_expect_eq(catalog_store_load(other, file), EBADMSG,
			     "byte %zu", i);
	}
}


Test(catalog_file, every_cut_is_seen)
{
	struct snapshot *snap;
	size_t len, i;
	char *buf = slurp(&len);

	for (i = 0; i < len; i += 11) {
		spill(buf, i);
		cr_expect_eq(catalog_store_load(store, file), EBADMSG,
			     "cut at %zu", i);
	}

	/* a refused file takes nothing away */
	snap = fixture_publish(store, slot);
	expect_world(snapshot_data(snap));
	snapshot_release(snap);
}


Test(catalog_file, other_format_is_refused)
{
	static const char head[] = "{\"strowger_catalog\":2,\"version\":1,"
				   "\"feed\":\"\"}\n";
	char buf[256];
	int n;

	n = snprintf(buf, sizeof(buf), "%s{\"crc32c\":\"%08x\"}\n", head,
		     crc32c(0, head, strlen(head)));
	spill(buf, (size_t)n);
	cr_expect_eq(catalog_store_load(other, file), EBADMSG);
}


Test(catalog_file, missing)
{
	cr_expect_eq(catalog_store_load(other, "/nonexistent/rows"), ENOENT);
	cr_expect_eq(catalog_store_save(other, "/nonexistent/rows"), ENOENT);
}
