/**
 * @file gate.h  Who is this? The first decision on a request out of any
 * dialog of ours. What is sent back depends on the method and on the source:
 *
 * | method                | unknown | seen   | trunk  | gateway |
 * |-----------------------|---------|--------|--------|---------|
 * | INVITE                | digest  | digest | pass *) | pass    |
 * | REGISTER              | digest  | digest | digest | digest  |
 * | OPTIONS               | silent  | pass   | pass   | pass    |
 * | ACK                   | silent  | silent | silent | silent  |
 * | CANCEL, BYE, PRACK,   | silent  | 481    | 481    | 481     |
 * |   any with a To tag   |         |        |        |         |
 * | any other             | silent  | 405    | 405    | 405     |
 *
 * unknown: an address that nobody has. seen: an address and port whose digest
 * was right within GATE_SEEN_S (PBXs behind dynamic addresses ask by OPTIONS
 * whether we live). trunk, gateway: by source address, in an INVITE also by
 * tech prefix or header token (catalog_caller()); it outweighs credentials in
 * an INVITE.
 *
 * *) digest when the trunk's auth is all: then the credentials have to be of
 * the trunk whose address it is, in a REGISTER too.
 *
 * digest: silence when the request is for no realm of ours; otherwise a
 * challenge until the answer is right. Suspension is told after that only.
 */
#ifndef GATE_H
#define GATE_H
#include "digest.h"
#include "message.h"
#include "outcome.h"

#define GATE_WINDOW_S 60    /**< wrong answers are forgotten after this     */
#define GATE_SEEN_S 3600

enum gate_action {
	GATE_SILENT,      /**< no answer, counted                           */
	GATE_PASS,        /**< known: trunk or gateway is set               */
	GATE_CHALLENGE,   /**< send 401 with digest_challenge()             */
	GATE_REFUSE,      /**< answer with scode and phrase                 */
	GATE_N
};

struct gate_verdict {
	enum gate_action action;
	uint16_t scode;                /**< GATE_REFUSE: 400, 403, 405 (the
					    owner adds Allow), 481          */
	const char *phrase;            /**< GATE_REFUSE                     */
	enum outcome outcome;          /**< GATE_REFUSE with 400 and 403:
					    OUT_BAD_REQUEST,
					    OUT_TRUNK_DISABLED (trunk or
					    gateway is set: an emergency call
					    may pass all the same)          */
	bool is_stale;                 /**< GATE_CHALLENGE                  */
	bool is_wrong;                 /**< GATE_CHALLENGE: an answer to one
					    that was wrong                  */
	const struct credential *guessed; /**< is_wrong, or GATE_REFUSE with
					    400: whose user was named, NULL:
					    nobody's                        */
	const struct realm *realm;     /**< of the digest; NULL: it was not
					    looked at                       */
	const struct trunk *trunk;     /**< customer                        */
	const struct site *site;       /**< of the trunk, when the address or
					    the digest user names one       */
	const struct gateway *gateway; /**< carrier                         */
	const struct credential *credential; /**< digest user, if any       */
	uint8_t tech_prefix_n;         /**< digits before the called number
					    that are not part of it         */
	bool is_by_token;              /**< known by its header token       */
	bool is_by_address;            /**< one of the trunk's addresses    */
};

/** Carries a trunk's token when several share an address; never relayed. */
#define GATE_TOKEN_HEADER "X-Trunk-Token"

struct gate;

/**
 * @param digest       borrowed
 * @param guess_max    wrong answers that are answered: by one source (an IPv4
 *                     address or an IPv6 /64), and for one user of a realm by
 *                     all sources together. Then silence until GATE_WINDOW_S
 *                     after the last of them: for that source, or for that
 *                     user to the sources that guessed. A right password
 *                     from elsewhere still opens.
 * @param sources_max  sources remembered; the oldest are forgotten
 * mem_deref() frees. One thread.
 */
int gate_alloc(struct gate **gp, struct digest_server *digest,
	       unsigned guess_max, size_t sources_max);

/**
 * Decide. The digest realm is the host of the Request-URI, else of To, else
 * of From if that is a realm, else the only realm if there is just one.
 * Pointers in the verdict live as long as the catalog.
 */
struct gate_verdict gate_decide(struct gate *g, const struct moment *now,
				const struct catalog *cat,
				const struct sip_msg *msg,
				const struct sip_path *path);

/**
 * Whose INVITE this is, for a route test: its address says, or the caller of
 * this does. Passwords are not asked for: what would be challenged is so in
 * the verdict. Nothing is counted or remembered.
 * @param as  a trunk or gateway that is to have sent it; NULL: by address
 */
struct gate_verdict gate_test(const struct gate *g, const struct moment *now,
			      const struct catalog *cat,
			      const struct sip_msg *msg,
			      const struct sip_path *path,
			      const struct peer *as);

#endif
