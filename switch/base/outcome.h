/**
 * @file outcome.h  How a call can end, in one row each: the stable reason
 * code, the SIP answer (RFC 3261 21), the Q.850 cause (RFC 3398 8.2.6.1 and
 * 7.2.4.1) and whether the next carrier may be tried.
 */
#ifndef OUTCOME_H
#define OUTCOME_H
#include <stdbool.h>
#include <stdint.h>

/*	name                  code                    sip  phrase                               q850 next   what the operator should do */
#define OUTCOMES(X) \
X(OUT_NONE,               "none",                   0, "",                                     0, false, "the call has not ended") \
X(OUT_OK,                 "ok",                   200, "OK",                                  16, false, "normal clearing") \
X(OUT_A_CANCELLED,        "cancelled",            487, "Request Terminated",                  16, false, "the caller gave up before an answer") \
X(OUT_TRUNK_DISABLED,     "trunk_disabled",       403, "Forbidden",                           21, false, "the trunk or its tenant is suspended: PATCH status") \
X(OUT_SOURCE_DENIED,      "source_denied",        403, "Forbidden",                           21, false, "the trunk's auth is all: digest has to come from one of its addresses") \
X(OUT_AUTH_FAILED,        "auth_failed",          401, "Unauthorized",                        21, false, "the answer to the challenge was wrong: username, password, realm") \
X(OUT_BAD_REQUEST,        "bad_request",          400, "Bad Request",                        111, false, "the message lacks or repeats a mandatory part") \
X(OUT_BAD_NUMBER,         "bad_number",           484, "Address Incomplete",                  28, false, "the called number fits no rule: see the trunk's number_in") \
X(OUT_BAD_CALLER,         "bad_caller",           403, "Forbidden",                           21, false, "calling number not owned and the trunk has no default_cli") \
X(OUT_NO_ROUTE,           "no_route",             404, "Not Found",                            3, false, "no route matches the called number: POST /routes") \
X(OUT_NO_RATE,            "no_rate",              403, "Forbidden",                           21, false, "the rate deck has no rate for this number") \
X(OUT_NO_DID,             "no_such_number",       404, "Not Found",                            1, false, "the called number belongs to no tenant: POST /dids") \
X(OUT_NOT_REGISTERED,     "not_registered",       480, "Temporarily Unavailable",             20, false, "the customer's PBX is not registered") \
X(OUT_NO_CREDIT,          "no_credit",            402, "Payment Required",                    21, false, "balance plus credit does not cover the first interval") \
X(OUT_CREDIT_ENDED,       "credit_ended",         200, "OK",                                  16, false, "the balance was used up during the call") \
X(OUT_COST_CAP,           "cost_cap",             200, "OK",                                  31, false, "the call reached the most it may cost: the cap of its rate's terms") \
X(OUT_CREDIT_UNKNOWN,     "credit_unknown",       503, "Service Unavailable",                 41, false, "no lease could be had in time: is PostgreSQL up?") \
X(OUT_LIMIT_IN,           "limit_channels_in",    486, "Busy Here",                           17, false, "channels.in of the trunk are all in use") \
X(OUT_LIMIT_OUT,          "limit_channels_out",   486, "Busy Here",                           17, false, "channels.out of the trunk are all in use") \
X(OUT_LIMIT_TOTAL,        "limit_channels_total", 486, "Busy Here",                           17, false, "channels.total of the trunk are all in use") \
X(OUT_LIMIT_CPS,          "limit_cps",            503, "Service Unavailable",                 42, false, "more calls per second than the cps of a trunk, site, number ...") \
X(OUT_LIMIT_NODE,         "limit_node",           503, "Service Unavailable",                 42, false, "the node is full or drains: see calls_max, drain") \
X(OUT_LIMIT_CARRIER,      "limit_carrier",        503, "Service Unavailable",                 42, true,  "channels of the carrier are all in use") \
X(OUT_LIMIT_GATEWAY,      "limit_gateway",        503, "Service Unavailable",                 42, true,  "channels of the gateway are all in use") \
X(OUT_LIMIT_ACCOUNT,      "limit_account",        486, "Busy Here",                           17, false, "channels of the account (all, in or out) are all in use") \
X(OUT_LIMIT_RESELLER,     "limit_reseller",       486, "Busy Here",                           17, false, "channels of the reseller's pool are all in use") \
X(OUT_LIMIT_SITE,         "limit_site",           486, "Busy Here",                           17, false, "channels of the site are all in use") \
X(OUT_LIMIT_NUMBER,       "limit_number",         486, "Busy Here",                           17, false, "channels of the called number are all in use") \
X(OUT_LIMIT_BANDWIDTH,    "limit_bandwidth",      486, "Busy Here",                           17, false, "the trunk's bandwidth is in use") \
X(OUT_LIMIT_CALLED,       "limit_called",         486, "Busy Here",                           17, false, "too many calls to this called number at once") \
X(OUT_LIMIT_SPEND,        "limit_spend",          403, "Forbidden",                           21, false, "the spend limit of a day or month is reached: raise it or unlock the account") \
X(OUT_LIMIT_PRICE,        "limit_price",          403, "Forbidden",                           21, false, "the price is above the trunk's maximum per minute or connection") \
X(OUT_ZONE_DENIED,        "destination_denied",   403, "Forbidden",                           21, false, "the trunk may not call this zone: see its zones") \
X(OUT_CALLING_WINDOW,     "calling_window",       403, "Forbidden",                           21, false, "not at this time: the calling window of limit_hit is closed") \
X(OUT_FRAUD_LIMIT,        "fraud_limit",          403, "Forbidden",                           21, false, "a fraud rule limits these calls: GET /fraud-events") \
X(OUT_FRAUD_LOCK,         "fraud_lock",           403, "Forbidden",                           21, false, "a fraud rule locked the trunk: POST /trunks/{id}/unlock") \
X(OUT_LIST_DENIED,        "list_denied",          403, "Forbidden",                           21, false, "a number list denies this call") \
X(OUT_INVALID_NUMBER,     "invalid_number",       484, "Address Incomplete",                  28, false, "no country or network has a number of this form and length") \
X(OUT_INVALID_CALLER,     "invalid_caller",       403, "Forbidden",                           21, false, "no country or network has a calling number of this form and length") \
X(OUT_PRIVACY,            "privacy_unsupported",  500, "Server Error: unknown priv-value",    79, false, "the call demands a kind of privacy (critical) that nobody knows") \
X(OUT_LOOP,               "loop",                 482, "Loop Detected",                       25, false, "the call came back to us, or forwards go in a circle") \
X(OUT_NO_MARGIN,          "no_margin",            503, "Service Unavailable",                 34, false, "every carrier costs more than the price less the margin floor") \
X(OUT_B_NO_RING,          "carrier_no_ring",      504, "Server Time-out",                    102, true,  "the carrier did not ring within no_ring_ms") \
X(OUT_HUNT_TIMEOUT,       "hunt_timeout",         504, "Server Time-out",                    102, false, "no carrier took the call within the plan's total time") \
X(OUT_DECISION_REFUSED,   "decision_refused",     403, "Forbidden",                           21, false, "the number's decision URL refused the call") \
X(OUT_DECISION_FAILED,    "decision_failed",      480, "Temporarily Unavailable",             41, false, "the decision URL gave no answer of use, and its fallback is to refuse") \
X(OUT_SUSPENDED,          "suspended",            200, "OK",                                  31, false, "the tenant or trunk was suspended during the call") \
X(OUT_NO_MEDIA_PORT,      "no_media_port",        503, "Service Unavailable",                 47, false, "media port range is used up: widen media.port_min..port_max") \
X(OUT_MEDIA_UNSUPPORTED,  "media_unsupported",    488, "Not Acceptable Here",                 65, false, "the offer needs SRTP or has no usable audio") \
X(OUT_BAD_SDP,            "bad_sdp",              400, "Bad Session Description",            111, false, "the session description could not be read") \
X(OUT_MEDIA_LOST,         "media_lost",           200, "OK",                                  41, false, "no media arrived for media_timeout_s") \
X(OUT_TOO_MANY_HOPS,      "too_many_hops",        483, "Too Many Hops",                       25, false, "a routing loop: Max-Forwards reached 0") \
X(OUT_BAD_EXTENSION,      "bad_extension",        420, "Bad Extension",                      127, false, "the peer requires an extension that we lack") \
X(OUT_B_BUSY,             "busy",                 486, "Busy Here",                           17, false, "the called party is busy") \
X(OUT_B_BUSY_EVERYWHERE,  "busy_everywhere",      600, "Busy Everywhere",                     17, false, "the called party is busy everywhere") \
X(OUT_B_DECLINED,         "declined",             603, "Decline",                             21, false, "the called party declined") \
X(OUT_B_NOT_FOUND,        "not_found",            404, "Not Found",                            1, false, "the carrier does not know the number") \
X(OUT_B_GONE,             "gone",                 410, "Gone",                                22, false, "the number has changed") \
X(OUT_B_INCOMPLETE,       "incomplete",           484, "Address Incomplete",                  28, false, "the carrier wants more digits") \
X(OUT_B_NOT_EXIST,        "does_not_exist",       604, "Does Not Exist Anywhere",              1, false, "the number does not exist") \
X(OUT_B_UNAVAILABLE,      "unavailable",          480, "Temporarily Unavailable",             18, false, "the called party cannot be reached now") \
X(OUT_B_NO_ANSWER,        "no_answer",            480, "Temporarily Unavailable",             19, false, "it rang until ring_timeout_s") \
X(OUT_B_FORBIDDEN,        "carrier_forbidden",    403, "Forbidden",                           21, true,  "the carrier refuses this call: address, credentials, number") \
X(OUT_B_AUTH,             "carrier_auth",         503, "Service Unavailable",                 21, true,  "the carrier challenged and the gateway's credentials failed") \
X(OUT_B_CONGESTED,        "carrier_congested",    503, "Service Unavailable",                 42, true,  "the carrier is full or down") \
X(OUT_B_SILENT,           "carrier_silent",       504, "Server Time-out",                    102, true,  "the carrier did not answer the INVITE at all") \
X(OUT_B_DOWN,             "carrier_down",         503, "Service Unavailable",                 38, true,  "all gateways of the route are marked down") \
X(OUT_B_ERROR,            "carrier_error",        502, "Bad Gateway",                         38, true,  "the carrier failed with a 5xx or a broken answer") \
X(OUT_B_REFUSED_MEDIA,    "carrier_media",        488, "Not Acceptable Here",                 65, true,  "the carrier accepts none of the codecs") \
X(OUT_B_REDIRECT,         "carrier_redirect",     503, "Service Unavailable",                 23, true,  "the carrier answered 3xx: see its gateway's redirect") \
X(OUT_B_REJECTED,         "carrier_rejected",     500, "Server Internal Error",              127, false, "the carrier refused with another 4xx or 6xx") \
X(OUT_ACK_LOST,           "ack_lost",             408, "Request Timeout",                    102, false, "no ACK within 64*T1 of our 200") \
X(OUT_MAX_DURATION,       "max_duration",         200, "OK",                                 102, false, "max_call_s was reached") \
X(OUT_ADMIN_DROP,         "dropped",              200, "OK",                                  31, false, "an operator ended the call") \
X(OUT_NODE_LOST,          "node_lost",            500, "Server Internal Error",               41, false, "the switch ended without closing the call; closed from the journal") \
X(OUT_JOURNAL_DOWN,       "journal_down",         503, "Service Unavailable",                 41, false, "the disk of the CDR journal refuses: see the log") \
X(OUT_JOURNAL_FULL,       "journal_full",         503, "Service Unavailable",                 41, false, "the disk of the CDR journal has less than journal.free_min_mib left") \
X(OUT_BUG,                "internal",             500, "Server Internal Error",               41, false, "a call met an impossible state: report the trail")

#define X(name, code, sip, phrase, q850, next, hint) name,
enum outcome { OUTCOMES(X) OUTCOME_N };
#undef X

/** One row of the table. */
struct outcome_row {
	const char *name, *code, *phrase, *hint;
	uint16_t sip;
	uint8_t q850;
	bool may_try_next;
};

const struct outcome_row *outcome_row(enum outcome o);

/** From the stable code; OUTCOME_N when unknown. */
enum outcome outcome_from_code(const char *code);

/**
 * What a carrier's final answer means (RFC 3398 8.2.6.1).
 * @param scode  300..699, or 0 when no answer came
 */
enum outcome outcome_from_sip(uint16_t scode);

#endif
