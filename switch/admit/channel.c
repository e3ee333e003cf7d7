/**
 * @file channel.c  Lists of holders, and virtual scheduling for calls per
 * second (a theoretical arrival time per line: exact, one number).
 */
#include <errno.h>
#include <string.h>
#include "channel.h"
#include "htab.h"
#include "text.h"

#define CPS_BURST_US 1000000 /* one second's calls may come at once */
#define LINE_IDLE_US 60000000


struct channel_line {
	struct htab_node node;
	char id[ID_SIZE];
	struct list held[CHANNEL_DIRS];
	uint32_t n[CHANNEL_DIRS]; /* list length, kept beside the list */
	uint64_t next_us;         /* theoretical arrival time */
	uint64_t used_us;
};

struct channels {
	struct htab *lines;
	size_t total;
	uint64_t swept_us;
};


static bool line_equal(const void *data, const void *key)
{
	const struct channel_line *line = data;

	return 0 == strcmp(line->id, key);
}


static bool line_free(void *data, void *arg)
{
	struct channel_line *line = data;
	struct channels *c = arg;

	htab_remove(c->lines, &line->node);
	mem_deref(line);

	return false;
}


static void channels_destructor(void *arg)
{
	struct channels *c = arg;

	if (c->lines)
		htab_each(c->lines, line_free, c);

	mem_deref(c->lines);
}


int channels_alloc(struct channels **cp, const uint8_t key[16])
{
	struct channels *c;
	int err;

	if (!cp || !key)
		return EINVAL;

	c = mem_zalloc(sizeof(*c), channels_destructor);
	if (!c)
		return ENOMEM;

	err = htab_alloc(&c->lines, 256, key);
	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}


static struct channel_line *line_find(const struct channels *c,
				      const char *id)
{
	return htab_find(c->lines, htab_hash(c->lines, id, strlen(id)),
			 line_equal, id);
}


static struct channel_line *line_get(struct channels *c, const char *id)
{
	struct channel_line *line = line_find(c, id);

	if (line)
		return line;

	line = mem_zalloc(sizeof(*line), NULL);
	if (!line)
		return NULL;

	if (text_copy(line->id, sizeof(line->id), id)) {
		mem_deref(line);
		return NULL;
	}

	htab_insert(c->lines, &line->node,
		    htab_hash(c->lines, id, strlen(id)), line);

	return line;
}


static bool line_sweep(void *data, void *arg)
{
	struct channel_line *line = data;
	struct channels *c = arg;

	if (!line->n[CHANNEL_IN] && !line->n[CHANNEL_OUT] &&
	    line->used_us + LINE_IDLE_US < c->swept_us)
		line_free(line, c);

	return false;
}


/* Lines of trunks that are gone must not stay for ever. */
static void sweep(struct channels *c, uint64_t now_us)
{
	if (now_us < c->swept_us + LINE_IDLE_US)
		return;

	c->swept_us = now_us;
	htab_each(c->lines, line_sweep, c);
}


static bool is_full(uint32_t used, int32_t limit)
{
	return limit >= 0 && used >= (uint32_t)limit;
}


static enum outcome line_check(const struct channel_line *line,
			       enum channel_dir dir,
			       const struct channel_limits *limits)
{
	const uint32_t in = line->n[CHANNEL_IN], out = line->n[CHANNEL_OUT];

	if (dir == CHANNEL_IN && is_full(in, limits->in))
		return OUT_LIMIT_IN;
	if (dir == CHANNEL_OUT && is_full(out, limits->out))
		return OUT_LIMIT_OUT;
	if (is_full(in + out, limits->total))
		return OUT_LIMIT_TOTAL;

	return OUT_OK;
}


/* Where the line's clock stands after one more call; 0 when that does not fit
   into this second. */
static uint64_t line_rate(const struct channel_line *line, int32_t cps,
			  uint64_t now_us)
{
	uint64_t step_us, next_us;

	if (cps < 0)
		return line->next_us ? line->next_us : 1;
	if (cps == 0)
		return 0;

	step_us = 1000000u / (uint32_t)cps;
	next_us = line->next_us > now_us ? line->next_us : now_us;

	return next_us + step_us > now_us + CPS_BURST_US ? 0
							 : next_us + step_us;
}


enum outcome channel_check(const struct channels *c, const char *id,
			   enum channel_dir dir,
			   const struct channel_limits *limits,
			   const struct moment *now)
{
	static const struct channel_line unused;
	const struct channel_line *line = line_find(c, id);
	enum outcome out;

	if (!limits)
		return OUT_OK;
	if (!line)
		line = &unused;

	out = line_check(line, dir, limits);
	if (out == OUT_OK && !line_rate(line, limits->cps, now->mono_us))
		out = OUT_LIMIT_CPS;

	return out;
}


enum outcome channel_take(struct channels *c, struct channel_hold *hold,
			  const char *id, enum channel_dir dir,
			  const struct channel_limits *limits,
			  const struct moment *now, const uint8_t *call_id)
{
	struct channel_line *line;
	enum outcome out;
	uint64_t next_us;

	sweep(c, now->mono_us);

	line = line_get(c, id);
	if (!line)
		return OUT_LIMIT_NODE;

	if (limits) {
		out = line_check(line, dir, limits);
		if (out != OUT_OK)
			return out;
		next_us = line_rate(line, limits->cps, now->mono_us);
		if (!next_us)
			return OUT_LIMIT_CPS;
		line->next_us = next_us;
	}

	hold->line = line;
	hold->dir = dir;
	hold->call_id = call_id;
	list_append(&line->held[dir], &hold->le, hold);
	line->n[dir]++;
	line->used_us = now->mono_us;
	c->total++;

	return OUT_OK;
}


void channel_release(struct channels *c, struct channel_hold *hold)
{
	if (!hold->line)
		return;

	list_unlink(&hold->le);
	hold->line->n[hold->dir]--;
	hold->line = NULL;
	c->total--;
}


uint32_t channel_used(const struct channels *c, const char *id,
		      enum channel_dir dir)
{
	const struct channel_line *line = line_find(c, id);

	return line ? line->n[dir] : 0;
}


size_t channel_total(const struct channels *c)
{
	return c->total;
}


void channel_each(const struct channels *c, const char *id,
		  channel_each_h *h, void *arg)
{
	const struct channel_line *line = line_find(c, id);
	const struct le *le;

	if (!line)
		return;

	for (int dir = 0; dir < CHANNEL_DIRS; dir++) {
		LIST_FOREACH(&line->held[dir], le)
			h(le->data, arg);
	}
}
