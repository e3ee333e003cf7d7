/**
 * @file li_audit.c  The chain: mac(n) = HMAC(mac(n-1), n, time, sealed bytes).
 */
#include "li_audit.h"
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include "text.h"

#define DETAIL_MAX 16384

/** How far a chain goes, as its own row says. */
struct head {
	int64_t row, seq; /**< seq 0: no record */
	uint8_t mac[LI_SECRET_MAC];
};

struct li_audit {
	struct li_store *store;         /**< borrowed */
	const struct li_secret *secret; /**< borrowed */
	struct head head;               /**< with what is in the transaction */
	struct head on_disk;
	struct list waiting;            /**< struct note */
	uint64_t lost;                  /**< notes that did not fit          */
};

struct note {
	struct le le;
	int64_t wall_us;
	char *text;
};


static void put_i64(uint8_t *p, int64_t v)
{
	size_t i;

	for (i = 0; i < 8; i++)
		p[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
}


static int chain(const struct li_secret *secret, const uint8_t *before,
		 int64_t seq, int64_t at_us, const uint8_t *sealed, size_t len,
		 uint8_t mac[LI_SECRET_MAC])
{
	const size_t n = LI_SECRET_MAC + 16 + len;
	uint8_t *bytes = mem_alloc(n, NULL);

	if (!bytes)
		return ENOMEM;

	memcpy(bytes, before, LI_SECRET_MAC);
	put_i64(bytes + LI_SECRET_MAC, seq);
	put_i64(bytes + LI_SECRET_MAC + 8, at_us);
	memcpy(bytes + LI_SECRET_MAC + 16, sealed, len);
	li_secret_mac(secret, LI_SECRET_AUDIT, bytes, n, mac);
	mem_deref(bytes);

	return 0;
}


static int head_read(int64_t row, const char *bytes, size_t len, void *arg)
{
	char hex[2 * LI_SECRET_MAC + 1];
	struct head *h = arg;

	(void)len;
	if (!bytes ||
	    sscanf(bytes, "%" SCNd64 " %64s", &h->seq, hex) != 2 ||
	    strlen(hex) != 2 * LI_SECRET_MAC ||
	    text_unhex(h->mac, sizeof(h->mac), hex))
		return EBADMSG;
	h->row = row;

	return 0;
}


static int head_write(struct li_audit *a)
{
	char hex[2 * LI_SECRET_MAC + 1], text[32 + sizeof(hex)];

	text_hex(hex, a->head.mac, sizeof(a->head.mac));
	if (text_format(text, sizeof(text), "%" PRId64 " %s", a->head.seq,
			hex))
		return EOVERFLOW;

	return li_store_put(a->store, LI_KIND_HEAD, &a->head.row, text,
			    strlen(text));
}


/** The last record of the table. */
struct last {
	int64_t seq;
	uint8_t mac[LI_SECRET_MAC];
};


static int last_keep(const struct li_audit_row *row, void *arg)
{
	struct last *last = arg;

	if (row->mac_len != LI_SECRET_MAC)
		return EBADMSG;
	last->seq = row->seq;
	memcpy(last->mac, row->mac, LI_SECRET_MAC);

	return 0;
}


static int row_seen(int64_t row, const char *bytes, size_t len, void *arg)
{
	(void)row;
	(void)bytes;
	(void)len;
	(void)arg;

	return ECANCELED;
}


/* No row is written without a record: where there is one, there are some. The
 * row that says how far they go may be gone with all of them.
 * @return 0, EBADMSG, errno */
static int head_is_due(struct li_store *store, const struct head *head)
{
	static const enum li_kind kinds[] = {LI_KIND_TASK, LI_KIND_DESTINATION,
					     LI_KIND_FLOW};
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(kinds) && !head->row && !err; i++)
		err = li_store_each(store, kinds[i], row_seen, NULL);

	return err == ECANCELED ? EBADMSG : err;
}


static void note_destructor(void *arg)
{
	struct note *n = arg;

	list_unlink(&n->le);
	if (n->text)
		OPENSSL_cleanse(n->text, strlen(n->text));
	free(n->text);
}


static void audit_destructor(void *arg)
{
	struct li_audit *a = arg;

	list_flush(&a->waiting);
}


int li_audit_open(struct li_audit **ap, struct li_store *store,
		  const struct li_secret *secret)
{
	struct head head = {0};
	struct last last = {0};
	struct li_audit *a;
	int err = li_store_each(store, LI_KIND_HEAD, head_read, &head);

	err = err ? err : head_is_due(store, &head);
	err = err ? err : li_store_audit_last(store, last_keep, &last);
	if (err)
		return err;
	if (last.seq != head.seq || memcmp(last.mac, head.mac, sizeof(head.mac)))
		return EBADMSG;

	a = mem_zalloc(sizeof(*a), audit_destructor);
	if (!a)
		return ENOMEM;

	a->store = store;
	a->secret = secret;
	a->head = a->on_disk = head;
	*ap = a;

	return 0;
}


static int put(struct li_audit *a, const struct note *n)
{
	const size_t len = strlen(n->text);
	uint8_t aad[8], mac[LI_SECRET_MAC];
	uint8_t *sealed = mem_alloc(len + LI_SECRET_OVERHEAD, NULL);
	const int64_t seq = a->head.seq + 1;
	int err;

	if (!sealed)
		return ENOMEM;

	put_i64(aad, seq);
	err = li_secret_seal(a->secret, LI_SECRET_AUDIT, aad, sizeof(aad),
			     n->text, len, sealed);
	err = err ? err : chain(a->secret, a->head.mac, seq, n->wall_us,
				sealed, len + LI_SECRET_OVERHEAD, mac);
	err = err ? err : li_store_audit_put(a->store, seq, n->wall_us, sealed,
					     len + LI_SECRET_OVERHEAD, mac);
	mem_deref(sealed);
	if (err)
		return err;

	a->head.seq = seq;
	memcpy(a->head.mac, mac, sizeof(mac));

	return 0;
}


static struct note *note_make(int64_t wall_us, const char *event,
			      json_t *detail)
{
	struct note *n = mem_zalloc(sizeof(*n), note_destructor);
	json_t *record = detail ? detail : json_object();

	if (n && record &&
	    !json_object_set_new(record, "event", json_string(event)))
		n->text = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(record);
	if (!n || !n->text || strlen(n->text) > DETAIL_MAX)
		return mem_deref(n);

	n->wall_us = wall_us;

	return n;
}


void li_audit_note(struct li_audit *a, int64_t wall_us, const char *event,
		   json_t *detail)
{
	struct note *n;

	if (list_count(&a->waiting) >= LI_AUDIT_WAITING_MAX) {
		json_decref(detail);
		a->lost++;
		return;
	}
	n = note_make(wall_us, event, detail);
	if (n)
		list_append(&a->waiting, &n->le, n);
	else
		a->lost++;
}


static int put_all(struct li_audit *a, int64_t wall_us)
{
	struct le *le;
	int err = 0;

	for (le = list_head(&a->waiting); le && !err; le = le->next)
		err = put(a, le->data);
	if (!err && a->lost) {
		struct note *n = note_make(
			wall_us, "audit_lost",
			json_pack("{sI}", "records", (json_int_t)a->lost));

		err = n ? put(a, n) : ENOMEM;
		mem_deref(n);
	}

	return err;
}


int li_audit_commit(struct li_audit *a, int64_t wall_us, const char *event,
		    json_t *detail)
{
	struct note *act = NULL;
	int err;

	if (event) {
		act = note_make(wall_us, event, detail);
		if (!act)
			return ENOMEM;
	}

	err = put_all(a, wall_us);
	if (!err && act)
		err = put(a, act);
	if (!err && a->head.seq != a->on_disk.seq)
		err = head_write(a);
	err = err ? err : li_store_commit(a->store);
	mem_deref(act);
	if (err) {
		li_store_rollback(a->store);
		a->head = a->on_disk;
		return err;
	}

	a->on_disk = a->head;
	a->lost = 0;
	list_flush(&a->waiting);

	return 0;
}


bool li_audit_waits(const struct li_audit *a)
{
	return a->lost || list_head(&a->waiting);
}


int64_t li_audit_count(const struct li_audit *a)
{
	return a->on_disk.seq;
}


struct verify {
	const struct li_secret *secret;
	struct li_audit_fault *fault;
	int64_t seq;
	uint8_t mac[LI_SECRET_MAC];
};


static int fault(struct verify *v, int64_t seq, const char *what)
{
	v->fault->seq = seq;
	v->fault->what = what;
	v->fault->count = v->seq;

	return EBADMSG;
}


static int verify_row(const struct li_audit_row *row, void *arg)
{
	struct verify *v = arg;
	uint8_t mac[LI_SECRET_MAC];
	int err;

	if (row->seq != v->seq + 1)
		return fault(v, v->seq + 1, "missing");
	if (!row->sealed || row->mac_len != LI_SECRET_MAC)
		return fault(v, row->seq, "changed");

	err = chain(v->secret, v->mac, row->seq, row->at_us, row->sealed,
		    row->len, mac);
	if (err)
		return err;
	if (CRYPTO_memcmp(mac, row->mac, LI_SECRET_MAC))
		return fault(v, row->seq, "changed");

	v->seq = row->seq;
	memcpy(v->mac, mac, sizeof(mac));

	return 0;
}


int li_audit_verify(struct li_store *store, const struct li_secret *secret,
		    struct li_audit_fault *ret_fault)
{
	struct li_audit_fault f = {0};
	struct verify v = {.secret = secret, .fault = &f};
	struct head head = {0};
	int err = li_store_audit_each(store, verify_row, &v);

	if (!err) {
		err = li_store_each(store, LI_KIND_HEAD, head_read, &head);
		if (err == EBADMSG)
			(void)fault(&v, v.seq + 1, "without the row that says "
						   "how far the chain goes");
	}
	if (!err && head_is_due(store, &head) == EBADMSG)
		err = fault(&v, v.seq + 1, "missing");
	if (!err && head.seq != v.seq)
		err = fault(&v, head.seq > v.seq ? v.seq + 1 : head.seq + 1,
			    head.seq > v.seq ? "missing" : "added");
	if (!err && CRYPTO_memcmp(head.mac, v.mac, sizeof(head.mac)))
		err = fault(&v, v.seq, "changed");
	if (!err)
		f.count = v.seq;
	*ret_fault = f;

	return err;
}


struct each {
	const struct li_secret *secret;
	li_audit_h *h;
	void *arg;
};


static int each_row(const struct li_audit_row *row, void *arg)
{
	const struct each *e = arg;
	uint8_t aad[8];
	char *text;
	int err;

	if (!row->sealed || row->len < LI_SECRET_OVERHEAD)
		return EBADMSG;
	text = mem_zalloc(row->len - LI_SECRET_OVERHEAD + 1, NULL);
	if (!text)
		return ENOMEM;

	put_i64(aad, row->seq);
	err = li_secret_open(e->secret, LI_SECRET_AUDIT, aad, sizeof(aad),
			     row->sealed, row->len, text);
	if (!err)
		err = e->h(row->seq, row->at_us, text, e->arg);
	mem_deref(text);

	return err;
}


int li_audit_each(struct li_store *store, const struct li_secret *secret,
		  li_audit_h *h, void *arg)
{
	struct each e = {.secret = secret, .h = h, .arg = arg};

	return li_store_audit_each(store, each_row, &e);
}
