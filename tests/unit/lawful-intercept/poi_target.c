/**
 * @file tests/unit/lawful-intercept/poi_target.c  All forms of one number are
 * one identity, other numbers are not; digests are HMAC-SHA-256.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "poi_target.h"
#include "text.h"

static const struct poi_numbering germany = {"49", "00", "0"};
static const struct poi_numbering america = {"1", "011", "1"};


static const char *number(const char *text, const struct poi_numbering *plan)
{
	static char id[POI_IDENTITY_SIZE];

	return poi_identity_number(id, text, strlen(text), plan) ? "refused"
								 : id;
}


static const char *uri(const char *text, const struct poi_numbering *plan)
{
	static char id[POI_IDENTITY_SIZE];

	return poi_identity_uri(id, text, strlen(text), plan) ? "refused" : id;
}


Test(poi_target, all_forms_of_a_number_are_one)
{
	static const char *const forms[] = {
		"+49301234567", "+49 30 1234567", "+49(30)123-45.67",
		"0049301234567", "0301234567", "(030) 123 4567",
		"49301234567",
	};
	static const char *const uris[] = {
		"tel:+49301234567", "TEL:+49-30-1234567",
		"tel:0301234567", "tel:0301234567;phone-context=+49",
		"tel:301234567;phone-context=+49",
		"tel:+49301234567;ext=5",
		"sip:+49301234567@10.0.0.1", "sips:+49301234567@pbx.example",
		"sip:+49301234567:secret@pbx.example:5061;transport=tcp",
		"sip:0301234567@pbx.example;user=phone",
		"sip:0049301234567@pbx.example;USER=Phone;lr",
		"sip:%2B49301234567@pbx.example",
		"sip:+49301234567;npdi;rn=+4930@pbx.example",
	};
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		cr_assert_str_eq(number(forms[i], &germany),
				 "tel:49301234567", "%s", forms[i]);
	for (i = 0; i < sizeof(uris) / sizeof(*uris); i++)
		cr_assert_str_eq(uri(uris[i], &germany), "tel:49301234567",
				 "%s", uris[i]);
}


Test(poi_target, a_number_in_one_plan_is_another_in_another)
{
	cr_assert_str_eq(number("0114930123", &germany), "tel:49114930123");
	cr_assert_str_eq(number("0114930123", &america), "tel:4930123");
	cr_assert_str_eq(number("12125550100", &america), "tel:12125550100");
	cr_assert_str_eq(number("030123", NULL), "tel:030123");
	/* beyond the country whose plan it is, "0" is no prefix */
	cr_assert_str_eq(uri("tel:0301234;phone-context=+39", &germany),
			 "tel:390301234");
}


Test(poi_target, what_is_no_number_is_refused)
{
	cr_assert_str_eq(number("", NULL), "refused");
	cr_assert_str_eq(number("+", NULL), "refused");
	cr_assert_str_eq(number("00", &germany), "refused");
	cr_assert_str_eq(number("alice", NULL), "refused");
	cr_assert_str_eq(number("+49a30", NULL), "refused");
	cr_assert_str_eq(number("*21#", NULL), "refused");
	cr_assert_str_eq(number("1234567890123456", NULL), "refused");
	cr_assert_str_eq(number("123456789012345", NULL),
			 "tel:123456789012345");
	cr_assert_str_eq(uri("tel:123;phone-context=example.com", &germany),
			 "refused");
	cr_assert_str_eq(uri("tel:123;phone-context=+4930", &germany),
			 "refused");
	cr_assert_str_eq(uri("mailto:a@b", NULL), "refused");
	cr_assert_str_eq(uri("sip:example.com", NULL), "refused");
	cr_assert_str_eq(uri("sip:@example.com", NULL), "refused");
	cr_assert_str_eq(uri("sip:a%4@example.com", NULL), "refused");
	cr_assert_str_eq(uri("sip:a%00b@example.com", NULL), "refused");
	cr_assert_str_eq(uri("sip:a@exa mple.com", NULL), "refused");
	cr_assert_str_eq(uri("sip:a@", NULL), "refused");
	cr_assert_str_eq(uri("sip:", NULL), "refused");
}


Test(poi_target, people_at_a_host_are_not_numbers)
{
	cr_assert_str_eq(uri("sip:Alice@Example.COM:5070;lr?Subject=a",
			     &germany), "sip:Alice@example.com");
	cr_assert_str_eq(uri("sip:%61lice@example.com", NULL),
			 "sip:alice@example.com");
	cr_assert_str_eq(uri("sip:a@[2001:DB8::1]:5060", NULL),
			 "sip:a@[2001:db8::1]");
	/* a user part of digits is a name of that host: another host may
	 * give it to somebody else */
	cr_assert_str_eq(uri("sip:0301234567@a.example", &germany),
			 "sip:0301234567@a.example");
	cr_assert_str_eq(uri("sip:+alice@a.example", &germany),
			 "sip:+alice@a.example");
}


Test(poi_target, what_does_not_fit_is_refused_not_cut)
{
	char text[600] = "sip:";

	memset(text + 4, 'a', 200);
	strcpy(text + 204, "@example.com");
	cr_assert_str_eq(uri(text, NULL), "refused");

	strcpy(text, "sip:a@");
	memset(text + 6, 'b', 200);
	text[206] = '\0';
	cr_assert_str_eq(uri(text, NULL), "refused");

	strcpy(text, "sip:");
	memset(text + 4, 'a', 127);
	text[131] = '@';
	memset(text + 132, 'b', 127);
	text[259] = '\0';
	cr_assert_eq(strlen(uri(text, NULL)), 259);
}


/* RFC 4231 4.2 and 4.3 have shorter keys, which HMAC fills with zeros */
Test(poi_target, digests_are_hmac_sha_256)
{
	uint8_t bytes[POI_KEY_SIZE], want[POI_DIGEST_SIZE], got[16];
	struct poi_key key;

	memset(bytes, 0, sizeof(bytes));
	memset(bytes, 0x0b, 20);
	poi_key_init(&key, bytes);
	poi_digest(got, &key, "Hi There");
	cr_assert_eq(text_unhex(want, 16, "b0344c61d8db38535ca8afceaf0bf12b"),
		     0);
	cr_assert_arr_eq(got, want, 16);

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, "Jefe", 4);
	poi_key_init(&key, bytes);
	poi_digest(got, &key, "what do ya want for nothing?");
	cr_assert_eq(text_unhex(want, 16, "5bdcc146bf60754e6a042426089575c7"),
		     0);
	cr_assert_arr_eq(got, want, 16);

	/* another key, another digest; the key is used any number of times */
	bytes[31] = 1;
	poi_key_init(&key, bytes);
	poi_digest(got, &key, "what do ya want for nothing?");
	cr_assert_neq(memcmp(got, want, 16), 0);
}
