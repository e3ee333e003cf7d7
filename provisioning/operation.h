/**
 * @file operation.h  What the API serves: one row per operation, generated
 * at build time from openapi.yaml, which is the contract.
 */
#ifndef OPERATION_H
#define OPERATION_H
#include <stdbool.h>
#include <stddef.h>

struct request;
struct resource;

/**
 * Scopes of a key, as bits; each is the role of whoever holds the key. Which
 * operations a scope may do is data of the contract (openapi_table.py).
 */
enum scope {
	SCOPE_NONE = 0,
	SCOPE_TENANT_READ = 1 << 0,
	SCOPE_TENANT_WRITE = 1 << 1,  /**< a tenant's administrator         */
	SCOPE_PLATFORM_READ = 1 << 2,
	SCOPE_PLATFORM_WRITE = 1 << 3, /**< the platform's administrator    */
	SCOPE_RESELLER = 1 << 4,      /**< of the tenants below its own     */
	SCOPE_NOC = 1 << 5,           /**< operates, moves no money         */
	SCOPE_BILLING = 1 << 6,       /**< money, no routing                */
};

#define SCOPES_OF_TENANTS \
	(SCOPE_TENANT_READ | SCOPE_TENANT_WRITE | SCOPE_RESELLER)
#define SCOPES_OF_PLATFORM \
	(SCOPE_PLATFORM_READ | SCOPE_PLATFORM_WRITE | SCOPE_NOC | \
	 SCOPE_BILLING)

/** Reads its request, writes its answer or problem. */
typedef void(operation_h)(struct request *req);

struct operation {
	const char *method;
	const char *path;     /**< "/v1/trunks/{trunk_id}"                 */
	const char *id;       /**< operationId                             */
	enum scope scope;     /**< the least; SCOPE_NONE: open to everybody */
	unsigned may;         /**< scopes that may do it                   */
	unsigned limited;     /**< of these, those that may send only:     */
	const char *const *members; /**< of the body, NULL-ended           */
	bool needs_match;     /**< If-Match is required                    */
	bool is_dry_able;     /**< a write: has ?dry_run=1                 */
	const char *const *query;  /**< documented parameters, NULL-ended  */
	const char *const *sorts;  /**< members for ?sort=, NULL-ended     */
	const char *const *media;  /**< accepted body types, NULL-ended    */
	size_t body_max;      /**< bytes; 0: no body                       */
	operation_h *handler;
	const struct resource *resource; /**< of the generic verbs, or NULL */
};

extern const struct operation operations[];
extern const size_t operation_n;
extern const char openapi_json[];
extern const size_t openapi_json_len;

/* The reference page, which shows the contract */
extern const char docs_html[], docs_css[], docs_js[];

/** Values of the {parameters} of a path, in order. */
struct path_match {
	char params[2][64];
	char allow[64];       /**< methods of this path when none fits      */
};

/**
 * @return the operation; NULL with match->allow "" (no such path) or the
 *         list of methods the path has
 */
const struct operation *operation_find(const struct operation *table,
				       size_t n, const char *method,
				       const char *path,
				       struct path_match *match);

/** A scope by its name ("platform:write"), SCOPE_NONE when unknown. */
enum scope scope_parse(const char *name);
const char *scope_name(enum scope scope);

/** Holds a key with these scopes one that may do this? */
bool operation_allows(const struct operation *op, unsigned scopes);

/**
 * May a key with these scopes make a key with that one? None can give more
 * than it has.
 */
bool scope_grants(unsigned scopes, enum scope wanted);

#endif
