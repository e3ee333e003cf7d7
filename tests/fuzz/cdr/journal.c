/**
 * @file journal.c  Fuzz target: bytes of a journal segment, through frames,
 * records and replay. The payload is also decoded past the CRC, which a
 * fuzzer would seldom guess.
 */
#include <assert.h>
#include <re.h>
#include <string.h>
#include "journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cdr_call call, again;


/* What was decoded can be written, and reads the same. */
static void call_again(void)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct journal_record rec;

	assert(0 == journal_encode_call(mb, JOURNAL_END, &call));
	assert(0 == journal_frame(mb->buf, mb->end, &rec));
	assert(0 == journal_decode_call(&rec, &again));
	assert(0 == memcmp(&call.call, &again.call, sizeof(call.call)));
	assert(call.attempt_n == again.attempt_n);
	assert(call.charge_n == again.charge_n);
	mem_deref(mb);
}


static void payload_decode(const uint8_t *data, size_t size)
{
	struct journal_record rec = {.version = CDR_VERSION,
				     .payload = data, .len = size};
	struct cdr_checkpoint cp;

	rec.type = JOURNAL_END;
	if (0 == journal_decode_call(&rec, &call))
		call_again();

	rec.type = JOURNAL_CHECKPOINT;
	(void)journal_decode_checkpoint(&rec, &cp);
}


static void orphan_ignore(const struct cdr_call *c, void *arg)
{
	(void)c;
	(void)arg;
}


/* Type, length of the payload in two bytes, payload; again and again. */
static void replay(const uint8_t *data, size_t size)
{
	struct journal_replay *r;

	if (journal_replay_alloc(&r))
		return;

	while (size > 3) {
		size_t len = data[1] | (size_t)data[2] << 8;
		const struct journal_record rec = {
			.type = (enum journal_type)(1 + data[0] % 4),
			.version = CDR_VERSION,
			.payload = data + 3,
			.len = len < size - 3 ? len : size - 3,
		};

		(void)journal_replay_feed(r, &rec);
		data += 3 + rec.len;
		size -= 3 + rec.len;
	}

	journal_replay_finish(r, orphan_ignore, NULL);
	mem_deref(r);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_record rec;

	if (!size)
		return 0;

	switch (*data++ % 3) {
	case 0:
		--size;
		while (size && 0 == journal_frame(data, size, &rec)) {
			payload_decode(rec.payload, rec.len);
			data += rec.frame_len;
			size -= rec.frame_len;
		}
		break;
	case 1:
		payload_decode(data, size - 1);
		break;
	default:
		replay(data, size - 1);
		break;
	}

	return 0;
}
