/**
 * @file call_limit.c  Which lines a call needs a channel of, and what becomes
 * of it when one has none.
 */
#include <string.h>
#include "bandwidth.h"
#include "call_private.h"
#include "text.h"

#define TIGHTEST_NOTED 3 /* lines passed that are told of, the nearest */

/* as the columns are called */
static const char *const limit_names[] = {
	[MEASURE_TOTAL] = "channels_total", [MEASURE_IN] = "channels_in",
	[MEASURE_OUT] = "channels_out", [MEASURE_KBPS] = "bandwidth_kbps",
};


/* --- which lines */

static struct channel_hold *next_hold(struct channel_hold *holds,
				      const struct admission *a, uint8_t from)
{
	return &holds[a->n - from];
}


/* A tenant and its resellers, an account, a trunk and a site. */
static void add_customer(struct admission *a, const struct trunk *trunk,
			 const struct site *site, enum channel_dir dir,
			 struct channel_hold *holds, uint8_t from)
{
	const bool has_rate = dir == CHANNEL_OUT;
	const struct tenant *t = trunk->tenant;

	for (int i = 0; t && i < TENANTS_UP; i++, t = t->parent)
		admission_add(a, LEVEL_TENANT, dir, has_rate, t->id,
			      &t->limits, next_hold(holds, a, from));
	admission_add(a, LEVEL_ACCOUNT, dir, has_rate, trunk->account->id,
		      &trunk->account->limits, next_hold(holds, a, from));
	admission_add(a, LEVEL_TRUNK, dir, has_rate, trunk->id,
		      &trunk->limits, next_hold(holds, a, from));
	if (site)
		admission_add(a, LEVEL_SITE, dir, has_rate, site->id,
			      &site->limits, next_hold(holds, a, from));
}


static void add_gateway(struct admission *a, const struct gateway *gw,
			enum channel_dir dir, struct channel_hold *holds,
			uint8_t from)
{
	admission_add(a, LEVEL_CARRIER, dir, true, gw->carrier->id,
		      &gw->carrier->limits, next_hold(holds, a, from));
	admission_add(a, LEVEL_GATEWAY, dir, true, gw->id, &gw->limits,
		      next_hold(holds, a, from));
}


static void add_from(struct admission *a, struct call *call)
{
	const struct trunk *caller = call->trunk;
	struct channel_hold *holds = call->from_holds;

	admission_add(a, LEVEL_NODE, call->trunk ? CHANNEL_OUT : CHANNEL_IN,
		      true, "node", &call->w->limits, &holds[0]);
	/* who forwarded it has lines of its own */
	if (call->forward_n)
		caller = call->forwards[0]->caller;
	if (caller)
		add_customer(a, caller, call->site, CHANNEL_OUT, holds, 0);
	else
		add_gateway(a, call->gateway, CHANNEL_IN, holds, 0);
}


static void add_to(struct admission *a, struct call *call)
{
	const struct did *did = call->did;
	const uint8_t from = a->n;

	add_customer(a, call->to_trunk, call->to_site, CHANNEL_IN,
		     call->to_holds, from);
	admission_add(a, LEVEL_NUMBER, CHANNEL_IN, true, did->id,
		      &did->limits, next_hold(call->to_holds, a, from));
}


/* --- what is told of it */

static void note(struct call *call, const struct admission_line *l,
		 enum outcome out)
{
	WHY(call->why, call->is_emergency ? WHY_EMERGENCY : WHY_LIMIT, out,
	    l->id, WHY_TEXT("level", limit_level_name(l->level)),
	    WHY_TEXT("direction", l->dir == CHANNEL_IN ? "in" : "out"),
	    WHY_TEXT("of", l->outcome == OUT_LIMIT_CPS
				   ? "cps" : channel_measure_name(l->what)),
	    WHY_COUNT("used", l->used), WHY_COUNT("limit", l->limit),
	    WHY_TEXT("passed", l->outcome == OUT_OK   ? ""
			       : call->is_emergency  ? "emergency"
			       : l->is_marked        ? "marked" : ""));
}


static bool is_met(const struct admission_line *l)
{
	return l->outcome != OUT_OK;
}


/* Room left on a line that was passed; none when it has no limit. */
static int64_t room(const struct admission_line *l)
{
	return l->limit == UINT32_MAX ? INT64_MAX
				      : (int64_t)l->limit - l->used;
}


/* The tightest of the lines that were passed, in the order of the levels. */
static void note_passed(struct call *call, const struct admission *a,
			uint8_t n)
{
	int64_t tight[TIGHTEST_NOTED + 1];
	uint8_t k = 0;

	for (uint8_t i = 0; i < n; i++) {
		uint8_t j = k < TIGHTEST_NOTED ? k++ : TIGHTEST_NOTED;

		tight[j] = is_met(&a->lines[i]) ? INT64_MAX
						: room(&a->lines[i]);
		for (; j > 0 && tight[j] < tight[j - 1]; j--) {
			const int64_t t = tight[j];

			tight[j] = tight[j - 1];
			tight[j - 1] = t;
		}
	}
	for (uint8_t i = 0, noted = 0; i < n && k && noted < k; i++) {
		const struct admission_line *l = &a->lines[i];

		if (is_met(l) || room(l) == INT64_MAX ||
		    room(l) > tight[k - 1])
			continue;
		note(call, l, OUT_OK);
		noted++;
	}
}


static void note_all(struct call *call, const struct admission *a)
{
	for (uint8_t i = 0; i < a->n && i <= a->failed; i++) {
		const struct admission_line *l = &a->lines[i];

		if (i == a->failed)
			note(call, l, l->outcome);
		else if (is_met(l))
			note(call, l, OUT_OK);
	}
	note_passed(call, a, a->failed);
}


/* A limit that was met and passed, for the record. */
static void mark(struct call *call, const struct admission *a)
{
	for (uint8_t i = 0; i < a->n && !call->is_emergency; i++) {
		const struct admission_line *l = &a->lines[i];
		const size_t used = strlen(call->marks);

		if (!is_met(l))
			continue;
		TEXT_FILL(call->limit_hit, l->id);
		(void)text_format(call->marks + used,
				  sizeof(call->marks) - used, "%s%s:%s",
				  used ? "," : "",
				  outcome_row(l->outcome)->code,
				  limit_level_name(l->level));
	}
}


/* Whose limit it is; NULL: the platform's */
static const char *tenant_of(const struct call *call,
			     const struct admission_line *l)
{
	const struct trunk *trunk = l->dir == CHANNEL_IN ? call->to_trunk
							 : call->trunk;

	if (l->level == LEVEL_TENANT)
		return l->id;

	return !trunk || l->level == LEVEL_NODE || l->level >= LEVEL_CARRIER
		       ? NULL : trunk->tenant->id;
}


/* Whoever waits for the news hears which limits are used up. */
static void tell_full(struct call *call, const struct admission *a)
{
	for (uint8_t i = 0; i < a->n && i <= a->failed; i++) {
		const struct admission_line *l = &a->lines[i];
		const bool is_rate = l->outcome == OUT_LIMIT_CPS;
		const struct limit_use use = {
			.tenant_id = tenant_of(call, l),
			.object_id = l->id,
			.limit = is_rate ? "cps" : limit_names[l->what],
			.used = l->limit,
			.max = l->limit,
			.is_rate = is_rate,
			.call_id = call->id,
		};

		if (admission_is_full(a, l) &&
		    (is_rate || channel_is_full(l->line, l->what, l->limit)))
			worker_limit(call->w, &use);
	}
}


static void refused(struct call *call, struct admission *a)
{
	const struct admission_line *l = &a->lines[a->failed];

	TEXT_FILL(call->limit_hit, l->id);
	if (l->outcome == OUT_LIMIT_CPS)
		call->retry_after_s =
			(uint32_t)((a->wait_us + 999999) / 1000000);
	if (call->is_test)
		return;

	admission_count(a, call->books.channels, &call->w->now);
	tell_full(call, a);
}


static enum outcome take(struct call *call, struct admission *a)
{
	enum outcome out;

	mark(call, a);
	out = admission_take(a, call->books.channels, &call->w->now, call->id);
	if (out == OUT_OK && !call->is_emergency && !call->is_test)
		tell_full(call, a);

	return out;
}


/* There is room again on a line that was full. */
void call_limit_room(const char *id, enum channel_measure what, uint32_t used,
		     uint32_t limit, void *arg)
{
	const struct limit_use use = {
		.object_id = id, .limit = limit_names[what], .used = used,
		.max = limit,
	};

	worker_limit(arg, &use);
}


/* The trunk's own word for a limit of its customer, if it has one. */
static uint16_t own_code(const struct call *call,
			 const struct admission_line *l)
{
	const struct trunk *trunk = l->dir == CHANNEL_IN ? call->to_trunk
							 : call->trunk;

	return !trunk || l->outcome == OUT_LIMIT_CPS ||
			       l->level == LEVEL_NODE ||
			       l->level >= LEVEL_CARRIER
		       ? 0 : trunk->limit_sip_code;
}


static enum outcome check(struct call *call, struct admission *a)
{
	const enum outcome out = admission_check(a, call->books.channels,
						 &call->w->now);

	if (out != OUT_OK)
		refused(call, a);

	return out;
}


/* --- asking and taking */

static void begin(struct call *call, struct admission *a)
{
	admission_init(a, call->is_emergency,
		       call->kbps ? call->kbps : BANDWIDTH_UNKNOWN_KBPS);
}


enum outcome call_limit_from(struct call *call)
{
	struct admission a;
	enum outcome out;

	begin(call, &a);
	add_from(&a, call);
	out = check(call, &a);
	if (out != OUT_OK) {
		note_all(call, &a);
		call->limit_scode = own_code(call, &a.lines[a.failed]);
	}

	return out;
}


enum outcome call_limit_take(struct call *call)
{
	struct admission a;
	enum outcome out;

	begin(call, &a);
	if (!call->from_holds[0].line)
		add_from(&a, call);
	if (call->did && call->to_trunk)
		add_to(&a, call);

	out = check(call, &a);
	note_all(call, &a);
	if (out != OUT_OK) {
		call->limit_scode = own_code(call, &a.lines[a.failed]);
		return out;
	}

	return take(call, &a);
}


enum outcome call_limit_forward(struct call *call, struct forward *f)
{
	struct admission a;
	enum outcome out;

	begin(call, &a);
	add_customer(&a, f->trunk, NULL, CHANNEL_OUT, f->holds, 0);
	out = check(call, &a);
	note_all(call, &a);

	return out == OUT_OK ? take(call, &a) : out;
}


enum outcome call_limit_hop(struct call *call, const struct gateway *gw)
{
	const struct admission_line *l;
	struct admission a;
	enum outcome out;

	begin(call, &a);
	add_gateway(&a, gw, CHANNEL_OUT, call->hop_holds, 0);
	out = check(call, &a);
	note_all(call, &a);
	if (out != OUT_OK) {
		l = &a.lines[a.failed];
		call->is_stopped = l->limits->action == LIMIT_STOP;
		return out;
	}

	if (!call->marks[0])
		call->limit_hit[0] = '\0'; /* of a gateway passed by */
	return take(call, &a);
}


/* --- giving back */

static void release(struct call *call, struct channel_hold *holds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		channel_release(call->books.channels, &holds[i]);
}


void call_limit_release_to(struct call *call)
{
	release(call, call->to_holds, TO_LINES);
}


void call_limit_release_forward(struct call *call, struct forward *f)
{
	release(call, f->holds, FROM_LINES);
}


void call_limit_release_hop(struct call *call)
{
	release(call, call->hop_holds, HOP_LINES);
}


void call_limit_release(struct call *call)
{
	release(call, call->from_holds, FROM_LINES);
	for (uint8_t i = 0; i < call->forward_n; i++)
		call_limit_release_forward(call, call->forwards[i]);
	call_limit_release_to(call);
	call_limit_release_hop(call);
}


/* --- bandwidth */

static uint32_t stream_kbps(const struct sdp_stream *s)
{
	if (!s->port)
		return 0;
	if (s->kind == SDP_VIDEO)
		return bandwidth_video_kbps(s->kbps);

	return bandwidth_audio_kbps(s->codec, s->ptime_ms,
				    sa_af(&s->rtp) == AF_INET6);
}


static void set_kbps(struct channel_hold *holds, size_t n, uint32_t kbps)
{
	for (size_t i = 0; i < n; i++)
		channel_set_kbps(&holds[i], kbps);
}


/* The offer is the estimate, what is agreed on last is the truth. */
void call_limit_media(struct call *call, const struct sdp *sdp)
{
	uint32_t kbps = 0;

	for (uint8_t i = 0; i < sdp->n; i++)
		kbps += stream_kbps(&sdp->streams[i]);

	call->kbps = kbps;
	set_kbps(call->from_holds, FROM_LINES, kbps);
	set_kbps(call->to_holds, TO_LINES, kbps);
	set_kbps(call->hop_holds, HOP_LINES, kbps);
}
