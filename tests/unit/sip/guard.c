/**
 * @file guard.c  Each verdict, and what must pass.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "guard.h"

#define HEAD                                                                 \
	"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc\r\n"              \
	"From: <sip:a@example.com>;tag=1\r\n"                                \
	"To: <sip:b@example.com>\r\n"                                        \
	"Call-ID: c1\r\n"

#define OPTIONS "OPTIONS sip:b@example.com SIP/2.0\r\n"


static enum guard_verdict check(const char *text, size_t *ret_len)
{
	size_t len;

	return guard_check((const uint8_t *)text, strlen(text),
			   ret_len ? ret_len : &len);
}


static void expect(enum guard_verdict want, const char *text)
{
	const enum guard_verdict got = check(text, NULL);

	cr_expect_eq(got, want, "%s, not %s, for:\n%s", guard_name(got),
		     guard_name(want), text);
}


Test(guard, accepts_request_and_response)
{
	expect(GUARD_OK, OPTIONS HEAD "CSeq: 1 OPTIONS\r\n\r\n");
	expect(GUARD_OK, "SIP/2.0 200 OK\r\n" HEAD "CSeq: 1 INVITE\r\n\r\n");
	expect(GUARD_OK, "SIP/2.0 200 \r\n" HEAD "CSeq: 1 INVITE\r\n\r\n");
}


Test(guard, accepts_compact_and_folded_forms)
{
	expect(GUARD_OK, "INVITE sip:b@x.example SIP/2.0\r\n"
			 "v:  SIP / 2.0 /UDP 192.0.2.1 ;\r\n"
			 "  Branch = z9hG4bK.x ,SIP/2.0/TCP h;branch=y\r\n"
			 "F: sip:a@x.example\r\nt:\r\n sip:b@x.example\r\n"
			 "I : c1\r\nCSEQ: 0009\r\n  INVITE\r\nl: 0\r\n\r\n");
}


Test(guard, trims_to_content_length)
{
	const char *const text = OPTIONS HEAD "CSeq: 1 OPTIONS\r\n"
				 "Content-Length: 3\r\n\r\nabcdef";
	size_t len = 0;

	cr_assert_eq(check(text, &len), GUARD_OK);
	cr_assert_eq(len, strlen(text) - 3);
}


Test(guard, without_content_length_all_bytes_are_body)
{
	const char *const text = OPTIONS HEAD "CSeq: 1 OPTIONS\r\n\r\nabcdef";
	size_t len = 0;

	cr_assert_eq(check(text, &len), GUARD_OK);
	cr_assert_eq(len, strlen(text));
}


Test(guard, refuses_bad_content_length)
{
	static const char *const values[] = {"7", "-1", "x", "", "1 1",
					     "4294967296", "99999999999"};
	char text[1024];
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		(void)snprintf(text, sizeof(text), "%sContent-Length: %s"
			       "\r\n\r\nabcdef", OPTIONS HEAD
			       "CSeq: 1 OPTIONS\r\n", values[i]);
		expect(GUARD_CONTENT_LENGTH, text);
	}
}


Test(guard, keepalive)
{
	const uint8_t zeros[4] = {0};
	size_t len;

	expect(GUARD_KEEPALIVE, "");
	expect(GUARD_KEEPALIVE, "\r\n\r\n");
	expect(GUARD_KEEPALIVE, "  \r\n");
	cr_assert_eq(guard_check(zeros, sizeof(zeros), &len),
		     GUARD_KEEPALIVE);
}


Test(guard, size)
{
	static uint8_t big[65536];
	size_t len;

	memset(big, 'a', sizeof(big));
	expect(GUARD_TOO_SHORT, "BYE sip:x SIP/2.0\r\n");
	cr_assert_eq(guard_check(big, sizeof(big), &len), GUARD_TOO_LONG);
	cr_assert_eq(guard_check(big, sizeof(big) - 1, &len), GUARD_NO_END);
}


Test(guard, nul_in_head)
{
	char text[] = OPTIONS HEAD "CSeq: 1 OPTIONS\r\nSubject: a?b\r\n\r\n";
	size_t len;

	*strchr(text, '?') = '\0';
	cr_assert_eq(guard_check((uint8_t *)text, sizeof(text) - 1, &len),
		     GUARD_NUL);
}


Test(guard, start_line)
{
	static const char *const lines[] = {
		"OPTIONS sip:b@x.example SIP/3.0", "OPTIONS  SIP/2.0",
		"OPTIONS sip:b c@x.example SIP/2.0", "SIP/2.0 20 OK",
		"OPTIONS sip:b@x.example", "SIP/2.0 099 OK",
		"SIP/2.0 700 OK", "SIP/2.0 200 SIP/2.0", "SIP/2.0 200",
		"SIP/1.0 200 OK", "OPT(IONS sip:b@x.example SIP/2.0",
		"OPTIONS sip:b@x.example  SIP/2.0", " OPTIONS sip:b SIP/2.0",
	};
	char text[1024];
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s\r\n%s", lines[i],
			       HEAD "CSeq: 1 OPTIONS\r\n\r\n");
		expect(GUARD_START_LINE, text);
	}
}


Test(guard, header_line)
{
	expect(GUARD_HEADER_LINE, OPTIONS HEAD "CSeq: 1 OPTIONS\r\n"
				  "no colon\r\n\r\n");
	expect(GUARD_HEADER_LINE, OPTIONS HEAD "CSeq: 1 OPTIONS\r\n"
				  ": empty\r\n\r\n");
	expect(GUARD_HEADER_LINE, OPTIONS HEAD "CSeq: 1 OPTIONS\n"
				  "Subject: bare LF\r\n\r\n");
	expect(GUARD_HEADER_LINE, OPTIONS HEAD "CSeq: 1 OPTIONS\r\n"
				  "Subject: bare\rCR\r\n\r\n");
	expect(GUARD_HEADER_LINE, OPTIONS HEAD "CSeq: 1 OPTIONS\r\n"
				  "Sub ject: blank\r\n\r\n");
}


Test(guard, long_line)
{
	static char text[16384], filler[8200];

	memset(filler, 'x', sizeof(filler) - 1);
	(void)snprintf(text, sizeof(text), "%sSubject: %s\r\n\r\n",
		       OPTIONS HEAD "CSeq: 1 OPTIONS\r\n", filler);
	expect(GUARD_HEADER_LINE, text);
}


Test(guard, header_count)
{
	char text[4096] = OPTIONS HEAD "CSeq: 1 OPTIONS\r\n";
	int i;

	for (i = 5; i < 128; i++)
		strcat(text, "X-Y: z\r\n");
	strcat(text, "\r\n");
	expect(GUARD_OK, text);

	strcpy(text + strlen(text) - 2, "X-Y: z\r\n\r\n");
	expect(GUARD_TOO_MANY_HEADERS, text);
}


/** libre needs 150 ms for 8000 blanks before a "<", 7 ms for 56 KB commas. */
Test(guard, what_is_expensive_to_decode)
{
	char text[4096], run[600];

	(void)snprintf(text, sizeof(text), "%sSubject: a%64sb\r\n\r\n",
		       OPTIONS HEAD "CSeq: 1 OPTIONS\r\n", "");
	expect(GUARD_OK, text);
	(void)snprintf(text, sizeof(text), "%sSubject: a%65sb\r\n\r\n",
		       OPTIONS HEAD "CSeq: 1 OPTIONS\r\n", "");
	expect(GUARD_HEADER_LINE, text);

	memset(run, ',', sizeof(run));
	run[512] = '\0';
	(void)snprintf(text, sizeof(text), "%sAllow: %s\r\n\r\n",
		       OPTIONS HEAD "CSeq: 1 OPTIONS\r\n", run);
	expect(GUARD_OK, text);
	(void)snprintf(text, sizeof(text), "%sAllow: ,%s\r\n\r\n",
		       OPTIONS HEAD "CSeq: 1 OPTIONS\r\n", run);
	expect(GUARD_TOO_MANY_HEADERS, text);
}


/** Drop or double each header of a good message in turn. */
Test(guard, mandatory_once)
{
	static const char *const lines[] = {
		"Via: SIP/2.0/UDP h;branch=z9hG4bKa\r\n", "From: sip:a@x\r\n",
		"To: sip:b@x\r\n", "Call-ID: c\r\n", "CSeq: 1 OPTIONS\r\n"};
	static const char *const twins[] = {
		"v: SIP/2.0/UDP h\r\n", "f: sip:c@x\r\n", "t: sip:c@x\r\n",
		"i: d\r\n", "cseq: 2 OPTIONS\r\n"};
	char without[512], doubled[512];
	size_t i, k;

	for (i = 0; i < 5; i++) {
		strcpy(without, OPTIONS);
		strcpy(doubled, OPTIONS);
		for (k = 0; k < 5; k++) {
			strcat(doubled, lines[k]);
			if (k != i)
				strcat(without, lines[k]);
		}
		strcat(without, "\r\n");
		strcat(doubled, twins[i]);
		strcat(doubled, "\r\n");
		expect(GUARD_MISSING, without);
		expect(i == 0 ? GUARD_OK : GUARD_REPEATED, doubled);
	}
}


Test(guard, optional_once)
{
	expect(GUARD_REPEATED, OPTIONS HEAD "CSeq: 1 OPTIONS\r\n"
	       "Max-Forwards: 70\r\nmax-forwards: 0\r\n\r\n");
	expect(GUARD_REPEATED, OPTIONS HEAD "CSeq: 1 OPTIONS\r\n"
	       "Content-Length: 0\r\nl: 0\r\n\r\n");
	expect(GUARD_REPEATED, OPTIONS HEAD "CSeq: 1 OPTIONS\r\n"
	       "c: application/sdp\r\nContent-Type: text/plain\r\n\r\n");
	expect(GUARD_MISSING, OPTIONS "Via: SIP/2.0/UDP h;branch=z9hG4bKa\r\n"
	       "From: \r\nTo: sip:b@x\r\nCall-ID: c\r\n"
	       "CSeq: 1 OPTIONS\r\n\r\n");
}


Test(guard, branch)
{
	static const char *const vias[] = {
		"SIP/2.0/UDP h", "SIP/2.0/UDP h;branch=390skdjuw",
		"SIP/2.0/UDP h;branch=z9hG4bK", "SIP/2.0/UDP h;branch=",
		"SIP/2.0/UDP h;x=\";branch=z9hG4bKa\"",
		"SIP/2.0/UDP h;branch=z9hG4bKa\"b",
		"SIP/2.0/UDP h;branch=z9hG4bKa b",
		"SIP/2.0/UDP h;xbranch=z9hG4bKa",
		"SIP/2.0/UDP h\"x;received=y\";branch=z9hG4bKa",
		"SIP/2.0/UDP h, SIP/2.0/UDP g;branch=z9hG4bKa",
	};
	char text[1024];
	size_t i;

	for (i = 0; i < sizeof(vias) / sizeof(vias[0]); i++) {
		(void)snprintf(text, sizeof(text), OPTIONS "Via: %s\r\n"
			       "From: sip:a@x\r\nTo: sip:b@x\r\nCall-ID: c\r\n"
			       "CSeq: 1 OPTIONS\r\n\r\n", vias[i]);
		expect(GUARD_NO_BRANCH, text);
	}
}


Test(guard, cseq)
{
	static const char *const values[] = {
		"2147483648 OPTIONS", "4294967297 OPTIONS", "1 INVITE",
		"1", "OPTIONS", "-1 OPTIONS", "1 OPTIONS x", "1 options",
		"99999999999999999999 OPTIONS",
	};
	char text[1024];
	size_t i;

	expect(GUARD_OK, OPTIONS HEAD "CSeq: 2147483647 OPTIONS\r\n\r\n");

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		(void)snprintf(text, sizeof(text), "%sCSeq: %s\r\n\r\n",
			       OPTIONS HEAD, values[i]);
		expect(GUARD_CSEQ, text);
	}
}


Test(guard, every_verdict_has_a_name)
{
	int i, k;

	for (i = 0; i < GUARD_N; i++) {
		for (k = 0; k < i; k++)
			cr_assert_str_neq(guard_name((enum guard_verdict)i),
					  guard_name((enum guard_verdict)k));
	}
}
