/**
 * @file resource.h  A kind of row that the API serves: its table, its fields
 * and what its constraints mean. The generic verbs below do the rest.
 */
#ifndef RESOURCE_H
#define RESOURCE_H
#include "cursor.h"
#include "field.h"
#include "query.h"
#include "request.h"

/** What a broken constraint of the database means to the client. */
struct refusal {
	const char *constraint;
	const char *field;      /**< the member at fault, NULL: the whole  */
	enum problem_kind kind; /**< PROBLEM_CONFLICT or PROBLEM_VALIDATION */
	const char *detail;
	/** Reads the id of the row that clashes; parameters are the texts of
	 *  the two fields named here (the second may be NULL) */
	const char *clash_sql;
	const char *clash_fields[2];
};

/** A reference to a row that is not there. */
#define REFUSAL_NO_ROW(constraint_, field_, what_) \
	{.constraint = (constraint_), .field = (field_), \
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such " what_}

/** The owner of a row that hangs on one of a tenant's. */
#define OWNER_BY(table_, column_) \
	"(SELECT k.tenant_id FROM core." table_ " k WHERE k.id = t." \
	column_ ")"

struct resource {
	const char *kind;       /**< "trunk": audit, log                   */
	const char *table;      /**< "core.trunk"; NULL: the switch has the
				     rows, see live_list.h                 */
	const char *key;        /**< column that names a row               */
	const char *key_type;   /**< SQL type of the key: "text", "bigint" */
	/** Second column of the key, NULL: none. Such rows are listed by the
	 *  generic verb, and read and written by handlers of their own */
	const char *key2, *key2_type;
	const char *id_prefix;  /**< of ids made here; NULL: client's key  */
	const char *path;       /**< "/v1/trunks"; a child: below its parent */
	/** SQL: id of the tenant that row t belongs to ("t.tenant_id"). A
	 *  tenant's key sees rows of its own tenant and those below it; NULL:
	 *  the rows are the platform's and no tenant's key sees any. */
	const char *owner;
	const char *visible;    /**< SQL: rows the API shows, NULL: all    */
	const char *since;      /**< time column of ?since=, or NULL       */
	/** Members that keys of tenants read as null and cannot ask for;
	 *  NULL-ended, NULL: none */
	const char *const *hidden;
	/** What else of a page's rows is no business of who asks, a tenant */
	void (*conceal)(struct request *req, json_t *rows);
	/** Members that it makes null, NULL-ended, and the SQL condition of
	 *  rows t of which a tenant reads them: filters ask no others */
	const char *const *concealed;
	void (*is_open)(struct query *q, const char *tenant_id);
	bool newest_first;
	bool is_versioned;      /**< has row_version                       */
	const struct resource *parent;
	const char *parent_column;
	const struct field_set *set;
	const struct refusal *refusals; /**< ended by a NULL constraint    */

	/** A list that asks for too much: refuses by req->problem */
	void (*bound)(struct request *req);

	/**
	 * Before INSERT and UPDATE, in the transaction: fill columns that
	 * are made here. before is NULL on creation. Refuses by req->problem.
	 */
	int (*prepare)(struct request *req, struct record *rec,
		       const json_t *before);
	/** On creation, after the audit: members that are shown this once and
	 *  kept nowhere (name them in req->answer.once). */
	void (*reveal)(struct request *req, const char *id);
	/** After the row is written: rows that hang on it. As pg_exec(). */
	int (*settle)(struct request *req, const struct record *rec,
		      const char *id, PGresult **retp);
};

/* The generic verbs */
operation_h resource_list;
operation_h resource_get;
operation_h resource_create;
operation_h resource_patch;
operation_h resource_delete;

/**
 * Append " AND (row t belongs to whom the caller may see)": the one place
 * where rows of tenants are kept apart. Handlers that read for themselves
 * call it too.
 * @param owner  as in struct resource
 */
void query_owner(struct query *q, const struct request *req,
		 const char *owner);

/** Append FROM and WHERE: the rows of res, below the parent of the path, that
 *  the caller may see. */
void query_seen(struct query *q, const struct request *req,
		const struct resource *res);

/** Does the parent in the path exist for this caller? Sets not_found. */
bool resource_parent_is_seen(struct request *req, const struct resource *res);

/**
 * One row as JSON with row version, NULL when there is none (problem is then
 * set only when the database failed).
 * @param version  receives the text of row_version, or NULL
 */
json_t *resource_read(struct request *req, const struct resource *res,
		      const char *key, bool for_update, char version[24]);

/** What the body asks for. @return NULL: the problem is set. mem_deref() */
struct record *resource_decode(struct request *req,
			       const struct field_set *set);

/** As resource_read(), and not_found when there is none. */
json_t *resource_need(struct request *req, const struct resource *res,
		      const char *key, bool for_update, char version[24]);

/**
 * What a caller may write, beyond the form of it: members of the platform, and
 * references, which must name rows that the caller sees. Nothing to do for a
 * key of the platform.
 * @param old  the row before, or NULL; what did not move is not looked at
 * @return 0 (a problem may be set) or errno of pg
 */
int record_check(struct request *req, const struct record *rec,
		 const struct record *old);

/**
 * In a transaction: make one row of res, below the parent of the path if it
 * has one. false: a problem is set and the transaction is rolled back.
 */
bool resource_insert(struct request *req, const struct resource *res,
		     struct record *rec, const char *id);

/** Is this a member that the caller does not see? */
bool resource_hides(const struct request *req, const struct resource *res,
		    const char *name);

/** Make null what the caller does not see. @param rows  array of objects */
void rows_hide(struct request *req, const struct resource *res,
	       json_t *rows);

/** The row as the caller sees it: itself, or a copy. New reference. */
json_t *row_seen(const struct request *req, const struct resource *res,
		 json_t *row);

/** Did this field change? old may be NULL: is it there? */
bool record_is_moved(const struct record *old, const struct record *rec,
		     size_t i);

/** The resource whose ids begin so ("trk_"), NULL: none. */
const struct resource *resource_of_prefix(const char *prefix);

/** Every resource that the contract names; made by openapi_table.py. */
extern const struct resource *const resources[];
extern const size_t resource_n;

/** "/v1/trunks/trk_1": what a new row is found by. */
const char *resource_location(char *buf, size_t size,
			      const struct resource *res,
			      const struct request *req, const char *key);

/* The resources, each in its own file */
extern const struct resource resource_tenant;
extern const struct resource resource_account;
extern const struct resource resource_posting;
extern const struct resource resource_lease;
extern const struct resource resource_package;
extern const struct resource resource_subscription;
extern const struct resource resource_package_period;
extern const struct resource resource_package_usage;
extern const struct resource resource_package_lease;
extern const struct resource resource_realm;
extern const struct resource resource_trunk;
extern const struct resource resource_site;
extern const struct resource resource_subscriber;
extern const struct resource resource_credential;
extern const struct resource resource_address;
extern const struct resource resource_did;
extern const struct resource resource_numbering;
extern const struct resource resource_number_rule_set;
extern const struct resource resource_number_list;
extern const struct resource resource_number_list_entry;
extern const struct resource resource_cli_grant;
extern const struct resource resource_cdr_retention_rule;
extern const struct resource resource_cdr_deletion;
extern const struct resource resource_dead_letter;
extern const struct resource resource_cdr_export_template;
extern const struct resource resource_cdr_export_file;
extern const struct resource resource_short_code;
extern const struct resource resource_carrier;
extern const struct resource resource_disconnect_policy;
extern const struct resource resource_endpoint;
extern const struct resource resource_forward;
extern const struct resource resource_decision_url;
extern const struct resource resource_gateway;
extern const struct resource resource_routing_plan;
extern const struct resource resource_schedule;
extern const struct resource resource_carrier_group;
extern const struct resource resource_carrier_rule;
extern const struct resource resource_route;
extern const struct resource resource_place;
extern const struct resource resource_zone;
extern const struct resource resource_zone_rule;
extern const struct resource resource_calling_window;
extern const struct resource resource_fraud_rule;
extern const struct resource resource_fraud_event;
extern const struct resource resource_emergency_number;
extern const struct resource resource_rate_terms;
extern const struct resource resource_origin_set;
extern const struct resource resource_exchange_rate;
extern const struct resource resource_tax_profile;
extern const struct resource resource_seller;
extern const struct resource resource_billing_profile;
extern const struct resource resource_charge;
extern const struct resource resource_invoice;
extern const struct resource resource_discount;
extern const struct resource resource_rate_deck;
extern const struct resource resource_rate;
extern const struct resource resource_rate_sheet;
extern const struct resource resource_rate_sheet_row;
extern const struct resource resource_reconciliation;
extern const struct resource resource_reconciliation_fault;
extern const struct resource resource_rerate;
extern const struct resource resource_rerate_call;
extern const struct resource resource_record;
extern const struct resource resource_live_call;
extern const struct resource resource_registration;
extern const struct resource resource_job;
extern const struct resource resource_job_error;
extern const struct resource resource_event;
extern const struct resource resource_auth_failure;
extern const struct resource resource_webhook;
extern const struct resource resource_webhook_delivery;
extern const struct resource resource_api_key;
extern const struct resource resource_node;
extern const struct resource resource_audit_event;

#endif
