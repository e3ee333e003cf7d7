/**
 * @file gate.c  Tests: the table cell by cell, digest at the door, silence
 * for guessers and nobody else.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "fake_catalog.h"
#include "gate.h"
#include "text.h"

#define REALM "voip.example.com"
#define TRUNK_IP "192.0.2.10"
#define GATEWAY_IP "198.51.100.10"
#define SECOND INT64_C(1000000)

static const uint8_t secret[32] = "a secret that the nodes share..";

struct door {
	struct catalog *cat;
	struct digest_server *d;
	struct gate *g;
	struct rng *rng;
	struct credential user;   /**< what the client believes           */
	struct sip_path path;
	struct moment now;
};


static void door_open(struct door *o)
{
	struct trunk *by_address, *by_digest;

	memset(o, 0, sizeof(*o));
	o->cat = fake_catalog();
	fake_realm(o->cat, REALM, HA1_MD5, HA1_N, HA1_N);
	by_address = fake_trunk(o->cat, "trk_address");
	by_digest = fake_trunk(o->cat, "trk_digest");
	fake_peer(o->cat, TRUNK_IP, by_address, NULL);
	fake_peer(o->cat, GATEWAY_IP, NULL,
		  fake_gateway(o->cat, "gw_1", GATEWAY_IP, 5060));
	o->user = *fake_credential(o->cat, REALM, "pbx", "s3cret", by_digest);

	o->now.wall_us = INT64_C(1800000000) * SECOND;
	o->now.mono_us = 1000 * SECOND;
	o->path.peer = fake_sa("203.0.113.5", 5060);
	cr_assert_eq(rng_seeded(&o->rng, 7), 0);
	cr_assert_eq(digest_server_alloc(&o->d, secret, 300, 100), 0);
	cr_assert_eq(gate_alloc(&o->g, o->d, 10, 100), 0);
}


static void door_close(struct door *o)
{
	mem_deref(o->g);
	mem_deref(o->d);
	mem_deref(o->cat);
	mem_deref(o->rng);
}


static void door_from(struct door *o, const char *ip, uint16_t port)
{
	o->path.peer = fake_sa(ip, port);
}


static void door_wait(struct door *o, int64_t seconds)
{
	o->now.wall_us += seconds * SECOND;
	o->now.mono_us += (uint64_t)(seconds * SECOND);
}


static struct gate_verdict decide(struct door *o, const char *method,
				  const char *host, const char *extra)
{
	struct gate_verdict v;
	struct sip_msg *msg;

	msg = fake_message("%s sip:+4930123@%s SIP/2.0\n"
			   "Via: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bK1\n"
			   "To: <sip:+4930123@%s>\n"
			   "From: <sip:pbx@%s>;tag=1\n"
			   "CSeq: 1 %s\n%s\n",
			   method, host, host, host, method, extra);
	v = gate_decide(o->g, &o->now, o->cat, msg, &o->path);
	mem_deref(msg);

	return v;
}


static enum gate_action act(struct door *o, const char *method)
{
	return decide(o, method, REALM, "").action;
}


/* Ask, be challenged, answer with what the client believes. */
static struct gate_verdict answer(struct door *o, const char *method)
{
	struct mbuf *mb = mbuf_alloc(512);
	struct gate_verdict v;
	struct sip_msg *chall;
	char line[1024];

	v.realm = catalog_realm(o->cat, REALM);
	cr_assert_eq(digest_challenge(mb, o->d, &o->now, v.realm, false,
				      &o->path.peer, false), 0);
	chall = fake_message("SIP/2.0 401 No\n%b\n", mb->buf, mb->end);
	mbuf_rewind(mb);
	cr_assert_eq(digest_answer(mb, chall, &o->user, method,
				   "sip:+4930123@" REALM, o->rng, false), 0);
	re_snprintf(line, sizeof(line), "%b", mb->buf, mb->end);
	v = decide(o, method, REALM, line);
	mem_deref(chall);
	mem_deref(mb);

	return v;
}


static struct gate_verdict guess(struct door *o, const char *password)
{
	struct credential right = o->user;
	struct gate_verdict v;

	fake_ha1(&o->user, password);
	v = answer(o, "REGISTER");
	o->user = right;

	return v;
}


Test(gate, unknown_source)
{
	static const char *const silent[] = {
		"OPTIONS", "ACK", "CANCEL", "BYE", "PRACK", "UPDATE", "INFO",
		"SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH", "REFER", "invite",
		"NONSENSE",
	};
	struct door o;
	size_t i;

	door_open(&o);
	for (i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		cr_expect_eq(act(&o, silent[i]), GATE_SILENT, "%s", silent[i]);

	cr_expect_eq(act(&o, "INVITE"), GATE_CHALLENGE);
	cr_expect_eq(act(&o, "REGISTER"), GATE_CHALLENGE);
	door_close(&o);
}


static void expect_known(struct door *o, bool is_gateway)
{
	static const char *const stray[] = {"CANCEL", "BYE", "PRACK"};
	static const char *const other[] = {"SUBSCRIBE", "MESSAGE", "REFER",
					    "PUBLISH", "NONSENSE"};
	struct gate_verdict v;
	size_t i;

	v = decide(o, "INVITE", "192.0.2.99", "");
	cr_expect_eq(v.action, GATE_PASS);
	cr_expect_eq(v.gateway != NULL, is_gateway);
	cr_expect_eq(v.trunk != NULL, !is_gateway);
	cr_expect_eq(act(o, "OPTIONS"), GATE_PASS);
	cr_expect_eq(act(o, "ACK"), GATE_SILENT);

	v = decide(o, "REGISTER", REALM, "");
	cr_expect_eq(v.action, GATE_CHALLENGE);
	cr_expect_null(v.trunk);
	cr_expect_null(v.gateway);

	for (i = 0; i < sizeof(stray) / sizeof(stray[0]); i++)
		cr_expect_eq(decide(o, stray[i], REALM, "").scode, 481);
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		cr_expect_eq(decide(o, other[i], REALM, "").scode, 405);
}


Test(gate, trunk_address)
{
	struct door o;

	door_open(&o);
	door_from(&o, TRUNK_IP, 5062);
	expect_known(&o, false);
	door_close(&o);
}


Test(gate, gateway_address)
{
	struct door o;

	door_open(&o);
	door_from(&o, GATEWAY_IP, 5060);
	expect_known(&o, true);
	door_close(&o);
}


Test(gate, request_of_a_dialog_that_is_not_here)
{
	struct gate_verdict v;
	struct sip_msg *msg;
	struct door o;

	door_open(&o);
	msg = fake_message("INVITE sip:a@" REALM " SIP/2.0\n"
			   "To: <sip:a@" REALM ">;tag=gone\n"
			   "CSeq: 2 INVITE\n\n");
	v = gate_decide(o.g, &o.now, o.cat, msg, &o.path);
	cr_expect_eq(v.action, GATE_SILENT);
	door_from(&o, TRUNK_IP, 5060);
	v = gate_decide(o.g, &o.now, o.cat, msg, &o.path);
	cr_expect_eq(v.action, GATE_REFUSE);
	cr_expect_eq(v.scode, 481);
	mem_deref(msg);
	door_close(&o);
}


Test(gate, digest_opens_and_names_the_trunk)
{
	struct gate_verdict v;
	struct door o;

	door_open(&o);
	v = answer(&o, "INVITE");
	cr_expect_eq(v.action, GATE_PASS);
	cr_assert(v.trunk && v.credential);
	cr_expect_str_eq(v.trunk->id, "trk_digest");
	cr_expect_str_eq(v.credential->username, "pbx");
	cr_expect_null(v.gateway);
	door_close(&o);
}


Test(gate, site_of_the_address_or_of_the_user)
{
	struct site here = {.is_active = true}, there = {.is_active = true};
	struct gate_verdict v;
	struct door o;

	door_open(&o);
	o.cat->peers[0].peer.site = &here;
	o.cat->credentials[0].site = &there;
	v = answer(&o, "INVITE");
	cr_expect_eq(v.action, GATE_PASS);
	cr_expect_eq(v.site, &there);
	there.is_active = false;
	cr_expect_eq(answer(&o, "INVITE").outcome, OUT_TRUNK_DISABLED);

	door_from(&o, TRUNK_IP, 5060);
	v = decide(&o, "INVITE", REALM, "");
	cr_expect_eq(v.action, GATE_PASS);
	cr_expect_eq(v.site, &here);
	v = answer(&o, "REGISTER");
	cr_expect_eq(v.site, &there, "a password names its own");
	door_close(&o);
}


Test(gate, seen_source_may_ask_whether_we_live)
{
	struct gate_verdict v;
	struct door o;

	door_open(&o);
	cr_expect_eq(act(&o, "OPTIONS"), GATE_SILENT);
	cr_expect_eq(answer(&o, "REGISTER").action, GATE_PASS);

	v = decide(&o, "OPTIONS", REALM, "");
	cr_expect_eq(v.action, GATE_PASS);
	cr_expect_str_eq(v.trunk->id, "trk_digest");
	cr_expect_eq(decide(&o, "BYE", REALM, "").scode, 481);
	cr_expect_eq(act(&o, "INVITE"), GATE_CHALLENGE, "digest all the same");

	door_from(&o, "203.0.113.5", 5061);
	cr_expect_eq(act(&o, "OPTIONS"), GATE_SILENT, "another port");
	door_from(&o, "203.0.113.5", 5060);
	door_wait(&o, GATE_SEEN_S - 1);
	cr_expect_eq(act(&o, "OPTIONS"), GATE_PASS);
	door_wait(&o, 1);
	cr_expect_eq(act(&o, "OPTIONS"), GATE_SILENT, "too long ago");
	door_close(&o);
}


Test(gate, seen_source_of_a_trunk_that_went)
{
	struct door o;

	door_open(&o);
	cr_expect_eq(answer(&o, "REGISTER").action, GATE_PASS);
	o.cat->trunk_n = 1;
	cr_expect_eq(act(&o, "OPTIONS"), GATE_SILENT);
	door_close(&o);
}


Test(gate, address_of_a_gateway_outweighs_digest)
{
	struct gate_verdict v;
	struct door o;

	door_open(&o);
	door_from(&o, GATEWAY_IP, 5060);
	v = answer(&o, "INVITE");
	cr_expect_eq(v.action, GATE_PASS);
	cr_assert(v.gateway);
	cr_expect_null(v.trunk);
	cr_expect_null(v.credential);
	door_close(&o);
}


Test(gate, realm_of_the_request)
{
	struct gate_verdict v;
	struct door o;

	door_open(&o);
	v = decide(&o, "INVITE", "192.0.2.99", "");
	cr_expect_eq(v.action, GATE_CHALLENGE, "the only realm");
	cr_expect_str_eq(v.realm->name, REALM);

	fake_realm(o.cat, "voip.example.org", HA1_MD5, HA1_N, HA1_N);
	cr_expect_eq(decide(&o, "INVITE", "192.0.2.99", "").action,
		     GATE_SILENT, "one of two, and none is named");
	cr_expect_eq(decide(&o, "REGISTER", "evil.example.net", "").action,
		     GATE_SILENT);
	v = decide(&o, "INVITE", "VOIP.Example.ORG", "");
	cr_expect_eq(v.action, GATE_CHALLENGE);
	cr_expect_str_eq(v.realm->name, "voip.example.org");
	door_close(&o);
}


Test(gate, suspension_is_told_to_the_owner_only)
{
	struct gate_verdict v;
	struct door o;

	door_open(&o);
	o.cat->tenant.is_active = false;
	cr_expect_eq(act(&o, "INVITE"), GATE_CHALLENGE);
	cr_expect_eq(guess(&o, "wrong").action, GATE_CHALLENGE);

	v = answer(&o, "INVITE");
	cr_expect_eq(v.action, GATE_REFUSE);
	cr_expect_eq(v.outcome, OUT_TRUNK_DISABLED);
	cr_expect_eq(v.scode, 403);
	cr_expect(v.trunk, "an emergency call may still pass");

	door_from(&o, TRUNK_IP, 5060);
	cr_expect_eq(decide(&o, "INVITE", REALM, "").outcome,
		     OUT_TRUNK_DISABLED);
	cr_expect_eq(act(&o, "OPTIONS"), GATE_PASS);

	o.cat->tenant.is_active = true;
	cr_expect_eq(act(&o, "INVITE"), GATE_PASS);
	o.cat->account.is_active = false;
	cr_expect_eq(act(&o, "INVITE"), GATE_REFUSE);
	o.cat->account.is_active = true;
	o.cat->trunks[0].is_active = false;
	cr_expect_eq(act(&o, "INVITE"), GATE_REFUSE);

	door_from(&o, GATEWAY_IP, 5060);
	cr_expect_eq(act(&o, "INVITE"), GATE_PASS);
	o.cat->carrier.is_active = false;
	cr_expect_eq(act(&o, "INVITE"), GATE_REFUSE);
	door_close(&o);
}


Test(gate, unreadable_credentials)
{
	struct gate_verdict v;
	struct door o;

	door_open(&o);
	v = decide(&o, "REGISTER", REALM,
		   "Authorization: Digest realm=\"" REALM "\n");
	cr_expect_eq(v.action, GATE_REFUSE);
	cr_expect_eq(v.outcome, OUT_BAD_REQUEST);
	door_close(&o);
}


Test(gate, known_and_unknown_users_look_alike)
{
	struct gate_verdict known, unknown;
	struct door o;

	door_open(&o);
	known = guess(&o, "wrong");
	strcpy(o.user.username, "nobody");
	unknown = guess(&o, "wrong");
	cr_expect_eq(known.action, unknown.action);
	cr_expect_eq(known.is_stale, unknown.is_stale);
	cr_expect_eq(known.realm, unknown.realm);
	door_close(&o);
}


Test(gate, guessing_source_gets_silence)
{
	struct door o;
	int i;

	door_open(&o);
	for (i = 0; i < 10; i++) {
		re_snprintf(o.user.username, USER_SIZE, "user%d", i);
		cr_expect_eq(guess(&o, "wrong").action, GATE_CHALLENGE,
			     "guess %d", i);
		door_wait(&o, 5);
	}

	strcpy(o.user.username, "pbx");
	fake_ha1(&o.user, "s3cret");
	cr_expect_eq(answer(&o, "REGISTER").action, GATE_SILENT);
	cr_expect_eq(act(&o, "INVITE"), GATE_SILENT, "also the question");
	door_from(&o, "203.0.113.5", 6000);
	cr_expect_eq(act(&o, "INVITE"), GATE_SILENT, "also another port");

	door_from(&o, "203.0.113.6", 5060);
	cr_expect_eq(answer(&o, "REGISTER").action, GATE_PASS, "neighbour");

	door_from(&o, "203.0.113.5", 5060);
	door_wait(&o, 54);
	cr_expect_eq(act(&o, "INVITE"), GATE_SILENT);
	door_wait(&o, 1);
	cr_expect_eq(answer(&o, "REGISTER").action, GATE_PASS, "forgotten");
	door_close(&o);
}


Test(gate, ipv6_source_is_its_network)
{
	struct door o;
	char ip[64];
	int i;

	door_open(&o);
	for (i = 0; i < 10; i++) {
		re_snprintf(ip, sizeof(ip), "2001:db8::%d", i + 1);
		door_from(&o, ip, 5060);
		cr_expect_eq(guess(&o, "wrong").action, GATE_CHALLENGE);
	}

	door_from(&o, "2001:db8::99", 5060);
	cr_expect_eq(act(&o, "INVITE"), GATE_SILENT);
	door_from(&o, "2001:db8:0:1::99", 5060);
	cr_expect_eq(act(&o, "INVITE"), GATE_CHALLENGE);
	door_close(&o);
}


/* Many sources guess one user: each gets one answer more, the owner is not
   locked out. */
Test(gate, guessed_user_is_not_locked_out)
{
	struct door o;
	char ip[64];
	int i;

	door_open(&o);
	for (i = 0; i < 10; i++) {
		re_snprintf(ip, sizeof(ip), "203.0.113.%d", 100 + i);
		door_from(&o, ip, 5060);
		cr_expect_eq(guess(&o, "wrong").action, GATE_CHALLENGE);
	}

	cr_expect_eq(guess(&o, "wrong").action, GATE_SILENT);
	cr_expect_eq(guess(&o, "s3cret").action, GATE_SILENT);

	door_from(&o, "203.0.113.5", 5060);
	cr_expect_eq(answer(&o, "REGISTER").action, GATE_PASS);
	door_from(&o, "203.0.113.99", 5060);
	cr_expect_eq(guess(&o, "wrong").action, GATE_CHALLENGE);
	cr_expect_eq(guess(&o, "wrong").action, GATE_SILENT);
	door_close(&o);
}


/* A wrong answer over a nonce of another source is no guess: anybody could
   send it in a customer's name. */
Test(gate, forged_source_locks_nobody_out)
{
	struct gate_verdict v;
	struct door o;
	int i;

	door_open(&o);
	for (i = 0; i < 20; i++) {
		v = decide(&o, "REGISTER", REALM, "Authorization: Digest "
			"username=\"pbx\", realm=\"" REALM "\", nonce=\"00\", "
			"uri=\"sip:x\", response=\"0\", qop=auth, "
			"nc=00000001, cnonce=\"0\"\n");
		cr_expect_eq(v.action, GATE_CHALLENGE);
		cr_expect(v.is_stale);
	}

	cr_expect_eq(answer(&o, "REGISTER").action, GATE_PASS);
	door_close(&o);
}


Test(gate, bounded_memory)
{
	struct gate *g;
	struct door o;
	char ip[64];
	int i;

	door_open(&o);
	cr_assert_eq(gate_alloc(&g, o.d, 1, 2), 0);
	mem_deref(o.g);
	o.g = g;

	for (i = 0; i < 50; i++) {
		re_snprintf(ip, sizeof(ip), "203.0.113.%d", 100 + i);
		door_from(&o, ip, 5060);
		cr_expect_eq(guess(&o, "wrong").action, GATE_CHALLENGE);
		cr_expect_eq(act(&o, "INVITE"), GATE_SILENT);
	}

	door_from(&o, "203.0.113.100", 5060);
	cr_expect_eq(act(&o, "INVITE"), GATE_CHALLENGE, "forgotten");
	cr_expect_eq(gate_alloc(&g, o.d, 0, 2), EINVAL);
	door_close(&o);
}


/* Two trunks behind one address, and a token. */
static const char token_sha256[] = /* of "0123456789abcdef" */
	"9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f";


static void shared_address(struct door *o)
{
	struct trunk *first = fake_trunk(o->cat, "trk_prefix");
	struct trunk *second = fake_trunk(o->cat, "trk_token");

	fake_peer(o->cat, "192.0.2.20", first, NULL);
	o->cat->peers[o->cat->peer_n - 1].prefix = "+49";
	fake_peer(o->cat, "192.0.2.20", second, NULL);
	o->cat->peers[o->cat->peer_n - 1].token_sha256 = token_sha256;
	door_from(o, "192.0.2.20", 5060);
}


Test(gate, marks_tell_trunks_of_one_address_apart)
{
	struct gate_verdict v;
	struct door o;

	door_open(&o);
	shared_address(&o);

	v = decide(&o, "INVITE", REALM, "");
	cr_assert_eq(v.action, GATE_PASS);
	cr_expect_str_eq(v.trunk->id, "trk_prefix");
	cr_expect_eq(v.tech_prefix_n, 3);
	cr_expect_not(v.is_by_token);
	cr_expect(v.is_by_address);

	o.cat->peers[2].prefix = "99";
	v = decide(&o, "INVITE", REALM, "X-Trunk-Token: 0123456789abcdef\n");
	cr_assert_eq(v.action, GATE_PASS);
	cr_expect_str_eq(v.trunk->id, "trk_token");
	cr_expect(v.is_by_token);
	cr_expect_eq(v.tech_prefix_n, 0);

	/* no mark fits: nobody's address, so digest is asked for */
	v = decide(&o, "INVITE", REALM, "X-Trunk-Token: 0123456789abcdeX\n");
	cr_expect_eq(v.action, GATE_CHALLENGE);
	cr_expect_null(v.trunk);
	cr_expect_eq(act(&o, "OPTIONS"), GATE_PASS);
	door_close(&o);
}


Test(gate, emergency_call_needs_no_mark)
{
	struct gate_verdict v;
	struct door o;

	door_open(&o);
	shared_address(&o);
	o.cat->peers[2].prefix = "99";
	text_copy(o.cat->emergency.prefix, sizeof(o.cat->emergency.prefix),
		  "+4930123");
	v = decide(&o, "INVITE", REALM, "");
	cr_assert_eq(v.action, GATE_PASS);
	cr_expect_str_eq(v.trunk->id, "trk_prefix");
	cr_expect_eq(v.tech_prefix_n, 0);
	door_close(&o);
}


/* auth all: digest, and from one of its addresses */
Test(gate, address_and_digest)
{
	struct gate_verdict v;
	struct trunk *both;
	struct door o;

	door_open(&o);
	both = &o.cat->trunks[1];
	both->auth = AUTH_ALL;
	fake_peer(o.cat, "192.0.2.30", both, NULL);

	door_from(&o, "192.0.2.30", 5060);
	cr_expect_eq(act(&o, "INVITE"), GATE_CHALLENGE);
	v = answer(&o, "INVITE");
	cr_expect_eq(v.action, GATE_PASS);
	cr_expect_str_eq(v.trunk->id, "trk_digest");
	cr_expect(v.is_by_address);
	cr_expect_eq(answer(&o, "REGISTER").action, GATE_PASS);

	door_from(&o, "203.0.113.9", 5060);
	v = answer(&o, "INVITE");
	cr_expect_eq(v.action, GATE_REFUSE);
	cr_expect_eq(v.outcome, OUT_SOURCE_DENIED);
	cr_expect_eq(v.scode, 403);
	cr_expect_eq(answer(&o, "REGISTER").outcome, OUT_SOURCE_DENIED);
	cr_expect_eq(act(&o, "OPTIONS"), GATE_SILENT, "it did not get in");

	/* nor does the address of another trunk do */
	door_from(&o, TRUNK_IP, 5060);
	o.cat->trunks[0].auth = AUTH_ALL;
	cr_expect_eq(answer(&o, "INVITE").outcome, OUT_SOURCE_DENIED);
	door_close(&o);
}
