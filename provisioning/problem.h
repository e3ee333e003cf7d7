/**
 * @file problem.h  Why a request was refused, as RFC 9457 problem details
 * (application/problem+json) with one JSON pointer per faulty member.
 */
#ifndef PROBLEM_H
#define PROBLEM_H
#include "json.h"
#include <stdbool.h>

/*	name                   code                     http  title                       what to do */
#define PROBLEMS(X) \
X(PROBLEM_NONE,            "none",                    0, "",                           "") \
X(PROBLEM_BAD_REQUEST,     "bad_request",           400, "Bad request",                "the request cannot be read as it is") \
X(PROBLEM_BAD_JSON,        "bad_json",              400, "Body is not JSON",           "send one JSON value without duplicate members, at most 16 levels deep") \
X(PROBLEM_BAD_PARAMETER,   "bad_parameter",         400, "Bad query parameter",        "see /openapi.json for the parameters of this operation") \
X(PROBLEM_BAD_CURSOR,      "bad_cursor",            400, "Bad cursor",                 "pass next_cursor of the page before, unchanged, to the same list") \
X(PROBLEM_UNAUTHORIZED,    "unauthorized",          401, "API key needed",             "send Authorization: Bearer sk_...; make a key with strowger-api --create-key") \
X(PROBLEM_FORBIDDEN,       "forbidden",             403, "Scope missing",              "use a key with the scope that this operation names") \
X(PROBLEM_NOT_FOUND,       "not_found",             404, "Not found",                  "check the path and the id; a tenant's key sees the tenant's rows only") \
X(PROBLEM_METHOD,          "method_not_allowed",    405, "Method not allowed",         "the header Allow names the methods of this path") \
X(PROBLEM_CONFLICT,        "conflict",              409, "Already taken",              "another row has this value") \
X(PROBLEM_IN_USE,          "in_use",                409, "Still in use",               "change or delete the rows that refer to it first") \
X(PROBLEM_NO_UBL,          "not_expressible",       409, "Not expressible",            "EN 16931 cannot say it so: detail says what is missing") \
X(PROBLEM_TOO_MANY,        "too_many",              409, "Too many rows",              "take the command that detail names") \
X(PROBLEM_IN_FLIGHT,       "in_flight",             409, "Still under way",            "the first request with this Idempotency-Key is not answered yet: repeat it in a second") \
X(PROBLEM_PRECONDITION,    "precondition_failed",   412, "Changed in the meantime",    "GET it again and repeat the change with the new ETag") \
X(PROBLEM_TOO_LARGE,       "too_large",             413, "Body too large",             "send less at once") \
X(PROBLEM_MEDIA_TYPE,      "unsupported_media_type",415, "Unsupported media type",     "see /openapi.json for the media types of this operation") \
X(PROBLEM_VALIDATION,      "validation_failed",     422, "Validation failed",          "errors[] names every faulty member") \
X(PROBLEM_NO_MATCH,        "precondition_required", 428, "If-Match is missing",        "GET the row and send its ETag as If-Match; * changes it whatever it is") \
X(PROBLEM_RATE,            "too_many_requests",     429, "Too many requests",          "Retry-After says when the next will be taken") \
X(PROBLEM_INTERNAL,        "internal",              500, "Internal error",             "report it with the request_id; the log has the cause") \
X(PROBLEM_BUSY,            "busy",                  503, "Busy",                       "repeat it later") \
X(PROBLEM_DATABASE,        "database_unavailable",  503, "Database unavailable",       "repeat it later; strowger doctor tells why") \
X(PROBLEM_NO_KEY,          "webhooks_off",          503, "Webhooks are off",           "webhooks.key_file of strowger-api is no key that can be read, or not the one of these secrets; its log says more") \
X(PROBLEM_NO_PDF,          "no_pdf",                503, "No PDF",                     "install weasyprint where strowger-api runs, or print the HTML") \
X(PROBLEM_SWITCH,          "switch_unavailable",    503, "Switch unavailable",         "is strowger-switch running, and api.control its control socket?")

#define X(name, code, status, title, help) name,
enum problem_kind { PROBLEMS(X) PROBLEM_N };
#undef X

#define PROBLEM_ERRORS_MAX 50

/** One row of the table. */
struct problem_row {
	const char *code, *title, *help;
	int status;
};

/** All zero is "no problem". errors is counted by jansson. */
struct problem {
	enum problem_kind kind;
	char detail[256];
	json_t *errors;       /**< array, or NULL                          */
	size_t dropped;       /**< errors beyond PROBLEM_ERRORS_MAX        */
	char at[64];          /**< stands before every pointer: where in the
				   body the row is that is asked about     */
};

const struct problem_row *problem_row(enum problem_kind kind);

/** By its code, NULL when unknown. */
const struct problem_row *problem_find(const char *code);

/** Refuse as a whole; the first refusal stays. */
void problem_set(struct problem *p, enum problem_kind kind, const char *fmt,
		 ...) __attribute__((format(printf, 3, 4)));

/**
 * One faulty member; the kind becomes PROBLEM_VALIDATION unless another was
 * set before.
 * @param pointer  RFC 6901, into the request's body
 * @param value    what was sent, or NULL (never a secret)
 */
void problem_add(struct problem *p, const char *pointer, const char *code,
		 const json_t *value, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static inline bool problem_is_set(const struct problem *p)
{
	return p->kind != PROBLEM_NONE;
}

int problem_status(const struct problem *p);

/** New reference, NULL when out of memory. */
json_t *problem_encode(const struct problem *p, const char *instance,
		       const char *request_id);

/** Free what hangs on it and make it "no problem". */
void problem_clear(struct problem *p);

/**
 * Append one member name to a JSON pointer, escaped (RFC 6901 3).
 * @return buf; cut when it does not fit
 */
const char *pointer_join(char *buf, size_t size, const char *parent,
			 const char *name);

#endif
