/**
 * @file exchange.h  A worker with one customer and two carriers, all doors
 * closed: messages in as text, messages out by destination, virtual time.
 *
 * 10.1.0.1 is the PBX of trk_1, 10.2.0.1 and 10.2.0.2 are carriers; +49 goes
 * to the first, then to the second; +4930100 is the PBX's; 112 is emergency.
 * A minute costs 0.06 EUR by the second. We are 10.0.0.1, and 198.51.100.7 to
 * the world.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H
#include "catalog_store.h"
#include "tap.h"
#include "worker.h"

#define PBX "10.1.0.1"
#define FIRST "10.2.0.1"
#define SECOND "10.2.0.2"

enum { LETTERS_MAX = 400, RECORDS_MAX = 60, EVENTS_MAX = 60 };

/** One message that left. */
struct letter {
	char to[48];
	char text[4096];
};

struct exchange {
	struct worker *worker;
	struct rng *rng;
	struct catalog_store *store;
	struct snapshot_slot *slot;
	struct moment now;
	uint64_t version;
	struct letter *letters;
	size_t letter_n;
	/* the journal */
	uint64_t seq;
	size_t begin_n, answer_n, end_n;
	struct cdr_call *ends;      /**< the END records, in order          */
	bool is_sick;               /**< BEGIN is refused                   */
	/* the ledger */
	int64_t balance_micro;
	bool is_ledger_silent;
	struct lease_order orders[8]; /**< not answered yet                 */
	char order_ids[8][ID_SIZE];
	size_t order_n;
	/* whoever is asked over HTTP: the last question                    */
	size_t question_n;
	uint64_t ticket;
	uint8_t asked_about[16];
	char asked_url[DECISION_URL_SIZE], asked_id[48], question[4096];
	bool is_asker_full;
	/* who hears of events: the first of each run */
	struct event events[EVENTS_MAX];
	size_t event_n;
	/* the relay */
	size_t sessions;
	bool is_quiet;              /**< no RTP comes                       */
	struct sa pointed[2];       /**< first stream of both sides         */
};

/** How many events of a kind were told. */
size_t exchange_told(const struct exchange *x, enum event_kind kind);

void exchange_open(struct exchange *x);
/** Everything is over by then: checks that nothing is left, then frees. */
void exchange_close(struct exchange *x);

/** Put a row, or take it away (json NULL), and publish. */
void exchange_put(struct exchange *x, const char *kind, const char *id,
		  const char *json);

/** head with LF line ends, without its Content-Length; sdp may be NULL. */
void exchange_recv(struct exchange *x, const char *from, const char *head,
		   const char *sdp);
/** INVITE of the PBX, Call-ID and branch are id. extra: header lines. */
void exchange_invite(struct exchange *x, const char *id, const char *to,
		     const char *extra, const char *sdp);
/** Answer the newest request of that method that went to from. */
void exchange_answer(struct exchange *x, const char *from, const char *method,
		     const char *status, const char *extra, const char *sdp);
/** ACK of the PBX to the newest 200; or another request in its dialog. */
void exchange_in_dialog(struct exchange *x, const char *id,
			const char *method, unsigned cseq, const char *extra,
			const char *sdp);
/** The decision URL that was asked last answers 200 with this body. */
void exchange_decide(struct exchange *x, const char *body);
/** Let time pass; leases are granted, records reach the disk. */
void exchange_run(struct exchange *x, uint64_t ms);

/** Newest message to that address which begins so; NULL when none. */
const char *exchange_last(const struct exchange *x, const char *to,
			  const char *start);
size_t exchange_count(const struct exchange *x, const char *to,
		      const char *start);
/** Value of the first such header of text, static storage; "" when none. */
const char *exchange_header(const char *text, const char *name);
/** The only END so far. */
const struct cdr_call *exchange_record(const struct exchange *x);

/** An offer or answer of host; more: further lines. Static storage. */
const char *exchange_sdp(const char *host, uint16_t port, const char *more);

#endif
