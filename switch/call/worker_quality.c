/**
 * @file worker_quality.c  The operator's questions about a gateway's quality,
 * and the end of its lock by hand.
 */
#include "worker_quality.h"
#include "log.h"
#include "worker_private.h"


static const struct gateway *named(const struct worker *w, const json_t *req)
{
	const char *id = json_string_value(json_object_get(req, "gateway"));

	return id && w->cat ? catalog_gateway(w->cat, id) : NULL;
}


static json_t *refusal(void)
{
	return json_pack("{s:b,s:s,s:s}", "ok", 0, "code", "no_such_gateway",
			 "detail", "want the id of a gateway in force");
}


/* What nobody knows yet is below 0. */
static json_t *figure(int32_t value)
{
	return value < 0 ? json_null() : json_integer(value);
}


/* A wall clock time; 0: never */
static json_t *time_json(int64_t wall_ms)
{
	char at[32];

	return wall_ms ? json_string(moment_format(at, wall_ms)) : json_null();
}


static json_t *text_json(const char *text)
{
	return *text ? json_string(text) : json_null();
}


static json_t *figures_json(const struct worker *w, const struct gateway *gw,
			    const struct quality_figures *f)
{
	static const char *const states[] = {"open", "locked", "trial"};
	const int64_t until_ms =
		f->until_ms ? moment_wall_ms(&w->now) +
				      ((int64_t)f->until_ms -
				       (int64_t)moment_ms(&w->now))
			    : 0;

	return json_pack(
		"{s:b,s:s,s:s,s:s,s:o,s:o,s:o,s:I,s:I,s:I,s:I,s:b,s:I,s:I,"
		"s:I,s:I,s:o,s:o,s:o,s:o}",
		"ok", 1, "gateway", gw->id, "node", w->cfg.node, "state",
		states[f->state], "reason", text_json(f->reason), "since",
		time_json(f->changed_wall_ms), "until", time_json(until_ms),
		"trials_left", (json_int_t)f->trials_left, "trials_due",
		(json_int_t)f->trials_due, "window_s",
		(json_int_t)gw->quality.window_s, "min_samples",
		(json_int_t)gw->quality.min_samples, "has_enough",
		f->has_enough, "attempts", (json_int_t)f->attempts, "answered",
		(json_int_t)f->answered, "ended", (json_int_t)f->ended,
		"short_calls", (json_int_t)f->shorts, "asr", figure(f->asr),
		"acd_s", figure(f->acd_s), "pdd_ms", figure(f->pdd_ms),
		"short_percent", figure(f->short_pct));
}


json_t *worker_quality(struct worker *w, const json_t *req)
{
	const struct gateway *gw = named(w, req);
	struct quality_figures f;

	if (!gw)
		return refusal();

	quality_read(w->quality, gw, moment_ms(&w->now), &f);

	return figures_json(w, gw, &f);
}


json_t *worker_quality_unlock(struct worker *w, const json_t *req)
{
	const struct gateway *gw = named(w, req);

	if (!gw)
		return refusal();

	if (quality_unlock(w->quality, gw->id, &w->now))
		log_event(LOG_INFO, "carrier", "quality_unlocked",
			  "gateway=%s", gw->id);

	return worker_quality(w, req);
}
