/**
 * @file peer.h  A modelled SIP user agent: a PBX, a carrier or a stranger.
 * Its own transactions and dialogs, driven by the world's clock; what it does
 * is drawn from the world's seed.
 */
#ifndef PEER_H
#define PEER_H
#include "sim.h"
#include "wire.h"

enum agent_role {
	PEER_PBX,        /**< known by its address                         */
	PEER_DIGEST_PBX, /**< registers, answers challenges                */
	PEER_CARRIER,
	PEER_STRANGER,
};

struct agent {
	struct world *w;
	unsigned index;
	enum agent_role role;
	struct sa addr;
	char host[32];       /**< "10.1.0.1", also of its media            */
	char mark[8];        /**< "qzash": in every token that it makes     */
	bool is_challenging; /**< asks for digest                          */
	bool is_dead;        /**< hears all and says nothing               */
	unsigned serial, challenges;
	struct list dialogs; /**< struct talk                              */
	struct list sent;    /**< struct request: its client transactions  */
	struct list served;  /**< struct reply: its server transactions    */
};

enum talk_state {
	TALK_CALLING,    /**< INVITE sent                                  */
	TALK_RINGING,    /**< INVITE received, no final answer sent        */
	TALK_UP,         /**< 2xx sent or received                         */
	TALK_OVER,
};

/** What a side will do, drawn when its part begins. Times 0: never. */
struct plan {
	uint32_t cancel_ms, bye_ms, offer_ms;
	uint8_t offer_kind;      /**< of a re-INVITE                       */
	uint8_t sdp_kind;
	bool is_late, loses_ack, knows_password, hears_cancel;
	bool is_private, requires;   /**< Privacy: id; Require: 100rel     */
};

/** One dialog (or INVITE that becomes one) as this peer sees it. */
struct talk {
	struct le le;
	struct agent *peer;
	enum talk_state state;
	struct plan plan;
	bool is_caller;
	unsigned boot;           /**< of the switch when it began          */
	char call_id[160];
	char local[448], remote[340]; /**< From and To, with tags         */
	char early[320];         /**< To of a 1xx: the early dialog        */
	char local_tag[96], remote_tag[96], target[320];
	unsigned long cseq, invite_cseq, heard_cseq;
	uint64_t heard_ms;
	int number;              /**< of the script; -1                    */
	unsigned final;          /**< of the INVITE                        */
	bool has_early, was_up, got_bye, sent_bye, bye_answered;
	bool got_ack, got_cancel;
	bool has_acked_unheard;  /**< noise: an ACK before any 2xx came    */
	uint8_t digests;
	struct request *invite;  /**< caller's                             */
	struct reply *answer;    /**< to the INVITE                        */
	char uri[320];
	unsigned sdp_version;
};

/** A request of the peer: its client transaction. */
struct request {
	struct le le;
	struct talk *talk;       /**< NULL: REGISTER, OPTIONS              */
	struct agent *peer;
	char method[24], branch[64];
	unsigned long cseq;
	uint8_t *buf;
	size_t len;
	uint32_t interval_ms;
	uint64_t end_ms;
	bool is_provisional, is_final, is_cancelled;
};

/** What the peer answered: its server transaction. */
struct reply {
	struct le le;
	struct agent *peer;
	struct talk *talk;
	struct wire *request;
	char tag[96];
	unsigned status;         /**< last sent; 0: nothing yet            */
	uint8_t *buf;
	size_t len;
	uint32_t interval_ms;
	uint64_t end_ms;
	bool is_acked;
};

struct agent *peer_alloc(struct world *w, unsigned index, enum agent_role role,
			const char *host, uint16_t port);
void peer_free(struct agent *p);
void peer_recv(struct agent *p, const uint8_t *buf, size_t len);
void peer_token(struct agent *p, char *buf, size_t size, const char *what);

/* --- peer_request.c: client transactions */
/** Headers of a request of a dialog, up to the content. */
void request_begin(struct wire_out *o, struct talk *t, const char *method,
		   unsigned long cseq, char branch[64]);
struct request *request_send(struct agent *p, struct talk *t,
			     const char *method, unsigned long cseq,
			     const char *branch, const struct wire_out *o);
struct request *request_find(const struct agent *p, const struct wire *m);
void request_cancel(struct request *r);
/** ACK of a failure. @param to  of the response */
void request_ack(struct request *r, const char *to);
/** Any request inside the dialog, with the right tags. */
struct request *talk_request(struct talk *t, const char *method,
			     const char *body);
void talk_ack(struct talk *t, unsigned long cseq, const char *body);
void talk_bye(struct world *w, void *arg);

/* --- peer_reply.c: server transactions */
struct reply *reply_begin(struct agent *p, struct talk *t,
			  const struct wire *m);
struct reply *reply_find(const struct agent *p, const struct wire *m,
			 const char *method);
void reply_send(struct reply *r, unsigned status, const char *phrase,
		const char *extra, const char *body);

/* --- peer_caller.c */
void caller_start(struct world *w, void *arg);
struct talk *caller_plan(struct agent *p, int number, const char *called);
void caller_response(struct talk *t, struct request *r, const struct wire *m);
void talk_offer(struct world *w, void *arg);
void talk_offer_response(struct talk *t, const struct wire *m);
void peer_register(struct world *w, void *arg);
/** An answer to REGISTER. */
void peer_challenged(struct agent *p, const struct wire *m);

/* --- peer_callee.c */
void callee_invite(struct agent *p, const struct wire *m);
void callee_request(struct agent *p, struct talk *t, const struct wire *m);
void callee_fork(struct world *w, void *arg);

/* --- peer_sdp.c */
enum { SDP_PLAIN, SDP_HOLD, SDP_VIDEO_TOO, SDP_SECURE, SDP_BROKEN,
       SDP_KINDS };
void peer_sdp(struct talk *t, unsigned kind, char *buf, size_t size);

/* --- peer_noise.c: what no honest peer does */
void noise_start(struct world *w, void *arg);
void garbage_start(struct world *w, void *arg);

struct talk *talk_alloc(struct agent *p);
struct talk *talk_find(const struct agent *p, const char *call_id,
		       const char *tag);
/** A talk of any peer that is not over, or NULL. */
struct talk *talk_any(struct world *w);

#endif
