/** @file webhook_secret.c  Secrets of webhooks. */
#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rng.h"
#include "webhook_secret.h"


/* The example of the Standard Webhooks specification's libraries. */
Test(webhook_secret, signs_as_the_specification_does)
{
	char text[WEBHOOK_SIGNATURE_SIZE];

	cr_assert_eq(webhook_sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
				  "msg_p5jXN8AQM9LWM0D4loKWxJek",
				  "1614265330",
				  "{\"test\": 2432232314}", text), 0);
	cr_expect_str_eq(text,
			 "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	cr_expect_eq(webhook_sign("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "m",
				  "1", "", text), EBADMSG);
	cr_expect_eq(webhook_sign("whsec_", "m", "1", "", text), EBADMSG);
	cr_expect_eq(webhook_sign("whsec_abc", "m", "1", "", text), EBADMSG);
	cr_expect_eq(webhook_sign("whsec_!!!!", "m", "1", "", text), EBADMSG);
}


Test(webhook_secret, what_is_sealed_comes_back_with_its_key_only)
{
	uint8_t key[WEBHOOK_KEY_SIZE] = {1}, other[WEBHOOK_KEY_SIZE] = {2};
	char secret[WEBHOOK_SECRET_SIZE], back[WEBHOOK_SECRET_SIZE];
	char box[WEBHOOK_BOX_SIZE], again[WEBHOOK_BOX_SIZE];
	struct rng *rng = NULL;

	cr_assert_eq(rng_seeded(&rng, 7), 0);
	webhook_secret_make(rng, secret);
	cr_expect_eq(strlen(secret), 50);
	cr_expect_eq(strncmp(secret, "whsec_", 6), 0);
	cr_assert_eq(webhook_secret_seal(key, rng, secret, box), 0);
	cr_assert_eq(webhook_secret_seal(key, rng, secret, again), 0);
	cr_expect_str_neq(box, again, "a nonce of its own");
	cr_expect_eq(strncmp(box, "\\x", 2), 0);
	cr_assert_eq(webhook_secret_open(key, box, back), 0);
	cr_expect_str_eq(back, secret);

	cr_expect_eq(webhook_secret_open(other, box, back), EBADMSG);
	cr_expect_str_eq(back, "");
	box[60] = box[60] == '0' ? '1' : '0';
	cr_expect_eq(webhook_secret_open(key, box, back), EBADMSG);
	cr_expect_eq(webhook_secret_open(key, "\\x00", back), EBADMSG);
	cr_expect_eq(webhook_secret_open(key, "", back), EBADMSG);
	cr_expect_eq(webhook_secret_open(key, NULL, back), EBADMSG);
	mem_deref(rng);
}


Test(webhook_secret, the_key_is_made_once)
{
	uint8_t one[WEBHOOK_KEY_SIZE], two[WEBHOOK_KEY_SIZE];
	char dir[] = "/tmp/webhook-XXXXXX", file[64];
	struct stat st;
	FILE *f;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/key", dir);
	cr_assert_eq(webhook_key_load(one, file), 0);
	cr_assert_eq(webhook_key_load(two, file), 0);
	cr_expect_eq(memcmp(one, two, sizeof(one)), 0);
	cr_assert_eq(stat(file, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0400);

	unlink(file);
	f = fopen(file, "w");
	fputs("secret\n", f);
	fclose(f);
	cr_assert_eq(chmod(file, 0640), 0);
	cr_expect_eq(webhook_key_load(two, file), EBADMSG);
	cr_expect_eq(webhook_key_load(two, "/nonexistent/key"), ENOENT);
	unlink(file);
	cr_expect_eq(rmdir(dir), 0, "nothing else is left");
}
