/**
 * @file why.c  Notes of a decision, written as JSON when they are taken: an
 * append to one buffer that grows by need.
 */
#include "why.h"
#include <string.h>

#define FIRST_SIZE 768
#define TAIL "{\"step\":\"end\",\"dropped\":4294967295}"

struct why {
	struct mbuf *mb;    /**< "[note,note" and a NUL that is overwritten */
	uint32_t dropped;   /**< notes that did not fit                     */
};

static const char *const names[WHY_STEP_N] = {
#define X(name, text, tells) [name] = text,
	WHY_STEPS(X)
#undef X
};


static void destroy(void *arg)
{
	struct why *why = arg;

	mem_deref(why->mb);
}


int why_alloc(struct why **wp)
{
	struct why *why = mem_zalloc(sizeof(*why), destroy);

	if (!why)
		return ENOMEM;

	why->mb = mbuf_alloc(FIRST_SIZE);
	if (!why->mb || mbuf_write_str(why->mb, "[")) {
		mem_deref(why);
		return ENOMEM;
	}
	*wp = why;

	return 0;
}


/* Text that a peer may have chosen: quotes, backslashes, controls, and bytes
 * that are no UTF-8 of their own are escaped (RFC 8259 7). */
static int write_text(struct mbuf *mb, const char *text)
{
	int err = mbuf_write_u8(mb, '"');

	for (const char *p = text; *p && !err; p++) {
		const uint8_t c = (uint8_t)*p;

		if (c == '"' || c == '\\')
			err = mbuf_printf(mb, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			err = mbuf_printf(mb, "\\u00%02x", c);
		else
			err = mbuf_write_u8(mb, c);
	}

	return err ? err : mbuf_write_u8(mb, '"');
}


static int write_fact(struct mbuf *mb, const struct why_fact *fact)
{
	int err;

	if (fact->text && !fact->text[0])
		return 0;

	err = mbuf_printf(mb, ",\"%s\":", fact->name);
	if (err)
		return err;

	return fact->text ? write_text(mb, fact->text)
			  : mbuf_printf(mb, "%lld", (long long)fact->number);
}


static int write_note(struct mbuf *mb, enum why_step step, enum outcome out,
		      const char *id, const struct why_fact *facts, size_t n)
{
	int err = mbuf_printf(mb, "%s{\"step\":\"%s\"",
			      mb->pos > 1 ? "," : "", names[step]);

	if (!err && out != OUT_NONE)
		err = mbuf_printf(mb, ",\"outcome\":\"%s\"",
				  outcome_row(out)->code);
	if (!err && id && id[0]) {
		err = mbuf_write_str(mb, ",\"id\":");
		if (!err)
			err = write_text(mb, id);
	}
	for (size_t i = 0; i < n && !err; i++)
		err = write_fact(mb, &facts[i]);

	return err ? err : mbuf_write_u8(mb, '}');
}


void why_note(struct why *why, enum why_step step, enum outcome out,
	      const char *id, const struct why_fact *facts, size_t n)
{
	size_t pos;

	if (!why)
		return;

	pos = why->mb->pos;
	if (why->dropped ||
	    write_note(why->mb, step, out, id, facts, n) ||
	    why->mb->pos > WHY_SIZE_MAX - sizeof(TAIL) - 2) {
		why->mb->pos = why->mb->end = pos;
		why->dropped++;
	}
}


const char *why_json(const struct why *why)
{
	struct mbuf *mb;
	size_t pos;
	int err = 0;

	if (!why)
		return "[]";

	mb = why->mb;
	pos = mb->pos;
	if (why->dropped)
		err = mbuf_printf(mb, "%s{\"step\":\"%s\",\"dropped\":%u}",
				  pos > 1 ? "," : "", names[WHY_END],
				  why->dropped);
	err |= mbuf_write_mem(mb, (const uint8_t *)"]", 2);
	mb->pos = mb->end = pos;

	return err ? "[]" : (const char *)mb->buf;
}


const char *why_step_name(enum why_step step)
{
	return step < WHY_STEP_N ? names[step] : "?";
}
