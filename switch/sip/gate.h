/**
 * @file gate.h  Who is this? The first decision on a request out of any
 * dialog. Per method and kind of source the answer is a table (printed by the
 * tests): unknown sources mostly get nothing.
 */
#ifndef GATE_H
#define GATE_H
#include "digest.h"
#include "message.h"
#include "outcome.h"

enum gate_action {
	GATE_SILENT,      /**< no answer, counted                           */
	GATE_PASS,        /**< known: trunk or gateway is set               */
	GATE_CHALLENGE,   /**< send 401 with digest_challenge()             */
	GATE_REFUSE,      /**< answer with the outcome's code               */
};

struct gate_verdict {
	enum gate_action action;
	enum outcome outcome;          /**< GATE_REFUSE                     */
	bool is_stale;                 /**< GATE_CHALLENGE                  */
	const struct realm *realm;     /**< GATE_CHALLENGE                  */
	const struct trunk *trunk;     /**< customer                        */
	const struct gateway *gateway; /**< carrier                         */
	const struct credential *credential; /**< digest user, if any       */
};

struct gate;
/** @param guess_max  wrong passwords per source and per user in 60 s, then
 *  silence for that source (10). mem_deref() frees. */
int gate_alloc(struct gate **gp, struct digest_server *digest,
	       unsigned guess_max, size_t sources_max);

/**
 * Decide. INVITE, REGISTER, OPTIONS and the rest from: a trunk address, a
 * gateway address, an address nobody knows (digest realm = host of the
 * Request-URI or To/From domain if it is a realm, else the only realm if
 * there is just one, else silence).
 */
struct gate_verdict gate_decide(struct gate *g, const struct moment *now,
				const struct catalog *cat,
				const struct sip_msg *msg,
				const struct sip_path *path);

#endif
