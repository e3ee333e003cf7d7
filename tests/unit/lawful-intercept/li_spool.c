/**
 * @file tests/unit/lawful-intercept/li_spool.c  What goes in comes out in
 * order, also after a crash, until it is confirmed; and nobody reads it.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <re.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "folder.h"
#include "li_spool.h"

static char folder[FOLDER_SIZE], inner[FOLDER_SIZE + 8];
static struct li_secret *secret;
static struct li_spool *spool;
static uint8_t out[70000];


static void opened(uint64_t max)
{
	cr_assert_eq(li_spool_open(&spool, inner, secret, max), 0);
}


static void closed(void)
{
	spool = mem_deref(spool);
}


static void setup(void)
{
	folder_make(folder);
	secret = folder_secret(folder);
	snprintf(inner, sizeof(inner), "%s/spool", folder);
	opened(1 << 20);
}


static void teardown(void)
{
	closed();
	secret = mem_deref(secret);
	folder_remove(folder);
}


static int put(unsigned n, size_t len)
{
	uint8_t pdu[2000];

	memset(pdu, 'A', sizeof(pdu));
	memcpy(pdu, &n, sizeof(n));

	return li_spool_put(spool, pdu, len);
}


static unsigned got(void)
{
	unsigned n;
	size_t len;

	cr_assert_eq(li_spool_get(spool, out, sizeof(out), &len), 0);
	memcpy(&n, out, sizeof(n));

	return n;
}


static void nothing_more(void)
{
	size_t len;

	cr_assert_eq(li_spool_get(spool, out, sizeof(out), &len), ENODATA);
	cr_assert_not(li_spool_has_more(spool));
}


static void confirm(void)
{
	const struct li_place p = li_spool_place(spool);

	li_spool_confirm(spool, &p);
}


static const char *segment(unsigned n)
{
	char name[64];

	snprintf(name, sizeof(name), "spool/%020u.seg", n);

	return folder_file(folder, name);
}


Test(li_spool, in_order_over_many_segments, .init = setup, .fini = teardown)
{
	unsigned i;

	cr_assert_not(li_spool_has_more(spool));
	nothing_more();
	for (i = 0; i < 900; i++)
		cr_assert_eq(put(i, 1000), 0);
	cr_assert(access(segment(3), F_OK) == 0);
	for (i = 0; i < 900; i++)
		cr_assert_eq(got(), i);
	nothing_more();
	confirm();
	cr_assert(li_spool_is_empty(spool));
	cr_assert_eq(li_spool_size(spool), 0);
	for (i = 0; i < 3; i++) {
		cr_assert_eq(put(i, 1000), 0);
		cr_assert_eq(got(), i);
	}
	nothing_more();
}


Test(li_spool, what_is_not_confirmed_comes_again, .init = setup,
     .fini = teardown)
{
	unsigned i;

	for (i = 0; i < 300; i++)
		cr_assert_eq(put(i, 1000), 0);
	for (i = 0; i < 100; i++)
		cr_assert_eq(got(), i);
	confirm();
	for (i = 100; i < 200; i++)
		cr_assert_eq(got(), i);
	li_spool_rewind(spool);
	for (i = 100; i < 300; i++)
		cr_assert_eq(got(), i);
	nothing_more();
}


Test(li_spool, a_restart_goes_on_behind_what_was_confirmed, .init = setup,
     .fini = teardown)
{
	unsigned i, life;

	for (i = 0; i < 300; i++)
		cr_assert_eq(put(i, 1000), 0);
	for (i = 0; i < 150; i++)
		cr_assert_eq(got(), i);
	confirm();
	for (life = 0; life < 3; life++) {
		closed();
		opened(1 << 20);
		cr_assert_eq(put(300 + life, 1000), 0);
		for (i = 150; i < 301 + life; i++)
			cr_assert_eq(got(), i);
		nothing_more();
	}
	confirm();
	cr_assert(li_spool_is_empty(spool));
	closed();
	opened(1 << 20);
	nothing_more();
	cr_assert_eq(put(7, 1000), 0);
	cr_assert_eq(got(), 7);
	cr_assert_eq(li_spool_torn(spool), 0);
}


Test(li_spool, an_earlier_life_that_left_all_is_read_without_a_new_word,
     .init = setup, .fini = teardown)
{
	cr_assert_eq(put(1, 100), 0);
	cr_assert_eq(put(2, 100), 0);
	closed();
	opened(1 << 20);
	cr_assert(li_spool_has_more(spool));
	cr_assert_eq(got(), 1);
	cr_assert_eq(got(), 2);
	nothing_more();
	confirm();
	cr_assert(li_spool_is_empty(spool));
	cr_assert_eq(li_spool_size(spool), 0);
}


Test(li_spool, a_record_cut_off_by_a_crash_costs_itself_alone, .init = setup,
     .fini = teardown)
{
	struct stat st;

	cr_assert_eq(put(1, 500), 0);
	cr_assert_eq(put(2, 500), 0);
	closed();
	cr_assert_eq(stat(segment(1), &st), 0);
	cr_assert_eq(truncate(segment(1), st.st_size - 1), 0);
	opened(1 << 20);
	cr_assert_eq(put(3, 500), 0);
	cr_assert_eq(got(), 1);
	cr_assert_eq(got(), 3);
	nothing_more();
	cr_assert_eq(li_spool_torn(spool), 1);
}


Test(li_spool, a_changed_octet_is_not_delivered, .init = setup,
     .fini = teardown)
{
	uint8_t octet;
	int fd;

	cr_assert_eq(put(1, 500), 0);
	closed();
	fd = open(segment(1), O_RDWR);
	cr_assert_eq(pread(fd, &octet, 1, 100), 1);
	octet ^= 1;
	cr_assert_eq(pwrite(fd, &octet, 1, 100), 1);
	close(fd);
	opened(1 << 20);
	nothing_more();
	cr_assert_eq(li_spool_torn(spool), 1);
}


/* Nine records, and other octets in the segment, from that place on */
static void damaged(const char *octets, size_t n, off_t at)
{
	int fd;

	for (unsigned i = 1; i <= 9; i++)
		cr_assert_eq(put(i, 500), 0);
	closed();
	fd = open(segment(1), O_RDWR);
	cr_assert_eq(pwrite(fd, octets, n, at), (ssize_t)n);
	close(fd);
	opened(1 << 20);
}


Test(li_spool, a_damaged_record_costs_itself_alone, .init = setup,
     .fini = teardown)
{
	unsigned i;

	damaged("damaged", 7, 24 + 3 * 520 + 100);
	for (i = 1; i <= 9; i++)
		if (i != 4)
			cr_assert_eq(got(), i);
	nothing_more();
	cr_assert_eq(li_spool_torn(spool), 1);
	confirm();
	cr_assert(li_spool_is_empty(spool));
}


/* Where the next one begins nobody knows then */
Test(li_spool, a_damaged_length_ends_a_segment, .init = setup,
     .fini = teardown)
{
	unsigned i;

	damaged("\xff\xff", 2, 24 + 3 * 520);
	cr_assert_eq(put(10, 500), 0);
	for (i = 1; i <= 3; i++)
		cr_assert_eq(got(), i);
	cr_assert_eq(got(), 10);
	nothing_more();
	cr_assert_eq(li_spool_torn(spool), 1);
}


Test(li_spool, a_full_one_takes_again_when_a_quarter_is_free, .init = setup,
     .fini = teardown)
{
	unsigned n = 0, read = 0, i;

	while (!put(n, 1000))
		n++;
	cr_assert_gt(n, 900);
	cr_assert_eq(put(n, 1000), ENOSPC);
	while (put(n, 1000) == ENOSPC) {
		cr_assert_lt(read, n);
		cr_assert_eq(got(), read++);
		confirm();
	}
	cr_assert_geq(read, n / 4 - 70, "%u of %u", read, n);
	cr_assert_leq(read, n / 2);
	for (i = read; i <= n; i++)
		cr_assert_eq(got(), i);
	nothing_more();
}


Test(li_spool, nobody_reads_it, .init = setup, .fini = teardown)
{
	static char bytes[1 << 16];
	FILE *f;
	size_t n;

	cr_assert_eq(put(1, 1000), 0);
	cr_assert_eq(li_spool_flush(spool), 0);
	f = fopen(segment(1), "r");
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	cr_assert_eq(n, 24 + 4 + 1000 + 16);
	cr_assert(!memmem(bytes, n, "AAAAAAAA", 8));
}


Test(li_spool, a_small_buffer_takes_nothing_away, .init = setup,
     .fini = teardown)
{
	size_t len;

	cr_assert_eq(put(1, 1000), 0);
	cr_assert_eq(li_spool_get(spool, out, 999, &len), ENOBUFS);
	cr_assert_eq(got(), 1);
}


Test(li_spool, nothing_is_left_of_one_that_is_deleted, .init = setup,
     .fini = teardown)
{
	unsigned i;

	for (i = 0; i < 300; i++)
		cr_assert_eq(put(i, 1000), 0);
	li_spool_delete(spool);
	cr_assert(access(inner, F_OK));
}
