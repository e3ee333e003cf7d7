/**
 * @file worker_limit.c  The operator's question "why is it full?": one line
 * with its limits in force, what is in use, and by whom.
 */
#include "worker_limit.h"
#include <string.h>
#include "call_private.h"

#define HOLDERS_MAX 1000

/** A row that has limits. */
struct limited {
	const char *id;
	const struct limits *limits;
};

struct holders {
	const struct worker *w;
	json_t *list;
	bool has_more;
};


/* A number is known by its digits here, all others by their ids. */
static struct limited row_of(const struct worker *w, enum limit_level level,
			     const char *id)
{
	struct limited row = {NULL, NULL};

#define ROW(found) do { \
		const __typeof__(*(found)) *f_ = (found); \
		if (f_) \
			row = (struct limited){f_->id, &f_->limits}; \
	} while (0)

	switch (level) {

	case LEVEL_NODE:
		row = (struct limited){"node", &w->limits};
		break;
	case LEVEL_TENANT:
		ROW(catalog_tenant(w->cat, id));
		break;
	case LEVEL_ACCOUNT:
		ROW(catalog_account(w->cat, id));
		break;
	case LEVEL_TRUNK:
		ROW(catalog_trunk(w->cat, id));
		break;
	case LEVEL_SITE:
		ROW(catalog_site(w->cat, id));
		break;
	case LEVEL_NUMBER:
		ROW(catalog_did(w->cat, id));
		break;
	case LEVEL_CARRIER:
		ROW(catalog_carrier(w->cat, id));
		break;
	case LEVEL_GATEWAY:
		ROW(catalog_gateway(w->cat, id));
		break;
	case LEVEL_N:
		break;
	}
#undef ROW

	return row;
}


static json_t *limit_json(int32_t limit)
{
	return limit < 0 ? json_null() : json_integer(limit);
}


static json_t *limits_json(enum limit_level level, const struct limits *l)
{
	static const char *const modes[] = {"total", "in_out", "paired"};
	static const char *const actions[] = {"reject", "mark"};
	static const char *const hop_actions[] = {"next_route", "mark",
						  "reject"};

	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:i,s:s}", "mode",
			 modes[l->mode], "in", limit_json(l->in), "out",
			 limit_json(l->out), "total", limit_json(l->total),
			 "cps", limit_json(l->cps), "bandwidth_kbps",
			 limit_json(l->kbps), "burst_percent",
			 l->burst_percent, "action",
			 level >= LEVEL_CARRIER ? hop_actions[l->action]
						: actions[l->action]);
}


static void add_holder(const struct channel_hold *hold, void *arg)
{
	struct holders *h = arg;
	const struct call *call = worker_call(h->w, hold->call_id);
	char id[37], at[32];

	if (!call)
		return;
	if (json_array_size(h->list) >= HOLDERS_MAX) {
		h->has_more = true;
		return;
	}

	(void)json_array_append_new(
		h->list,
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "call_id",
			  uuid_format(id, hold->call_id), "direction",
			  hold->dir == CHANNEL_IN ? "in" : "out", "since",
			  moment_format(at, call->begun_wall_ms), "calling",
			  call->calling.e164, "called",
			  call_shown_called(call),
			  "bandwidth_kbps", (int)hold->kbps));
}


static json_t *line_json(const struct worker *w, enum limit_level level,
			 const struct limited *row)
{
	const uint64_t hash = channel_hash(w->channels, row->id);
	const struct channel_line *line = channel_find(w->channels, hash,
						       row->id);
	struct holders h = {.w = w, .list = json_array()};
	struct channel_use u;

	channel_use(line, &u);
	channel_each(line, add_holder, &h);

	return json_pack(
		"{s:b,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:o,s:o}",
		"ok", 1, "node", w->cfg.node, "level", limit_level_name(level), "id", row->id,
		"used_in", (json_int_t)u.used[CHANNEL_IN], "used_out",
		(json_int_t)u.used[CHANNEL_OUT], "used_total",
		(json_int_t)channel_used(line, MEASURE_TOTAL), "used_kbps",
		(json_int_t)u.kbps, "peak_in",
		(json_int_t)u.peak[CHANNEL_IN], "peak_out",
		(json_int_t)u.peak[CHANNEL_OUT], "peak_total",
		(json_int_t)u.peak_total, "refused", (json_int_t)u.refused,
		"marked", (json_int_t)u.marked, "has_more", h.has_more,
		"limits", limits_json(level, row->limits), "holders", h.list);
}


/* What an id is of, by its prefix; a number stands for itself. */
static enum limit_level level_of(const char *id)
{
	static const char *const prefixes[LEVEL_N] = {
		[LEVEL_NODE] = "node", [LEVEL_TENANT] = "ten_",
		[LEVEL_ACCOUNT] = "acc_", [LEVEL_TRUNK] = "trk_",
		[LEVEL_SITE] = "sit_", [LEVEL_NUMBER] = "+",
		[LEVEL_CARRIER] = "car_", [LEVEL_GATEWAY] = "gwy_",
	};
	int level = 0;

	while (level < LEVEL_N &&
	       strncmp(id, prefixes[level], strlen(prefixes[level])) != 0)
		level++;

	return (enum limit_level)level;
}


json_t *worker_limit_line(const struct worker *w, const json_t *req)
{
	const char *id = json_string_value(json_object_get(req, "id"));
	const enum limit_level level = id ? level_of(id) : LEVEL_N;
	struct limited row = {NULL, NULL};

	if (w->cat)
		row = row_of(w, level, id);
	if (!row.id)
		return json_pack("{s:b,s:s,s:s}", "ok", 0, "code",
				 "no_such_limit", "detail", "want node, a "
				 "number as +4930..., or the id of a tenant, "
				 "account, trunk, site, carrier or gateway");

	return line_json(w, level, &row);
}
