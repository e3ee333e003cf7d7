/**
 * @file x23.c  What a mediation function sends back, in pieces: the same is
 * understood whatever the pieces are.
 */
#include <stdlib.h>
#include <string.h>
#include "x23_pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
	size_t n;
	uint64_t sum;
};


static void came(enum x23_type type, uint32_t seq, void *arg)
{
	struct heard *h = arg;

	if (type != X23_KEEPALIVE && type != X23_ANSWER)
		abort();
	h->n++;
	h->sum = h->sum * 31 + seq + (uint64_t)type;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct x23_reader one, many;
	struct heard a = {0}, b = {0};
	int err_a, err_b = 0;
	size_t i, piece;

	if (size < 1)
		return 0;
	piece = data[0] % 64 + 1u;
	data++;
	size--;
	one.n = many.n = 0;
	err_a = x23_read(&one, data, size, came, &a);
	for (i = 0; i < size && !err_b; i += piece)
		err_b = x23_read(&many, data + i,
				 size - i < piece ? size - i : piece, came,
				 &b);
	if (err_a != err_b || a.n != b.n || a.sum != b.sum)
		abort();

	return 0;
}
