/**
 * @file provision.c  /v1/provisionings: a customer with account, subscribers,
 * trunk, sites, user names, addresses and numbers in one transaction: all of it
 * or nothing. Each part is read, checked and written as by its own resource, and
 * a fault is named by where it stands in this body. Sites and subscribers have
 * no ids yet that others could say: these say the name.
 */
#include "json.h"
#include <openssl/crypto.h>
#include <string.h>
#include "change.h"
#include "id.h"
#include "moment.h"
#include "resource.h"
#include "rng.h"
#include "text.h"

#define LIST_MAX 50
#define ROWS_MAX (3 + 5 * LIST_MAX)
#define PASSWORD_CHARS 24 /* 120 bits */

/** Parts in the order in which they are made: each may name those before. */
enum {
	TENANT, ACCOUNT, SUBSCRIBERS, TRUNK, SITES, CREDENTIALS, IP_ACLS, DIDS,
	PART_N
};

/** Rows made here that others name. */
enum { SITE = 1, SUBSCRIBER = 2 };
static const struct link {
	unsigned bit;
	int part;
	const char *name;       /* member that is its name       */
	const char *by, *id;    /* member with it, what it means */
	const char *kind;
} links[] = {
	{SITE, SITES, "name", "site", "site_id", "site"},
	{SUBSCRIBER, SUBSCRIBERS, "legal_name", "subscriber", "subscriber_id",
	 "subscriber"},
};

static const struct part {
	const char *name;
	const struct resource *res;
	bool is_list;
	unsigned links;         /* what is named by it               */
	const char *implied[2]; /* members that are made here */
	int parts[2];           /* of these parts' ids        */
} parts[PART_N] = {
	[TENANT] = {"tenant", &resource_tenant, false, 0, {NULL}, {0}},
	[ACCOUNT] = {"account", &resource_account, false, 0,
		     {"tenant_id", NULL}, {TENANT, 0}},
	[SUBSCRIBERS] = {"subscribers", &resource_subscriber, true, 0,
			 {"tenant_id", NULL}, {TENANT, 0}},
	[TRUNK] = {"trunk", &resource_trunk, false, SUBSCRIBER,
		   {"tenant_id", "account_id"}, {TENANT, ACCOUNT}},
	[SITES] = {"sites", &resource_site, true, 0, {NULL}, {0}},
	[CREDENTIALS] = {"credentials", &resource_credential, true, SITE,
			 {NULL}, {0}},
	[IP_ACLS] = {"ip_acls", &resource_address, true, SITE, {NULL}, {0}},
	[DIDS] = {"dids", &resource_did, true, SITE | SUBSCRIBER,
		  {"tenant_id", "trunk_id"}, {TENANT, TRUNK}},
};

/** One row to be. */
struct row {
	const struct part *part;
	struct record *rec;
	char id[ID_TEXT_SIZE];
	char at[32];            /* "/dids/3" */
};

struct provision {
	struct request *req;
	char ids[PART_N][ID_TEXT_SIZE]; /* of parts that are no lists */
	struct row rows[ROWS_MAX];
	size_t n;
	json_t *secrets;        /* passwords that were made here */
};


static void provision_destructor(void *arg)
{
	struct provision *pr = arg;

	for (size_t i = 0; i < pr->n; i++)
		mem_deref(pr->rows[i].rec);
	json_decref(pr->secrets);
}


/* Problems are about what stands here, until the next */
static void stand(struct provision *pr, const char *at)
{
	TEXT_FILL(pr->req->problem.at, at);
}


static void id_new(struct provision *pr, const struct part *part,
		   char id[ID_TEXT_SIZE])
{
	struct moment now;

	moment_read(&now);
	id_make(id, part->res->id_prefix, pr->req->rng, moment_wall_ms(&now));
}


/* --- reading */

static int imply(struct provision *pr, const struct part *part, json_t *body)
{
	for (size_t i = 0; i < 2 && part->implied[i]; i++) {
		char pointer[64];

		if (json_object_get(body, part->implied[i]))
			problem_add(&pr->req->problem,
				    pointer_join(pointer, sizeof(pointer), "",
						 part->implied[i]),
				    "read_only", NULL,
				    "is that of the row made here");
		if (json_object_set_new(body, part->implied[i],
					json_string(pr->ids[part->parts[i]])))
			return ENOMEM;
	}

	return 0;
}


/* @return NULL: none has this name, or several have */
static const char *named_find(const struct provision *pr,
			      const struct link *link, const char *name)
{
	const char *id = NULL;

	for (size_t i = 0; name && i < pr->n; i++) {
		const struct row *row = &pr->rows[i];
		const char *known;

		if (row->part != &parts[link->part] || !row->rec)
			continue;
		known = record_text(row->rec, link->name);
		if (!known || strcmp(known, name))
			continue;
		if (id)
			return NULL;
		id = row->id;
	}

	return id;
}


/* "site", a name, becomes "site_id" */
static int link_put(struct provision *pr, const struct link *link,
		    json_t *body)
{
	json_t *name = json_object_get(body, link->by);
	const char *id = named_find(pr, link, json_string_value(name));
	char pointer[32];
	int err = 0;

	if (!name)
		return 0;

	if (json_object_get(body, link->id))
		problem_add(&pr->req->problem,
			    pointer_join(pointer, sizeof(pointer), "",
					 link->id), "not_allowed", NULL,
			    "is that of the %s that is named", link->kind);
	else if (!id)
		problem_add(&pr->req->problem,
			    pointer_join(pointer, sizeof(pointer), "",
					 link->by), "unknown", name,
			    "is the name of no %s made here, or of several",
			    link->kind);
	else if (json_object_set_new(body, link->id, json_string(id)))
		err = ENOMEM;
	(void)json_object_del(body, link->by);

	return err;
}


static int links_put(struct provision *pr, const struct part *part,
		     json_t *body)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(links) && !err; i++)
		if (part->links & links[i].bit)
			err = link_put(pr, &links[i], body);

	return err;
}


/* Who sends no password gets one, shown once */
static int password_make(struct provision *pr, const struct row *row,
			 json_t *body)
{
	char password[PASSWORD_CHARS + 1];
	json_t *secret;
	int err;

	if (row->part != &parts[CREDENTIALS] ||
	    json_object_get(body, "password"))
		return 0;

	rng_token(pr->req->rng, password, PASSWORD_CHARS);
	secret = json_pack("{s:s, s:O, s:s}", "credential_id", row->id,
			   "username", json_object_get(body, "username"),
			   "password", password);
	if (!secret) /* no user name: that is named as a fault */
		return 0;
	err = json_array_append_new(pr->secrets, secret) ||
			      json_object_set_new(body, "password",
						  json_string(password))
		      ? ENOMEM : 0;
	OPENSSL_cleanse(password, sizeof(password));

	return err;
}


static int row_read(struct provision *pr, const struct part *part,
		    const char *at, const json_t *given)
{
	struct row *row = &pr->rows[pr->n++];
	json_t *body = json_is_object(given) ? json_copy((json_t *)given)
					     : json_incref((json_t *)given);
	int err = 0;

	row->part = part;
	TEXT_FILL(row->at, at);
	stand(pr, at);
	if (part->is_list)
		id_new(pr, part, row->id);
	else
		TEXT_FILL(row->id, pr->ids[part - parts]);

	if (json_is_object(body))
		err = imply(pr, part, body);
	if (!err && json_is_object(body))
		err = links_put(pr, part, body);
	if (!err && json_is_object(body))
		err = password_make(pr, row, body);
	if (!err)
		err = record_decode(&row->rec, part->res->set, body, "",
				    &pr->req->problem);
	json_decref(body);

	return err;
}


static int list_read(struct provision *pr, const struct part *part,
		     const json_t *list)
{
	int err = 0;

	if (!json_is_array(list) || json_array_size(list) > LIST_MAX) {
		char pointer[32];

		(void)text_format(pointer, sizeof(pointer), "/%s",
				  part->name);
		problem_add(&pr->req->problem, pointer,
			    json_is_array(list) ? "out_of_range"
						: "wrong_type", NULL,
			    "must be an array of at most %d", LIST_MAX);
		return 0;
	}

	for (size_t i = 0; i < json_array_size(list) && !err; i++) {
		char at[32];

		(void)text_format(at, sizeof(at), "/%s/%zu", part->name, i);
		err = row_read(pr, part, at, json_array_get(list, i));
	}
	stand(pr, "");

	return err;
}


static int part_read(struct provision *pr, const struct part *part,
		     const json_t *body)
{
	const json_t *given = json_object_get(body, part->name);
	char at[32];
	int err;

	if (part->is_list)
		return given ? list_read(pr, part, given) : 0;

	(void)text_format(at, sizeof(at), "/%s", part->name);
	if (!given) {
		problem_add(&pr->req->problem, at, "required", NULL,
			    "is missing");
		return 0;
	}
	err = row_read(pr, part, at, given);
	stand(pr, "");

	return err;
}


static bool is_part(const char *name)
{
	for (size_t i = 0; i < PART_N; i++)
		if (!strcmp(parts[i].name, name))
			return true;

	return false;
}


static int body_read(struct provision *pr, const json_t *body)
{
	const char *name;
	json_t *value;
	int err = 0;

	if (!json_is_object(body)) {
		problem_add(&pr->req->problem, "", "wrong_type", body,
			    "must be an object");
		return 0;
	}
	json_object_foreach((json_t *)body, name, value) {
		char pointer[96];

		if (!is_part(name))
			problem_add(&pr->req->problem,
				    pointer_join(pointer, sizeof(pointer), "",
						 name),
				    "unknown", NULL,
				    "is not a member of this resource");
	}
	for (size_t i = 0; i < PART_N && !err; i++)
		err = part_read(pr, &parts[i], body);

	return err;
}


/* --- writing */

/* @return false: a problem is set and all is taken back */
static bool row_write(struct provision *pr, const struct row *row,
		      json_t *answer)
{
	struct request *req = pr->req;
	json_t *made;

	stand(pr, row->at);
	if (!resource_insert(req, row->part->res, row->rec, row->id))
		return false;

	stand(pr, "");
	made = resource_need(req, row->part->res, row->id, false, NULL);
	if (!made) {
		change_abort(req);
		return false;
	}
	if (row->part->is_list)
		(void)json_array_append_new(
			json_object_get(answer, row->part->name),
			row_seen(req, row->part->res, made));
	else
		(void)json_object_set_new(answer, row->part->name,
					  row_seen(req, row->part->res, made));

	/* it aborts by itself when it fails */
	if (!change_audit(req, row->part->res->kind, row->id, NULL, made)) {
		json_decref(made);
		return false;
	}
	json_decref(made);

	return true;
}


static void write_all(struct provision *pr)
{
	struct request *req = pr->req;
	json_t *answer = json_pack("{s:[], s:[], s:[], s:[], s:[], s:O}",
				   "subscribers", "sites", "credentials",
				   "ip_acls", "dids", "secrets", pr->secrets);
	bool is_good = change_begin(req);

	/* children hang on the trunk of the path */
	TEXT_FILL(req->path_params[0], pr->ids[TRUNK]);
	for (size_t i = 0; i < pr->n && is_good; i++)
		is_good = row_write(pr, &pr->rows[i], answer);

	if (!is_good) {
		json_decref(answer);
		return;
	}
	req->answer.once = "secrets";
	request_answer(req, 201, answer);
	(void)change_commit(req);
}


operation_h provisioning_create;


void provisioning_create(struct request *req)
{
	struct provision *pr;
	json_t *body = request_json(req);

	if (!body)
		return;

	pr = mem_zalloc(sizeof(*pr), provision_destructor);
	if (pr) {
		pr->req = req;
		pr->secrets = json_array();
		for (int i = 0; i < PART_N; i++)
			if (!parts[i].is_list)
				id_new(pr, &parts[i], pr->ids[i]);
	}
	if (!pr || body_read(pr, body))
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	else if (!problem_is_set(&req->problem))
		write_all(pr);

	mem_deref(pr);
	json_decref(body);
}
