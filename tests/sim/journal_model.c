/** @file journal_model.c  See sim.h; the framing is the product's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "journal.h"
#include "sim.h"

struct journal_model {
	struct world *w;
	struct mbuf *mb;         /* all that was ever written              */
	size_t synced;           /* this much is on disk                   */
	uint64_t seq, seq_synced;/* of this start of the node              */
	bool is_syncing, is_refusing, is_full;
};


struct journal_model *journal_model_alloc(struct world *w)
{
	struct journal_model *j = calloc(1, sizeof(*j));

	j->w = w;
	j->mb = mbuf_alloc(1 << 16);

	return j;
}


void journal_model_free(struct journal_model *j)
{
	mem_deref(j->mb);
	free(j);
}


static void sync_over(struct world *w, void *arg)
{
	struct journal_model *j = arg;

	j->is_syncing = false;
	if (j->is_refusing || j->synced == j->mb->end)
		return;

	j->synced = j->mb->end;
	j->seq_synced = j->seq;
	worker_journalled(w->worker, &w->now, j->seq_synced);
}


static void sync_begin(struct journal_model *j)
{
	if (j->is_syncing)
		return;
	j->is_syncing = true;
	world_after(j->w, draw_ms(j->w, 2, 60), sync_over, j);
}


int journal_model_append(const uint8_t *frame, size_t len, uint64_t *ret_seq,
			 void *arg)
{
	struct world *w = arg;
	struct journal_model *j = w->journal;
	struct journal_record rec;

	if (w->is_down)
		return EPIPE;
	if (journal_frame(frame, len, &rec) || rec.frame_len != len) {
		world_fail(w, "the journal is given something else than one "
			      "frame");
		return EINVAL;
	}
	if (j->is_refusing && rec.type == JOURNAL_BEGIN)
		return EIO;
	if (j->is_full)
		return ENOBUFS;

	j->mb->pos = j->mb->end;
	if (mbuf_write_mem(j->mb, frame, len))
		return ENOBUFS;
	*ret_seq = ++j->seq;
	sync_begin(j);

	return 0;
}


int journal_model_refuses(void *arg)
{
	const struct world *w = arg;

	return w->journal->is_refusing ? EIO : 0;
}


static void trouble_over(struct world *w, void *arg)
{
	struct journal_model *j = arg;

	world_trace(w, "disk: works again");
	j->is_refusing = j->is_full = false;
	sync_begin(j);
}


void journal_model_trouble(struct world *w, void *arg)
{
	struct journal_model *j = w->journal;

	(void)arg;
	j->is_refusing = true;
	j->is_full = chance(w, 40);
	world_trace(w, "disk: refuses%s", j->is_full ? ", queue full" : "");
	world_after(w, draw_ms(w, 100, 15000), trouble_over, j);
}


size_t journal_model_read(const struct journal_model *j, size_t offset,
			  const uint8_t **ret)
{
	*ret = j->mb->buf + offset;

	return j->synced - offset;
}


static void orphan_append(const struct cdr_call *call, void *arg)
{
	struct journal_model *j = arg;

	if (journal_encode_call(j->mb, JOURNAL_END, call))
		world_fail(j->w, "no END for an orphan");
}


/* Whole records of what is left; where they end. */
static size_t replay_feed(struct journal_model *j, struct journal_replay *r)
{
	struct journal_record rec;
	size_t at = 0;

	while (!journal_frame(j->mb->buf + at, j->mb->end - at, &rec)) {
		if (journal_replay_feed(r, &rec))
			world_fail(j->w, "a record of ours cannot be read");
		at += rec.frame_len;
	}

	return at;
}


void journal_model_crash(struct world *w)
{
	struct journal_model *j = w->journal;
	const size_t loose = j->mb->end - j->synced;
	struct journal_replay *r;

	j->mb->end = j->synced + (loose ? draw(w, (uint32_t)loose) : 0);
	if (journal_replay_alloc(&r)) {
		world_fail(w, "no memory for the replay");
		return;
	}

	j->mb->end = replay_feed(j, r);
	if (j->mb->end < j->synced)
		world_fail(w, "a synced record cannot be read");
	journal_replay_finish(r, orphan_append, j);
	mem_deref(r);

	j->synced = j->mb->end;
	j->seq = j->seq_synced = 0;
	j->is_refusing = j->is_full = false;
}
