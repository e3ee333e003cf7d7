/**
 * @file gate.c  Who is this? Table, digest, and silence for guessers.
 */
#include <ctype.h>
#include <string.h>
#include "digest_hash.h"
#include "gate.h"
#include "log.h"
#include "metric.h"
#include "recent.h"
#include "text.h"

#define WINDOW_US (GATE_WINDOW_S * UINT64_C(1000000))
#define SEEN_US (GATE_SEEN_S * UINT64_C(1000000))

enum method {
	M_INVITE, M_REGISTER, M_OPTIONS, M_ACK, M_STRAY, M_OTHER, M_N
};

enum source {
	FROM_UNKNOWN, FROM_SEEN, FROM_TRUNK, FROM_GATEWAY, FROM_N
};

enum step {
	SILENT, PASS, DIGEST, NO_DIALOG, NO_METHOD
};

/* as drawn in gate.h */
static const uint8_t steps[M_N][FROM_N] = {
	/*              unknown  seen       trunk      gateway   */
	[M_INVITE]   = {DIGEST,  DIGEST,    PASS,      PASS},
	[M_REGISTER] = {DIGEST,  DIGEST,    DIGEST,    DIGEST},
	[M_OPTIONS]  = {SILENT,  PASS,      PASS,      PASS},
	[M_ACK]      = {SILENT,  SILENT,    SILENT,    SILENT},
	[M_STRAY]    = {SILENT,  NO_DIALOG, NO_DIALOG, NO_DIALOG},
	[M_OTHER]    = {SILENT,  NO_METHOD, NO_METHOD, NO_METHOD},
};

/** Wrong answers of a source, for a user, or of a source for a user. */
struct guess {
	struct recent_entry entry;
	uint64_t last_us;
	unsigned wrong;
};

/** A source whose digest was right. */
struct seen {
	struct recent_entry entry;
	uint64_t until_us;
	char trunk_id[ID_SIZE];
};

struct gate {
	struct digest_server *digest;
	unsigned guess_max;
	struct recent *guesses;
	struct recent *seen;
	struct metric *actions[GATE_N];
	struct metric *wrong, *silenced;
};

/** One request on its way through. */
struct visit {
	struct gate *g;
	const struct moment *now;
	const struct catalog *cat;
	const struct sip_msg *msg;
	const struct sip_path *path;
	enum method method;
	enum source source;
	struct peer at;           /**< whose address it is                  */
	struct gate_verdict v;
};

/** Who guesses what: keys into guesses. */
struct guess_keys {
	uint64_t source, user, pair;
};


static void destructor(void *arg)
{
	struct gate *g = arg;

	mem_deref(g->guesses);
	mem_deref(g->seen);
}


static void gate_metrics(struct gate *g)
{
	static const char *const labels[GATE_N] = {
		[GATE_SILENT] = "action=\"silent\"",
		[GATE_PASS] = "action=\"pass\"",
		[GATE_CHALLENGE] = "action=\"challenge\"",
		[GATE_REFUSE] = "action=\"refuse\"",
	};
	unsigned i;

	for (i = 0; i < GATE_N; i++)
		g->actions[i] = metric_counter("strowger_gate_requests_total",
					       labels[i], "Requests out of "
					       "dialogs by what was done");

	g->wrong = metric_counter("strowger_gate_guesses_total", NULL,
				  "Wrong digest answers");
	g->silenced = metric_counter("strowger_gate_silenced_total", NULL,
				     "Requests not answered because of too "
				     "many wrong digest answers");
}


int gate_alloc(struct gate **gp, struct digest_server *digest,
	       unsigned guess_max, size_t sources_max)
{
	struct gate *g;
	uint8_t key[16];
	int err;

	if (!gp || !digest || !guess_max || !sources_max)
		return EINVAL;

	g = mem_zalloc(sizeof(*g), destructor);
	if (!g)
		return ENOMEM;

	g->digest = digest;
	g->guess_max = guess_max;
	gate_metrics(g);

	err = digest_server_key(digest, "gate", key);
	if (err)
		goto out;

	/* a guess is kept for its source, its user and both */
	err = recent_alloc(&g->guesses, 3 * sources_max, sizeof(struct guess),
			   key);
	if (err)
		goto out;

	err = recent_alloc(&g->seen, sources_max, sizeof(struct seen), key);

out:
	if (err)
		mem_deref(g);
	else
		*gp = g;
	return err;
}


/* --- guesses */

static uint64_t source_id(const struct recent *r, const struct sa *src)
{
	uint8_t ip[16];
	uint32_t v4;

	if (sa_af(src) == AF_INET6) {
		sa_in6(src, ip);
		return recent_id(r, 6, ip, 8); /* hosts get a /64 each */
	}

	v4 = sa_in(src);
	return recent_id(r, 4, &v4, sizeof(v4));
}


static void guess_keys(struct guess_keys *k, const struct visit *vs,
		       const struct realm *realm, const char *user)
{
	const struct recent *r = vs->g->guesses;

	k->source = source_id(r, &vs->path->peer);
	k->user = recent_id(r, 0, realm->name, strlen(realm->name) + 1);
	k->user = recent_id(r, k->user, user, strlen(user));
	k->pair = recent_id(r, k->source, &k->user, sizeof(k->user));
}


/* Wrong answers that still count: none once GATE_WINDOW_S passed without. */
static unsigned guess_count(const struct visit *vs, uint64_t id)
{
	const struct guess *e = recent_find(vs->g->guesses, id);

	if (!e || vs->now->mono_us - e->last_us >= WINDOW_US)
		return 0;

	return e->wrong;
}


static void guess_add(const struct visit *vs, uint64_t id)
{
	unsigned wrong = guess_count(vs, id);
	struct guess *e = recent_find(vs->g->guesses, id);

	if (e)
		recent_touch(vs->g->guesses, e);
	else
		e = recent_add(vs->g->guesses, id);

	if (!e)
		return;

	e->wrong = wrong + 1;
	e->last_us = vs->now->mono_us;
}


static bool guess_is_silenced(const struct visit *vs,
			      const struct guess_keys *k)
{
	unsigned max = vs->g->guess_max;

	return guess_count(vs, k->source) >= max ||
	       (guess_count(vs, k->user) >= max && guess_count(vs, k->pair));
}


static void guess_wrong(const struct visit *vs, const struct guess_keys *k,
			const struct realm *realm, const char *user)
{
	char src[64], name[2 * USER_SIZE];
	const char *text;

	guess_add(vs, k->source);
	guess_add(vs, k->user);
	guess_add(vs, k->pair);
	metric_add(vs->g->wrong, 1);

	re_snprintf(src, sizeof(src), "%J", &vs->path->peer);
	if (text_is_digits(user + (*user == '+')) && strlen(user) < E164_SIZE)
		text = log_number(name, user);
	else
		text = log_text(name, sizeof(name), user, strlen(user));

	log_event(LOG_WARN, "gate", "auth_failed",
		  "src=%s realm=%s user=%s source_wrong=%u user_wrong=%u",
		  src, realm->name, text, guess_count(vs, k->source),
		  guess_count(vs, k->user));
}


/* --- sources that were right */

static uint64_t seen_id(const struct recent *r, const struct sip_path *path)
{
	uint16_t port = sa_port(&path->peer);
	uint64_t id;
	uint8_t ip[16];
	uint32_t v4;

	if (sa_af(&path->peer) == AF_INET6) {
		sa_in6(&path->peer, ip);
		id = recent_id(r, 6, ip, sizeof(ip));
	}
	else {
		v4 = sa_in(&path->peer);
		id = recent_id(r, 4, &v4, sizeof(v4));
	}

	id = recent_id(r, id, &port, sizeof(port));
	return recent_id(r, id, &path->transport, sizeof(path->transport));
}


static void seen_add(const struct visit *vs, const struct trunk *trunk)
{
	struct recent *r = vs->g->seen;
	uint64_t id = seen_id(r, vs->path);
	struct seen *s = recent_find(r, id);

	if (s)
		recent_touch(r, s);
	else
		s = recent_add(r, id);

	if (!s)
		return;

	s->until_us = vs->now->mono_us + SEEN_US;
	text_copy(s->trunk_id, sizeof(s->trunk_id), trunk->id);
}


static const struct trunk *seen_trunk(const struct visit *vs)
{
	const struct seen *s;

	s = recent_find(vs->g->seen, seen_id(vs->g->seen, vs->path));
	if (!s || vs->now->mono_us >= s->until_us)
		return NULL;

	/* by id: the catalog may be another one by now */
	return catalog_trunk(vs->cat, s->trunk_id);
}


/* --- reading the request */

static enum method method_of(const struct sip_msg *msg)
{
	if (message_is(msg, "ACK"))
		return M_ACK;

	/* there is no such dialog here (RFC 3261 12.2.2, 9.2; RFC 3262 3) */
	if (msg->to.tag.l || message_is(msg, "CANCEL") ||
	    message_is(msg, "BYE") || message_is(msg, "PRACK"))
		return M_STRAY;

	if (message_is(msg, "INVITE"))
		return M_INVITE;
	if (message_is(msg, "REGISTER"))
		return M_REGISTER;
	if (message_is(msg, "OPTIONS"))
		return M_OPTIONS;

	return M_OTHER;
}


/* Several trunks may call from one address: what else does the INVITE show? */
static struct peer caller_of(const struct visit *vs)
{
	char called[64], hash[DIGEST_HEX_SIZE];
	struct peer_marks marks = {NULL, NULL};
	struct peer peer;
	struct pl token;

	if (message_number(&vs->msg->uri, called, sizeof(called)))
		called[0] = '\0';
	marks.called = called;

	if (catalog_has_tokens(vs->cat)) {
		token = message_header(vs->msg, GATE_TOKEN_HEADER);
		if (token.l && !digest_hash_hex(hash, HA1_SHA256, &token, 1))
			marks.token_sha256 = hash;
	}

	peer = catalog_caller(vs->cat, &vs->path->peer, &marks);
	if (peer.trunk || peer.gateway)
		return peer;

	/* an emergency call is not lost for want of a mark */
	return catalog_emergency(vs->cat, called)
		       ? catalog_peer(vs->cat, &vs->path->peer) : peer;
}


static enum source source_of(struct visit *vs)
{
	struct peer peer = vs->method == M_INVITE
				   ? caller_of(vs)
				   : catalog_peer(vs->cat, &vs->path->peer);

	vs->at = peer;
	vs->v.gateway = peer.gateway;
	if (peer.gateway)
		return FROM_GATEWAY;

	vs->v.trunk = peer.trunk;
	vs->v.site = peer.site;
	if (peer.trunk)
		return FROM_TRUNK;

	vs->v.trunk = seen_trunk(vs);
	return vs->v.trunk ? FROM_SEEN : FROM_UNKNOWN;
}


static const struct realm *realm_of_host(const struct catalog *cat,
					 const struct pl *host)
{
	char name[REALM_SIZE], *p;

	if (!host->l || pl_strcpy(host, name, sizeof(name)))
		return NULL;

	for (p = name; *p; ++p)
		*p = (char)tolower((unsigned char)*p);

	return catalog_realm(cat, name);
}


static const struct realm *realm_of(const struct visit *vs)
{
	const struct realm *r;

	r = realm_of_host(vs->cat, &vs->msg->uri.host);
	if (!r)
		r = realm_of_host(vs->cat, &vs->msg->to.uri.host);
	if (!r)
		r = realm_of_host(vs->cat, &vs->msg->from.uri.host);
	if (!r)
		r = catalog_realm_only(vs->cat);

	return r;
}


/* --- deciding */

static void refuse(struct visit *vs, enum outcome outcome)
{
	vs->v.action = GATE_REFUSE;
	vs->v.outcome = outcome;
	vs->v.scode = outcome_row(outcome)->sip;
	vs->v.phrase = outcome_row(outcome)->phrase;
}


static void refuse_code(struct visit *vs, uint16_t scode, const char *phrase)
{
	vs->v.action = GATE_REFUSE;
	vs->v.scode = scode;
	vs->v.phrase = phrase;
}


static void challenge(struct visit *vs, bool is_stale)
{
	vs->v.action = GATE_CHALLENGE;
	vs->v.is_stale = is_stale;
}


static bool is_suspended(const struct gate_verdict *v)
{
	if (v->gateway)
		return !v->gateway->is_active ||
		       !v->gateway->carrier->is_active;

	return !trunk_is_usable(v->trunk) ||
	       (v->site && !v->site->is_active);
}


static void admit(struct visit *vs)
{
	if (vs->method != M_OPTIONS && is_suspended(&vs->v))
		refuse(vs, OUT_TRUNK_DISABLED);
	else
		vs->v.action = GATE_PASS;
}


/* Is the source one of the addresses of the trunk that the digest names? In a
 * REGISTER nothing tells the trunks of one address apart but the digest. */
static bool is_its_address(const struct visit *vs)
{
	return vs->method == M_INVITE
		       ? vs->at.trunk == vs->v.trunk
		       : catalog_is_source(vs->cat, &vs->path->peer,
					   vs->v.trunk);
}


static void settle_digest(struct visit *vs, enum digest_verdict verdict,
			  const struct credential *cred)
{
	switch (verdict) {

	case DIGEST_OK:
		vs->v.credential = cred;
		vs->v.trunk = cred->trunk;
		vs->v.site = cred->site;
		if (cred->trunk->auth == AUTH_ALL && !is_its_address(vs)) {
			refuse(vs, OUT_SOURCE_DENIED);
			break;
		}
		seen_add(vs, cred->trunk);
		admit(vs);
		break;

	case DIGEST_MALFORMED:
		refuse(vs, OUT_BAD_REQUEST);
		break;

	case DIGEST_NONE:
	case DIGEST_WRONG:
		challenge(vs, false);
		break;

	case DIGEST_STALE:
	case DIGEST_REPLAY:
		/* the right client simply answers to the new nonce */
		challenge(vs, true);
		break;
	}
}


/* A gateway's credentials are for our own answers only. */
static void name_guessed(struct visit *vs, const struct realm *realm,
			 const char *user)
{
	const struct credential *cred =
		catalog_credential(vs->cat, realm->name, user);

	if (cred && cred->trunk)
		vs->v.guessed = cred;
}


static void check_digest(struct visit *vs)
{
	const struct credential *cred = NULL;
	enum digest_verdict verdict;
	const struct realm *realm;
	struct guess_keys keys;
	char user[USER_SIZE];

	/* whose address it is does not matter here */
	vs->v.trunk = NULL;
	vs->v.site = NULL;
	vs->v.gateway = NULL;

	realm = realm_of(vs);
	if (!realm)
		return;
	vs->v.realm = realm;

	if (digest_user(vs->msg, realm, false, user, sizeof(user)))
		user[0] = '\0';

	guess_keys(&keys, vs, realm, user);
	if (guess_is_silenced(vs, &keys)) {
		metric_add(vs->g->silenced, 1);
		return;
	}

	verdict = digest_check(vs->g->digest, vs->now, vs->cat, realm, false,
			       vs->msg, &vs->path->peer, &cred);
	if (verdict == DIGEST_WRONG)
		guess_wrong(vs, &keys, realm, user);
	if (verdict == DIGEST_WRONG || verdict == DIGEST_MALFORMED)
		name_guessed(vs, realm, user);
	vs->v.is_wrong = verdict == DIGEST_WRONG;

	settle_digest(vs, verdict, cred);
}


/* By what the caller was known, when it is whose address it is. */
static void name_marks(struct visit *vs)
{
	if (!vs->v.trunk || vs->at.trunk != vs->v.trunk)
		return;

	vs->v.is_by_address = true;
	vs->v.is_by_token = vs->at.is_by_token;
	vs->v.tech_prefix_n = vs->at.tech_prefix_n;
}


struct gate_verdict gate_decide(struct gate *g, const struct moment *now,
				const struct catalog *cat,
				const struct sip_msg *msg,
				const struct sip_path *path)
{
	struct visit vs = {
		.g = g, .now = now, .cat = cat, .msg = msg, .path = path,
		.v = {.action = GATE_SILENT, .outcome = OUT_NONE},
	};

	vs.method = method_of(msg);
	vs.source = source_of(&vs);

	switch (steps[vs.method][vs.source]) {

	case PASS:
		if (vs.method == M_INVITE && vs.v.trunk &&
		    vs.v.trunk->auth == AUTH_ALL)
			check_digest(&vs);
		else
			admit(&vs);
		break;

	case DIGEST:
		check_digest(&vs);
		break;

	case NO_DIALOG:
		refuse_code(&vs, 481, "Call/Transaction Does Not Exist");
		break;

	case NO_METHOD:
		refuse_code(&vs, 405, "Method Not Allowed");
		break;

	default:
		break;
	}

	name_marks(&vs);
	metric_add(g->actions[vs.v.action], 1);
	return vs.v;
}


struct gate_verdict gate_test(const struct gate *g, const struct moment *now,
			      const struct catalog *cat,
			      const struct sip_msg *msg,
			      const struct sip_path *path,
			      const struct peer *as)
{
	struct visit vs = {
		.g = (struct gate *)g, .now = now, .cat = cat, .msg = msg,
		.path = path, .method = M_INVITE,
		.v = {.action = GATE_CHALLENGE, .outcome = OUT_NONE},
	};
	enum source source = as && as->gateway ? FROM_GATEWAY : FROM_TRUNK;

	if (as) {
		vs.v.trunk = as->trunk;
		vs.v.site = as->site;
		vs.v.gateway = as->gateway;
	}
	else {
		source = source_of(&vs);
	}

	if (steps[M_INVITE][source] == PASS)
		admit(&vs);
	name_marks(&vs);

	return vs.v;
}
