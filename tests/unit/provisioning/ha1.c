/* HA1: the vectors of RFC 7616 3.9.1 (user Mufasa). */
#include "json.h"
#include <criterion/criterion.h>
#include "ha1.h"

static const struct field fields[] = {HA1_FIELDS};
static const struct field_set set = FIELD_SET(fields);


static struct record *hashed(const char *algorithms)
{
	struct problem problem = {0};
	json_t *body = json_object();
	struct record *rec = NULL;

	cr_assert_eq(record_decode(&rec, &set, body, "", &problem), 0);
	json_decref(body);
	cr_assert_eq(ha1_put(rec, "Mufasa", "http-auth@example.org",
			     "Circle of Life", algorithms), 0);
	return rec;
}


Test(ha1, each_algorithm)
{
	struct record *rec = hashed("SHA-256 MD5 SHA-512-256");

	cr_assert_str_eq(record_text(rec, "ha1_md5"),
			 "3d78807defe7de2157e2b0b6573a855f");
	cr_assert_str_eq(record_text(rec, "ha1_sha256"),
			 "7987c64c30e25f1b74be53f966b49b90"
			 "f2808aa92faf9a00262392d7b4794232");
	cr_assert_eq(strlen(record_text(rec, "ha1_sha512_256")), 64);
	mem_deref(rec);
}


Test(ha1, only_what_is_wanted)
{
	struct record *rec = hashed("SHA-512-256");

	cr_assert_null(record_text(rec, "ha1_md5"));
	cr_assert_null(record_text(rec, "ha1_sha256"));
	cr_assert_eq(rec->v[0].state, VALUE_NULL,
		     "an older hash is taken away");
	mem_deref(rec);
}
