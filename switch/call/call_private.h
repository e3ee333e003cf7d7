/** @file call_private.h  Inside a call: seen by call_*.c only. */
#ifndef CALL_PRIVATE_H
#define CALL_PRIVATE_H
#include "call.h"
#include "call_action.h"
#include "call_table.h"
#include "cdr.h"
#include "decision_answer.h"
#include "diversion.h"
#include "leg.h"
#include "disconnect.h"
#include "hunt.h"
#include "strategy.h"
#include "subscription.h"
#include "tap.h"
#include "why.h"
#include "worker_private.h"

enum side { SIDE_A, SIDE_B, SIDES };

static inline enum side side_other(enum side s)
{
	return s == SIDE_A ? SIDE_B : SIDE_A;
}

#define GUARD_TALLIES 24

/** Lines of a call: node, tenants up to the root, account, trunk and site of
 *  who calls; tenants, account, trunk, site and number of who is called;
 *  carrier and gateway. */
enum { TENANTS_UP = 4, FROM_LINES = TENANTS_UP + 4,
       TO_LINES = TENANTS_UP + 4, HOP_LINES = 2 };

enum call_kind {
	CALL_OUT,    /**< trunk -> carrier                                  */
	CALL_IN,     /**< carrier -> trunk                                  */
	CALL_ONNET,  /**< trunk -> trunk                                    */
};

/** What an action is told. */
struct call_event {
	struct leg *leg;             /**< who said it; NULL: we              */
	const struct leg_event *said;/**< NULL: we                           */
	enum outcome outcome;        /**< of a refusal                       */
	struct money *money;         /**< whose; NULL: the caller's          */
	const struct decision_answer *answer; /**< NULL: it came to none     */
};

/** A number: as it came, normalised, as it went. */
struct party {
	char received[64];
	char e164[E164_SIZE];        /**< "+49..." or ""                     */
	char sent[64];
	char country[4], network[48]; /**< where e164 belongs, or ""         */
	char type[16];
};

/** Whoever may still name the call holds this; the last one says that it is
 *  gone (tap.h). */
struct call_known {
	uint8_t call_id[16];
};

/**
 * Who a leg's messages belong to, for the tap. The leg and its transactions
 * outlive the call, so they hold references to this and not to the call.
 */
struct call_owner {
	struct call_known *known;
	uint8_t call_id[16];
	enum tap_leg leg;
	uint16_t attempt;
	uint64_t seq[2];             /**< messages in, out                   */
};

/** One try at a carrier or contact. */
struct attempt {
	char gateway_id[ID_SIZE], carrier_id[ID_SIZE];
	char address[56], user_agent[64];
	char b_call_id[TOKEN_SIZE + 64];
	char calling_sent[64], called_sent[64];
	char reason[80];
	int64_t begun_wall_ms, ringing_wall_ms, ended_wall_ms;
	uint64_t begun_ms, ringing_ms; /**< mono                             */
	enum outcome outcome;
	uint16_t sip_code;
	uint8_t q850;
	struct disconnect_rule rule; /**< that decided; code 0: built in     */
	bool is_judged;              /**< counted for the gateway's quality */
};

/** What windows of the week are worked out by, at the answer once more. */
struct pricing {
	struct tariff tariff;        /**< of the rate                        */
	const struct rate_terms *terms; /**< of the catalog, until the answer */
	uint32_t markup_ppm;
	int64_t markup_per_min_nano;
};

/** A package of who pays. */
struct pack {
	struct money *money;         /**< weak: it owns us                   */
	char key[PACKAGE_KEY_SIZE];
	struct fund_hold hold;       /**< its units                          */
	bool is_over;                /**< it had no more: not asked again    */
};

struct packs {
	struct pack list[COVERS_MAX];
	struct cover covers[COVERS_MAX]; /**< the same, to reckon with       */
	struct cover_sum sum;        /**< once it is settled                 */
	unsigned n;
};

struct money {
	struct call *call;           /**< weak: it owns us                   */
	char account_id[ID_SIZE];    /**< who pays                           */
	char tenant_id[ID_SIZE];     /**< whose it is; set with spends       */
	struct wheel_timer credit;   /**< hold more, or cut                  */
	/** of the account and of the trunk, day and month, or NULL */
	struct spend *spends[2 * SPEND_PERIOD_N];
	bool is_sold, is_bought;     /**< the price below is set             */
	bool is_by_cost;             /**< sold by the first carrier's cost   */
	bool is_settled;
	struct price sell, buy;
	struct pricing sell_by, buy_by;
	char sell_deck[DECK_ID_SIZE], buy_deck[DECK_ID_SIZE];
	uint64_t sell_version, buy_version;
	char prefix[RATE_PREFIX_MAX + 1], destination[RATE_DESTINATION_SIZE];
	char buy_prefix[RATE_PREFIX_MAX + 1];
	char buy_destination[RATE_DESTINATION_SIZE];
	char currency[4], cost_currency[4];
	struct packs *packs;         /**< NULL: none                         */
	struct fund_hold hold;
	int64_t counted_micro;       /**< in spends                          */
	uint64_t funded_ms;          /**< this duration is paid for          */
	uint64_t last_ms;            /**< so much of it at last              */
	uint64_t asked_ms;           /**< this one is asked for              */
	uint64_t least_ms;           /**< or at least this one               */
	int64_t price_micro, cost_micro;
	struct price_parts price, cost; /**< what these are made of          */
	uint64_t billed_ms;
};

/** What went out to one side as o= line. */
struct sdp_origin {
	uint64_t id, version;
	uint32_t crc;
};

/** The re-INVITE that is under way in MODIFYING and MODIFIED. */
struct reinvite {
	enum side from;              /**< who sent it                        */
	bool is_late;                /**< without an offer: the answer has it*/
	bool is_forgotten;           /**< cancelled or refused: who sent it
				          waits for no answer any more       */
	struct sdp *proposed;        /**< not in force before its answer     */
};

/** A registered contact to ring. */
struct target {
	char uri[256];
	char username[USER_SIZE];   /**< who registered it, or ""           */
	struct sip_path path;
};

#define FORWARDS_MAX 5 /**< then it is taken for a circle */

/** A number or trunk that did not take the call and sent it on. */
struct forward {
	const struct trunk *trunk;   /**< who forwards; of the catalog       */
	char trunk_id[ID_SIZE];
	char number[E164_SIZE];      /**< that was called there              */
	char did_id[ID_SIZE];        /**< its row, or ""                     */
	char reason[16];             /**< as in Diversion                    */
	uint32_t attempt;            /**< whose record tells of it           */
	struct money money;          /**< what the forwarder pays            */
	struct channel_hold holds[FROM_LINES]; /**< its channels out         */
	const struct trunk *caller;  /**< who called; NULL: a carrier        */
};

/** What a call takes from: the worker's, and for a test drafts of these. */
struct books {
	struct channels *channels;
	struct tallies *tallies;
	struct tallies *dialed;      /**< of calling windows                 */
	struct spends *spends;
	struct funds *funds;
	const struct json_t *ledger; /**< of a test: see call_test.h        */
};

/** Who was called and may send the call elsewhere. */
struct diverter {
	const struct trunk *trunk;
	char number[E164_SIZE];      /**< that was called there              */
	char did_id[ID_SIZE];        /**< its row, or ""                     */
	uint8_t depth;               /**< forwards that had led there        */
};

/** Where it is sent: by a forward, a decision, or its fallback. */
struct detour {
	struct diverter by;
	const char *reason;          /**< in the words of Diversion          */
	const char *id;              /**< of the row that says so            */
	char to_number[E164_SIZE];   /**< "": to_trunk                       */
	const struct trunk *to_trunk;
};

/** A decision URL that is asked, or has to be before the call goes on. */
struct asking {
	const struct decision_url *url; /**< of the catalog; NULL: none      */
	struct diverter by;          /**< for whom                           */
	enum outcome outcome;        /**< that led there; OUT_NONE: nothing  */
	uint8_t condition;           /**< one of ASK_BUSY ...                */
	uint64_t ticket;             /**< 0: no answer is waited for         */
	uint64_t since_ms;           /**< mono                               */
	const char *trouble;         /**< why no answer can come; NULL       */
	struct wheel_timer timer;
};

/** What a decision URL refused with; sip_code 0: it did not. Or the phrase
 *  for a privacy that nobody can give. */
struct decision_refusal {
	uint16_t sip_code;
	char reason[DECISION_REASON_SIZE];
};

#define REDIRECTS_MAX 3 /**< contacts of 3xx that one call follows */

/** Where a 3xx points; it is tried before the hunt goes on. */
struct redirect {
	const struct gateway *gateway;
	char number[E164_SIZE];
};

struct call {
	struct le le;                /**< worker's live list                 */
	struct le closing_le;
	struct htab_node node;
	struct worker *w;            /**< weak: the worker owns us           */
	uint8_t id[16];
	struct fsm fsm;
	struct call_event posted;    /**< data of an event we post ourselves */

	struct snapshot *snap;       /**< until the answer or the end        */
	const struct catalog *cat;
	const struct trunk *trunk;   /**< who calls; NULL: a carrier         */
	const struct gateway *gateway; /**< the carrier that calls           */
	const struct trunk *to_trunk;/**< whose PBX is called                */
	const struct site *site;     /**< of trunk, where the call begins    */
	const struct site *to_site;  /**< of to_trunk, where it ends         */

	enum call_kind kind;
	/**
	 * A route test (call_test.h): the steps of a real call are run for
	 * their notes in why. Whatever decides works as for any call; nothing
	 * may have an effect: channels, cps, funds, spend and counts are
	 * taken from drafts (books), so that what comes later in the same
	 * test sees them; nothing is sent, dialled, journalled, metered,
	 * logged, told to the tap or to ping, no port is opened and no answer
	 * is waited for (what only another thread or server knows is noted as
	 * unknown). There is no leg, and the call is in no table.
	 * Random draws are made as in a real call, in the same order.
	 */
	bool is_test;
	bool is_emergency;           /**< dialled a number of its routes     */
	uint8_t tech_prefix_n;       /**< digits before the called number   */
	struct {
		const struct route *route; /**< until the answer or the end */
		char number[EMERGENCY_NUMBER_SIZE]; /**< that is sent       */
		bool is_test;
	} sos;                       /**< of an emergency call              */
	bool is_private;             /**< asked to be anonymous (RFC 3323)   */
	bool is_told;                /**< call.started was               */
	bool is_late;                /**< the INVITE had no offer: B makes it*/
	char tenant_id[ID_SIZE], account_id[ID_SIZE], trunk_id[ID_SIZE];
	char did_id[ID_SIZE], route_id[ID_SIZE], to_trunk_id[ID_SIZE];
	char site_id[ID_SIZE], to_site_id[ID_SIZE];
	char from_carrier_id[ID_SIZE], from_gateway_id[ID_SIZE];
	struct party calling, called;
	char calling_action[12];     /**< screening: pass, replace, reject,
				          mark; "": not screened           */
	uint8_t privacy;             /**< PRIVACY_ID ... (identity.h)        */
	struct diversion diversions[DIVERSIONS_MAX]; /**< who forwarded, in
				          E.164, the last one first          */
	uint8_t diversion_n;
	uint8_t diverted_n;          /**< how often, before it came here     */
	char display[NAME_BYTES];    /**< the caller's name, or ""           */
	uint8_t max_forwards;
	uint8_t hops;                /**< times it left us and came back     */
	bool is_back;                /**< an emergency call that we sent there */
	struct tag_set tags;         /**< of trunk, lists and plan; of cat  */
	const struct routing_plan *plan; /**< NULL: routes of no plan       */
	const struct routing_plan *listed_plan; /**< whose lists were asked */
	char plan_id[ID_SIZE];
	char headers[512];           /**< allowed to the other side          */
	struct sip_path a_path;
	char a_call_id[128], a_user_agent[64];

	struct leg *leg[SIDES];
	struct call_owner *owner[SIDES];
	struct call_known *known;

	struct hunt hunt;
	struct circle circle;      /**< from the dialling to the answer    */
	struct target *targets;      /**< calls in: contacts                 */
	uint8_t target_n, target_next;
	struct attempt *attempts;
	uint8_t attempt_n;
	bool b_progressed;           /**< this attempt's B rang or answered    */
	struct redirect redirects[REDIRECTS_MAX];
	uint8_t redirect_n, redirect_next;
	const char *redirected;      /**< the number that this attempt calls
				          instead of the called one, or NULL */
	char *contacts;              /**< header lines of a 3xx for A        */
	bool is_hunt_over;           /**< total_timeout_s has passed         */

	struct books books;
	struct tally *tallies[GUARD_TALLIES]; /**< that count this call     */
	struct channel_hold from_holds[FROM_LINES]; /**< of who calls       */
	struct channel_hold to_holds[TO_LINES];   /**< of who is called     */
	struct channel_hold hop_holds[HOP_LINES]; /**< of who is dialled    */
	const struct did *did;       /**< the number that is called         */
	uint32_t kbps;               /**< of the media, one way             */
	uint16_t limit_scode;        /**< the trunk's word for a full limit */
	uint32_t retry_after_s;      /**< 0: nothing better is known        */
	bool is_stopped;             /**< a full gateway ends the hunt      */
	char marks[120];             /**< limits that it met and passed     */
	uint8_t tally_n, watch_n;
	bool is_fraud_warned;        /**< of its duration                   */
	bool is_spend_cut;           /**< a spend limit ends it              */
	struct fraud_watch *watches;
	struct money money;            /**< the caller's, and the cost      */
	struct money *payer;           /**< who pays for what is set up now */
	struct forward *forwards[FORWARDS_MAX];
	uint8_t forward_n;
	bool is_forward_untold;      /**< A has not heard of the last one    */
	bool has_early_media;        /**< A was sent an SDP before the answer */
	struct asking asking;
	const struct decision_url *asked[FORWARDS_MAX + 1]; /**< each once  */
	uint8_t asked_n;
	struct decision_refusal refusal;

	struct media_session *media;
	uint8_t streams;
	struct mbuf *offer;          /**< A's, until the answer              */
	bool is_held[SIDES];         /**< that side's media says so          */
	struct mbuf *early;          /**< B's last SDP before its 2xx        */
	struct sdp_origin origin[SIDES];
	struct reinvite reinvite;
	char codec[32];
	char media_address[SIDES][56];
	struct media_stats stats[SIDES];

	int64_t begun_wall_ms, ringing_wall_ms, answered_wall_ms,
		ended_wall_ms;
	uint64_t begun_ms, ringing_ms, answered_ms, ended_ms; /**< mono     */
	uint32_t ring_timeout_s, max_call_s, media_timeout_s;
	uint64_t cut_ms;             /**< a cap ends it then, or max_call_s  */
	struct cdr_charge *fees;     /**< of attempts that failed            */
	uint32_t fee_n;
	uint32_t total_timeout_s;    /**< 0: no limit                        */

	struct wheel_timer phase;    /**< ring, then maximum, then END again */
	struct wheel_timer no_ring;  /**< the present gateway's              */
	struct wheel_timer total;    /**< of all tries                       */
	struct wheel_timer check;    /**< checkpoint and media               */

	enum outcome outcome;
	char initiator[12];
	uint16_t sip_code;
	uint8_t q850;
	char limit_hit[40], reason_received[80];
	struct mbuf *preview;        /**< of a test: the INVITE it would send */
	struct why *why;             /**< the decision; NULL: no memory. Of
				          the same inputs at the same time a
				          test has the same notes up to the
				          first attempt                      */
	uint64_t end_seq;
};

/* call.c */
/** The only way of an event to the table. data: until this returns. */
void call_run(struct call *call, enum call_event_id ev,
	      const struct call_event *data);
/** Post our own event from inside an action. */
void call_post(struct call *call, enum call_event_id ev, enum outcome out);
leg_event_h call_leg_a, call_leg_b;
/** A call that began now; nobody knows of it yet. Its random numbers are
 *  drawn. NULL: no memory. */
struct call *call_alloc(struct worker *w);
/** What its INVITE says, who sent it, and the present catalog. */
void call_begin(struct call *call, const struct sip_msg *invite,
		const struct sip_path *path, const struct gate_verdict *who);
/** Let the table decide on an INVITE that was begun with. */
void call_decide(struct call *call, const struct sip_msg *invite,
		 const struct sip_path *path, const struct gate_verdict *who);
wheel_h call_ring_over, call_max_over, call_no_ring_over, call_total_over;
enum side call_side(const struct call *call, const struct leg *leg);

/* call_tap.c: for whoever listens (tap.h) */
/** That it begins, who takes part, and its first message. */
void call_tell_birth(struct call *call, const struct sip_msg *invite,
		     const struct gate_verdict *who);
/** Answer or end of the call. */
void call_tell(const struct call *call, enum tap_kind kind);
/** Somebody takes part. @param text  "+49...", a URI, or "": nobody */
void call_tell_party(const struct call *call, enum tap_role role,
		     const char *text);
/** Who is called by this INVITE of ours. @param t  NULL: a carrier */
void call_tell_dialled(const struct call *call, const struct leg_out *out,
		       const struct target *t);
/** A new owner for a leg to come; the call holds it. NULL: no memory. */
struct call_owner *call_own(struct call *call, enum side side);

/* call_numbers.c */
/** The called number, whatever becomes of the call; is it an emergency? */
void call_read_called(struct call *call, const struct sip_msg *invite);
/** Is it a number that can be, as far as the trunk wants to know?
 *  @param which  "called" or "calling", for the note */
enum outcome call_number_check(const struct call *call, uint8_t check,
			       const char *which, const char *e164,
			       enum outcome refused);
/** May the called number be dialled? */
enum outcome call_dialled(const struct call *call);
/** By the peer's rules for the subject. @return 0, or errno: no number */
int call_normalise(const struct call *call, enum rule_subject subject,
		   const char *received, char e164[E164_SIZE]);
/** Country, network and type of e164. */
void call_place(const struct call *call, struct party *party);
/** Of the trunk or gateway that calls. */
const struct number_policy *call_policy(const struct call *call);

/* call_calling.c */
/** Who calls and who forwarded, after the called number. */
void call_read_calling(struct call *call, const struct sip_msg *invite);
/** The trunk's policy for the calling number; may replace it. */
enum outcome call_calling(struct call *call);

/* call_emergency.c */
/** Is an emergency number called? Asked before any rule. */
bool call_emergency(struct call *call);
/** Who is said to call, whatever the trunk's policy is. */
void call_emergency_calling(struct call *call);
/** The caller's place, when this gateway asks for it. */
void call_emergency_place(struct call *call, const struct gateway *gw,
			  struct leg_out *out);
/** Somebody must hear of it. */
void call_emergency_alarm(const struct call *call);
/* call_list.c: each may rewrite numbers, and tag the call */
/** Lists of who calls, and of its plan. @return OUT_OK or OUT_LIST_DENIED */
enum outcome call_lists(struct call *call);
/** Lists of who is called, as to the calling number. */
enum outcome call_lists_in(struct call *call, const struct trunk *to);
/** Lists of the trunk that forwards, as to the number that it forwards to, and
 *  of its plan. */
enum outcome call_lists_forward(struct call *call);

/* call_identity.c */
/** A number as the peer wants it; it passes when no rule matches. */
void call_number_out(const struct number_policy *p,
		     const struct rule_set *rules, enum rule_subject subject,
		     const char *number, char *buf, size_t size);
/**
 * The name beside the calling number, by the peer's rules.
 * @param number  as the peer says or hears it
 * @return index of the rule that made it, or -1
 */
int call_name(const struct call *call, const struct number_policy *p,
	      enum rule_direction direction, const char *name,
	      const char *number, char ret[NAME_BYTES]);
/** From, asserted identities, privacy and who forwarded; calling.sent and
 *  the headers that cross are set. */
void call_identity(const struct call *call, struct leg_out *out,
		   const struct number_policy *p,
		   const struct rule_set *rules, bool is_trusted);

/* call_guard.c */
/** May the trunk call there? */
enum outcome call_zone(struct call *call);
/** Price, spend, number of calls; counts the call. After call_price(). */
enum outcome call_guard(struct call *call);
/** Count it as live until call_guard_end(). @return false: no room */
bool call_hold_tally(struct call *call, struct tally *tally);
/** It is over. Idempotent. */
void call_guard_end(struct call *call);

/* call_window.c */
/** Hours and calls to one number; counts the call but in a test. */
enum outcome call_window(struct call *call);

/* call_fraud.c */
/** Is the trunk locked that calls, or forwards, or its account? */
enum outcome call_locked(struct call *call);
/** Rules that match; counts the call. */
enum outcome call_fraud(struct call *call);
/** Does it last longer than a rule has it? OUT_OK: go on. */
enum outcome call_fraud_runs(struct call *call);
void call_fraud_end(struct call *call);

/* call_spend.c */
/** May the first interval be spent? Holds what is counted with. */
enum outcome call_spend_open(struct call *call);
/** May so much more be spent, or does a limit without mercy stand before it?
 *  is_first: limits that leave running calls alone count too. */
bool call_spend_allows(struct money *m, int64_t micro, bool is_first);
/** So much more (or less) is held. */
void call_spend(struct money *m, int64_t micro);
void call_spend_close(struct call *call);

/* call_admit.c */
/** Id of the row whose limit stood against it, for the record. */
void call_limited(struct call *call, const char *id);
/** Hold the worker's present catalog. */
void call_pin(struct call *call);
/** Let it go, and all that points into it. Idempotent. */
void call_unpin(struct call *call);

/* call_limit.c: what admission.h decides, with the lines of this call. An
   emergency call is counted and never refused. A refusal is noted as
   limit_hit. */
/** May who calls have one call more? Nothing is taken. */
enum outcome call_limit_from(struct call *call);
/** A channel of each line of who calls, and of call->did when that is set,
 *  or of none. Of who calls only once. */
enum outcome call_limit_take(struct call *call);
/** Of the trunk that forwards, as of a call that it makes. */
enum outcome call_limit_forward(struct call *call, struct forward *f);
void call_limit_release_forward(struct call *call, struct forward *f);
/** Of a gateway that is to be dialled, and its carrier. Sets is_stopped. */
enum outcome call_limit_hop(struct call *call, const struct gateway *gw);
/** The called number is another one now: it is let go of. */
void call_limit_release_to(struct call *call);
void call_limit_release_hop(struct call *call);
/** All of them. Idempotent. */
void call_limit_release(struct call *call);
/** channels_watch(): arg is the worker. */
channel_room_h call_limit_room;
/** The call's media are these. */
void call_limit_media(struct call *call, const struct sdp *sdp);
/** Channels of who calls and who is called, or of who is called instead. */
enum outcome call_take_limits(struct call *call);
/** The called number is a customer's. @return OUT_OK: there is whom to dial,
 *  or asking is set */
enum outcome call_deliver(struct call *call, const struct did *did);
/** The same for a trunk, whatever number was called. */
enum outcome call_deliver_to(struct call *call, const struct trunk *trunk);
/** The called side has from now on its time to ring; A hears of a forward. */
void call_ring_start(struct call *call);

/* call_route.c */
/** Plan, route, price and order of gateways of a call to the network. */
enum outcome call_route(struct call *call);
/** The order of gateways of this route; NULL: OUT_NO_ROUTE. */
enum outcome call_route_to(struct call *call, const struct route *route);
/** The plan's margin with what this gateway costs now. */
enum outcome call_margin(const struct call *call, const struct gateway *gw);
/** The call goes out, to this gateway or (NULL) a PBX: it may not come back
 *  (circle.h). */
void call_mark_loop(struct call *call, const struct gateway *gw);
/** Has the call of this INVITE left us before? Sets hops. */
void call_read_hops(struct call *call, const struct pl *call_id);
/** The present attempt was answered or not: counted once. */
void call_judge_attempt(struct call *call, bool is_answered);
/** An answered call is over. */
void call_judge_talk(const struct call *call);

/* call_media.c: side is who sent the SDP. @return OUT_OK or why not */
enum outcome call_media_open(struct call *call, const uint8_t *sdp,
			     size_t len);
enum outcome call_media_cross(struct call *call, enum side from,
			      const uint8_t *sdp, size_t len,
			      struct mbuf *ret);
/** As above for the offer of a re-INVITE: it is in force when its answer
 *  crosses, a refused one never was (RFC 3261 14.1). */
enum outcome call_media_propose(struct call *call, enum side from,
				const uint8_t *sdp, size_t len,
				struct mbuf *ret);
void call_media_read(struct call *call);
void call_media_close(struct call *call);
/** Silent for longer than the trunk allows? Held calls may be silent long. */
bool call_media_is_lost(const struct call *call);

/* call_targets.c */
/** Whom to call of to_trunk, in order. @return 0 or ENOENT */
int call_targets(struct call *call);

/* call_forward.c */
/** The forward that this end of an attempt leads to; OUT_NONE: one without
 *  any condition. NULL: none, or no PBX is called. */
const struct forward_rule *call_forward_rule(const struct call *call,
					     enum outcome out);
/** Go there. The trunk that was called pays. @return OUT_OK: fund and dial */
enum outcome call_forward(struct call *call, const struct forward_rule *f);
/** EV_B_FORWARD, EV_ASK or EV_B_FAIL_LAST. */
enum call_event_id call_last_event(const struct call *call, enum outcome out);
/** As call_forward(). What was forwarded beyond who sends it on is undone. */
enum outcome call_divert(struct call *call, const struct detour *d);
/** Who is called now, of to_trunk. */
struct diverter call_called(const struct call *call);
/** Let go of the present destination, for another one. */
void call_leave(struct call *call);
/** The present attempt is over, so it or we said; its leg ends alone. */
void call_leave_b(struct call *call, enum outcome out);
/** The present destination cannot take it: its forward, else a decision URL.
 *  @return OUT_OK: there is another one, or somebody has to be asked */
enum outcome call_elsewhere(struct call *call, enum outcome out);
/** From inside an action: a new destination was found (OUT_OK) or not. Posts
 *  what follows: FUNDED, ASK, REFUSED, or it waits for the lease. */
void call_go_on(struct call *call, enum outcome out);
/** Is it one that a forward of this condition stands for? */
bool call_outcome_is(enum outcome out, enum forward_condition condition);
/** In the words of Diversion. */
const char *call_diversion_reason(enum forward_condition condition);
/** How long the present destination may ring. */
uint32_t call_forward_after_s(const struct call *call);

/* call_ask.c */
/** Is there a decision URL to be asked after this end of an attempt, or
 *  OUT_NONE: before anybody is called? */
bool call_may_ask(const struct call *call, enum outcome out);
/** The same, and then the call has let go of its destination and has asking
 *  set: EV_ASK has to be posted. */
bool call_must_ask(struct call *call, enum outcome out);
/** No answer is waited for any more. Idempotent. */
void call_ask_stop(struct call *call);

/* call_health.c */
/** The gateway of the present attempt; NULL: a PBX is called, or the call has
 *  let go of its catalog. */
const struct gateway *call_hop(const struct call *call);
/** It rings or has answered: once an attempt. */
void call_health_alive(struct call *call);
/** It has not rung in the time that it had. */
void call_health_no_ring(struct call *call);
/** A final failure; scode 0: err of the wire. */
void call_health_failed(struct call *call, enum outcome out, uint16_t scode,
			int err, uint32_t retry_after_s);

/* call_redirect.c */
enum redirect_verdict {
	REDIRECT_IS_FAILURE, /**< as any other                              */
	REDIRECT_IS_NEXT,    /**< contacts were added: try them             */
	REDIRECT_IS_LAST,    /**< call->contacts are for the caller         */
};
/** What becomes of a 3xx of a gateway. */
enum redirect_verdict call_redirect(struct call *call,
				    const struct gateway *by,
				    const struct sip_msg *answer);
/** The number that is called at this moment: E.164, or "". */
const char *call_number(const struct call *call);

/* call_price.c */
/** The sell price by the trunk's deck. @return OUT_OK, OUT_NO_RATE or
 *  OUT_TRUNK_DISABLED */
enum outcome call_price(struct call *call);
/** The same by what this gateway's carrier charges and the trunk's margin,
 *  where its rate policy wants that one. */
enum outcome call_price_by_cost(struct call *call, const struct gateway *gw);
/** The buy price of the gateway that is dialled, if its carrier has one. */
void call_buy(struct call *call, const struct gateway *gw);
/** The attempt failed: the carrier's fee for it is kept. Idempotent. */
void call_fee(struct call *call);
/** Nothing to pay, whenever it is answered. */
bool call_price_is_free(const struct money *m);
/** B answered: windows of the week are counted from now on, and the moment is
 *  known at which a cap ends the call. While the catalog is there. */
void call_price_answered(struct call *call);
/** Does a cap end it before max_call_s? */
bool call_is_cut(const struct call *call);

/* call_test.c */
/** Is it a test that was told what the ledger has of this account, or a call,
 *  that may ask? */
bool call_test_knows(const struct call *call, const char *account_id);

/* call_money.c */
/** Hold the first slice: posts FUNDED or REFUSED, or it comes later. */
void call_fund_first(struct call *call);
/** B answered: from here on what is held is used up. */
void call_fund_start(struct call *call);
/** Price and cost of the whole call, the rest of the hold goes back.
 *  Idempotent. */
void call_settle(struct call *call);
/** Each who pays for a part of the call, the caller first; NULL at the end. */
struct money *call_payer_at(const struct call *call, unsigned i);
/** Money is not scarce, or nobody who pays holds more than the interval that
 *  runs and the next. For checkers. */
bool call_is_fair(const struct call *call);
/** No more of it is asked for. */
void call_fund_stop(struct call *call);
/** It is not paid: all that is held goes back. */
void call_fund_cancel(struct money *m);

/** What is left to pay of a duration by money; what packages hold is
 *  known. @return 0 or EOVERFLOW */
int call_money_price(const struct money *m, uint64_t ms, int64_t *ret_micro);

/** A package has answered: ask the next one, or hold money. */
void call_fund_on(struct money *m);

/** The packages that m may use, by account, number and moment. */
void call_packages(struct call *call, struct money *m);

/** What is left to pay of a duration beyond what m's packages hold.
 *  @return 0 or EOVERFLOW */
int call_pack_price(const struct money *m, uint64_t ms, int64_t *ret_micro);

/** Hold units for asked_ms. @return FUND_HELD: all that is to be had */
enum fund_verdict call_pack_take(struct money *m, uint64_t due_ms);
bool call_pack_waits(const struct money *m);

/** Wait for none any longer. @return was there one? */
bool call_pack_skip(struct money *m);

/** m->price, and what each has used. @return 0 or EOVERFLOW: none of them
 *  pays */
int call_pack_settle(struct money *m, uint64_t ms);
void call_pack_release(struct money *m);
void call_pack_cancel(struct money *m);

void call_pack_note(struct call *call, const struct money *m);
/** Did any pay something of what it came to? */
bool call_pack_used(const struct money *m);
void call_pack_charge(const struct money *m, struct cdr_charge *c);
void call_pack_checkpoint(const struct call *call, struct cdr_checkpoint *cp);
/** Duration that may be billed: never more than was paid for. */
uint64_t call_paid_ms(const struct call *call);

/* call_end.c */
/** Timers stop; media, money and channels go back. Idempotent. */
void call_give_back(struct call *call);
/** How the present attempt ended; the first to say so is kept. */
void call_attempt_end(struct call *call, enum outcome out, uint16_t sip_code,
		      uint8_t q850, const char *reason);
/** A note of it: before the answer when it ended, else at the answer. */
void call_attempt_note(struct call *call);
/** Let go of the called leg and of its gateway's channel. */
void call_release_b(struct call *call);
/** One more, begun now; NULL: there are too many, or no memory. */
struct attempt *call_attempt_add(struct call *call);
/** The present or last attempt; NULL before the first. */
struct attempt *call_attempt(const struct call *call);
/** Since the answer, until the end or now; 0 before. */
uint64_t call_duration_ms(const struct call *call);

/* call_event.c */
/** Once; what comes later does nothing. */
void call_event_started(struct call *call);
void call_event_answered(struct call *call);
/** And that it began, if nobody was told. */
void call_event_ended(struct call *call);

/* call_cdr.c */
/** Write the record as it is now. @return 0 or errno (counted there) */
int call_journal(struct call *call, enum journal_type type);
/** What the carrier of the last attempt charges for so long; 0: the attempt. */
void call_charge_buy(const struct call *call, uint64_t duration_ms,
		     struct cdr_charge *c);
/** Checkpoints and a look at the media, from the answer to the end. */
void call_check_start(struct call *call);
/** Write END, now or as soon as the journal takes it. */
void call_end_append(struct call *call);

#endif
