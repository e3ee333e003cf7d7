/**
 * @file li_rest.c  Warrants and destinations as JSON.
 */
#include "li_rest.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rng.h"
#include "text.h"
#include "x1_schema.h"

#define WARRANTS "/v1/warrants"
#define DESTINATIONS "/v1/destinations"
#define WORDS_MAX 128

struct turn {
	struct li_rest *rest;
	const struct li_request *req;
	struct li_reply *reply;
	const char *officer;
	int64_t now_us;
	uint8_t id[LI_UUID_SIZE];
	bool has_id;
};


bool li_rest_has(const char *path)
{
	return !strncmp(path, "/v1/", 4);
}


static void reply_json(struct turn *t, unsigned status, json_t *j)
{
	char *text = j ? json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	json_decref(j);
	t->reply->status = text ? status : 500;
	t->reply->type = "application/json";
	if (text)
		(void)mbuf_printf(t->reply->body, "%s\n", text);
	free(text);
}


/* Whatever was asked for: a record holds text, and no more than has a use */
static const char *shown(char *buf, size_t size, const char *text)
{
	char *p;

	(void)text_copy(buf, size, text);
	for (p = buf; *p; p++)
		*p = *p < ' ' || *p > '~' ? '?' : *p;

	return buf;
}


static json_t *record(const struct turn *t, unsigned status)
{
	char id[40], method[16], path[128];
	json_t *j = json_pack(
		"{ss ss ss ss ss si}", "method",
		shown(method, sizeof(method), t->req->method), "path",
		shown(path, sizeof(path), t->req->path), "officer", t->officer ? t->officer : "",
		"certificate", t->req->peer.serial, "from",
		t->req->peer.address, "status", (int)status);

	if (j && t->has_id)
		(void)json_object_set_new(j, "id", json_string(uuid_format(
							   id, t->id)));

	return j;
}


static int written(struct turn *t, unsigned status)
{
	return li_audit_commit(li_registry_audit(t->rest->registry), t->now_us,
			       "rest", record(t, status));
}


static void refuse(struct turn *t, unsigned status, const char *what)
{
	(void)written(t, status);
	reply_json(t, status, json_pack("{ss}", "error", what));
}


static void refuse_store(struct turn *t)
{
	refuse(t, 503, "the record cannot be written");
}


static struct li_act act_of(const struct turn *t, unsigned status)
{
	return (struct li_act){.wall_us = t->now_us, .event = "rest",
			       .detail = record(t, status)};
}


static struct li_task *warrant_find(const struct turn *t)
{
	struct li_task *task = li_registry_task(t->rest->registry, t->id);

	return task && task->owner == LI_OWNER_OFFICER ? task : NULL;
}


static struct li_destination *destination_find(const struct turn *t,
					       const uint8_t *id)
{
	struct li_destination *d =
		li_registry_destination(t->rest->registry, id);

	return d && d->owner == LI_OWNER_OFFICER ? d : NULL;
}


static const char *state_of(const struct turn *t, const struct li_task *task)
{
	if (task->is_ended || li_task_is_over(task, t->now_us))
		return "ended";
	if (!json_is_true(json_object_get(task->warrant, "is_approved")))
		return "proposed";

	return li_task_is_in_force(task, t->now_us) ? "in_force" : "waiting";
}


static json_t *warrant_json(const struct turn *t, const struct li_task *task)
{
	json_t *j = json_deep_copy(task->warrant);
	char id[40];

	if (j) {
		(void)json_object_set_new(j, "id", json_string(uuid_format(
							   id, task->xid)));
		(void)json_object_set_new(j, "state",
					  json_string(state_of(t, task)));
		(void)json_object_set_new(j, "revision",
					  json_integer(task->modifications));
	}

	return j;
}


/* Of an object: only these members, each of this type; @return what is wrong */
static const char *members_check(json_t *j, const char *const *names)
{
	const char *key;
	json_t *value;

	if (!json_is_object(j))
		return "an object is wanted";
	json_object_foreach(j, key, value)
	{
		const char *const *n = names;

		while (*n && strcmp(*n, key))
			n++;
		if (!*n)
			return "a member that is not known";
	}

	return NULL;
}


static bool words_hold(json_t *j)
{
	const char *s = json_string_value(j);

	return s && s[0] && strlen(s) <= WORDS_MAX;
}


/* "+49..." as it is dialled, or a URI */
static int target_write(const struct turn *t, struct mbuf *mb,
			const char *text)
{
	char id[POI_IDENTITY_SIZE];
	const bool is_sip = !strncmp(text, "sip:", 4) ||
			    !strncmp(text, "sips:", 5);
	const char *arm = is_sip ? "sipUri"
			  : !strncmp(text, "tel:", 4) ? "telUri"
						      : "e164Number";
	int err;

	if (!strcmp(arm, "e164Number")) {
		if (poi_identity_number(id, text, strlen(text),
					&t->rest->settings->numbering))
			return EBADMSG;
		text = id + strlen("tel:");
	}
	err = mbuf_printf(mb, "<targetIdentifier><%s>", arm);
	err = err ? err : li_xml_write_text(mb, text);

	return err ? err : mbuf_printf(mb, "</%s></targetIdentifier>", arm);
}


static int targets_write(const struct turn *t, struct mbuf *mb, json_t *list)
{
	size_t i;
	json_t *item;
	int err = json_is_array(list) && json_array_size(list) ? 0 : EBADMSG;

	err = err ? err : mbuf_write_str(mb, "<targetIdentifiers>");
	json_array_foreach(list, i, item)
	{
		if (!err)
			err = json_is_string(item)
				      ? target_write(t, mb,
						     json_string_value(item))
				      : EBADMSG;
	}

	return err ? err : mbuf_write_str(mb, "</targetIdentifiers>");
}


static int products_write(struct mbuf *mb, json_t *list)
{
	uint8_t products = 0;
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		const char *s = json_string_value(item);

		if (s && !strcmp(s, "x2"))
			products |= LI_X2;
		else if (s && !strcmp(s, "x3"))
			products |= LI_X3;
		else
			return EBADMSG;
	}
	if (!json_is_array(list) || !products)
		return EBADMSG;

	return mbuf_printf(mb, "<deliveryType>%s</deliveryType>",
			   products == LI_X2   ? "X2Only"
			   : products == LI_X3 ? "X3Only"
					       : "X2andX3");
}


static int destinations_write(const struct turn *t, struct mbuf *mb,
			      json_t *list)
{
	uint8_t id[LI_UUID_SIZE];
	size_t i;
	json_t *item;
	int err = json_is_array(list) ? mbuf_write_str(mb, "<listOfDIDs>")
				      : EBADMSG;

	json_array_foreach(list, i, item)
	{
		if (err)
			break;
		if (!json_is_string(item) ||
		    uuid_parse(id, json_string_value(item)) ||
		    !destination_find(t, id))
			return EBADMSG;
		err = mbuf_printf(mb, "<dId>%s</dId>",
				  json_string_value(item));
	}

	return err ? err : mbuf_write_str(mb, "</listOfDIDs>");
}


static int xml_parse(struct li_xml **xp, const struct mbuf *inside)
{
	struct mbuf *mb = mbuf_alloc(1024);
	int err = mb ? mbuf_printf(mb, "<x xmlns=\"%s\" xmlns:c=\"%s\">%b</x>",
				   LI_XML_X1, LI_XML_COMMON, inside->buf,
				   inside->end)
		     : ENOMEM;

	err = err ? err : li_xml_parse(xp, (const char *)mb->buf, mb->end);
	mem_deref(mb);

	return err;
}


static int task_of(const struct turn *t, struct li_task **tp,
		   struct mbuf *details)
{
	struct li_refusal why;
	struct li_xml *x = NULL;
	const char *where;
	int err = xml_parse(&x, details);

	if (err)
		return err;
	err = x1_schema_task(li_xml_root(x)->child, &where)
		      ? EBADMSG
		      : li_task_make(tp, li_xml_root(x)->child,
				     &t->rest->settings->numbering, &why);
	mem_deref(x);

	return err;
}


/* @return NULL, or what is wrong with the body */
static const char *warrant_read(const struct turn *t, struct li_task **tp,
				json_t *j)
{
	static const char *const names[] = {
		"reference", "authority", "valid_from", "valid_until",
		"targets", "products", "destinations", NULL};
	struct mbuf *mb = mbuf_alloc(1024);
	struct li_window w = {0};
	const char *what = members_check(j, names);
	char id[40];

	if (!mb)
		return "no memory";
	(void)mbuf_printf(mb, "<taskDetails><xId>%s</xId>",
			  uuid_format(id, t->id));
	if (!what && (!words_hold(json_object_get(j, "reference")) ||
		      !words_hold(json_object_get(j, "authority"))))
		what = "reference and authority are texts of 1 to 128 octets";
	if (!what && li_task_times(j, &w))
		what = "valid_from is a second before valid_until, as "
		       "2026-11-28T00:00:00Z";
	if (!what && targets_write(t, mb, json_object_get(j, "targets")))
		what = "targets are numbers, sip or tel URIs; at least one";
	if (!what && products_write(mb, json_object_get(j, "products")))
		what = "products are x2, x3 or both";
	if (!what &&
	    destinations_write(t, mb, json_object_get(j, "destinations")))
		what = "destinations are ids of destinations that exist";
	if (!what && mbuf_write_str(mb, "</taskDetails>"))
		what = "no memory";
	if (!what && task_of(t, tp, mb))
		what = "targets or destinations that cannot be taken";
	mem_deref(mb);
	if (what)
		return what;

	(*tp)->owner = LI_OWNER_OFFICER;
	(*tp)->window[0] = w;
	(*tp)->window_n = 1;
	(*tp)->warrant = json_deep_copy(j);

	return (*tp)->warrant ? NULL : "no memory";
}


/* As in X1: somebody has to take each product */
static bool destinations_take(const struct turn *t, const struct li_task *task)
{
	uint8_t products = 0;
	size_t i;

	for (i = 0; i < task->did_n; i++) {
		const struct li_destination *d =
			destination_find(t, task->did[i]);

		products |= d ? d->products : 0;
	}

	return !(task->products & ~products);
}


static void warrant_put(struct turn *t, json_t *body, unsigned status)
{
	const bool is_approved = !t->rest->settings->two_persons;
	struct li_task *task = NULL, *old = warrant_find(t);
	const char *what = warrant_read(t, &task, body);
	struct li_act act;
	int err;

	if (!what && !destinations_take(t, task))
		what = "no destination takes one of the products";
	if (!what && li_task_is_over(task, t->now_us))
		what = "valid_until is over";
	if (what) {
		mem_deref(task);
		refuse(t, 422, what);
		return;
	}

	(void)json_object_set_new(task->warrant, "proposed_by",
				  json_string(t->officer));
	(void)json_object_set_new(task->warrant, "is_approved",
				  json_boolean(is_approved));
	task->modified_us = t->now_us;
	task->modifications = old ? old->modifications + 1 : 0;
	act = act_of(t, status);
	err = li_registry_task_put(t->rest->registry, task, &act);
	if (err) {
		mem_deref(task);
		if (err == EDQUOT)
			refuse(t, 409, "too many warrants or targets are "
				       "there: end one");
		else
			refuse_store(t);
		return;
	}
	reply_json(t, status, warrant_json(t, task));
}


/* What is approved is what was looked at, not what it is by now */
static void warrant_approve(struct turn *t, json_t *body)
{
	static const char *const names[] = {"revision", NULL};
	const json_t *revision = json_object_get(body, "revision");
	struct li_task *task = warrant_find(t);
	const char *by = json_string_value(
		json_object_get(task->warrant, "proposed_by"));
	json_t *before;
	struct li_act act;

	if (members_check(body, names) || !json_is_integer(revision)) {
		refuse(t, 422, "revision is that of the warrant that was "
			       "looked at");
		return;
	}
	if (json_integer_value(revision) != task->modifications) {
		refuse(t, 409, "it was changed meanwhile");
		return;
	}
	if (json_is_true(json_object_get(task->warrant, "is_approved"))) {
		refuse(t, 409, "it is approved");
		return;
	}
	if (!by || !strcmp(by, t->officer)) {
		refuse(t, 403, "somebody else has to approve it");
		return;
	}

	before = json_deep_copy(task->warrant);
	(void)json_object_set_new(task->warrant, "is_approved", json_true());
	(void)json_object_set_new(task->warrant, "approved_by",
				  json_string(t->officer));
	act = act_of(t, 200);
	if (!before || li_registry_task_update(t->rest->registry, task, &act)) {
		if (before) {
			json_decref(task->warrant);
			task->warrant = before;
		}
		refuse_store(t);
		return;
	}
	json_decref(before);
	reply_json(t, 200, warrant_json(t, task));
}


static void warrant_remove(struct turn *t)
{
	struct li_act act = act_of(t, 204);

	if (li_registry_task_remove(t->rest->registry, warrant_find(t), &act))
		refuse_store(t);
	else
		t->reply->status = 204;
}


static void told(struct turn *t, json_t *j)
{
	if (written(t, 200)) {
		json_decref(j);
		refuse_store(t);
		return;
	}
	reply_json(t, 200, j);
}


static void warrants_list(struct turn *t)
{
	json_t *list = json_array();
	struct le *le;

	for (le = list_head(li_registry_tasks(t->rest->registry)); le;
	     le = le->next) {
		const struct li_task *task = le->data;

		if (task->owner == LI_OWNER_OFFICER)
			(void)json_array_append_new(list,
						    warrant_json(t, task));
	}
	told(t, json_pack("{so}", "data", list));
}


static json_t *destination_json(const struct li_destination *d)
{
	json_t *products = json_array();
	char id[40], address[64];

	(void)re_snprintf(address, sizeof(address), "%J", &d->address);
	if (d->products & LI_X2)
		(void)json_array_append_new(products, json_string("x2"));
	if (d->products & LI_X3)
		(void)json_array_append_new(products, json_string("x3"));

	return json_pack("{ss ss so sb}", "id", uuid_format(id, d->did),
			 "address", address, "products", products, "is_up",
			 !d->faults);
}


static void destinations_list(struct turn *t)
{
	json_t *list = json_array();
	struct le *le;

	for (le = list_head(li_registry_destinations(t->rest->registry)); le;
	     le = le->next) {
		const struct li_destination *d = le->data;

		if (d->owner == LI_OWNER_OFFICER)
			(void)json_array_append_new(list, destination_json(d));
	}
	told(t, json_pack("{so}", "data", list));
}


/* All eight groups of four digits, as TS 103 280 wants them */
static int ip_write(struct mbuf *mb, const struct sa *sa)
{
	const uint8_t *p = (const uint8_t *)&sa->u.in6.sin6_addr;
	size_t i;
	int err = 0;

	if (sa_af(sa) == AF_INET)
		return mbuf_printf(mb, "<c:IPv4Address>%j</c:IPv4Address>",
				   sa);

	err = mbuf_write_str(mb, "<c:IPv6Address>");
	for (i = 0; i < 16 && !err; i += 2)
		err = mbuf_printf(mb, "%s%02x%02x", i ? ":" : "", p[i],
				  p[i + 1]);

	return err ? err : mbuf_write_str(mb, "</c:IPv6Address>");
}


static int destination_xml(const struct turn *t, struct mbuf *mb, json_t *j)
{
	const char *address = json_string_value(json_object_get(j, "address"));
	char id[40];
	struct sa sa;
	int err;

	if (!address || sa_decode(&sa, address, strlen(address)) ||
	    sa_port(&sa) < 2)
		return EBADMSG;

	err = mbuf_printf(mb, "<destinationDetails><dId>%s</dId>",
			  uuid_format(id, t->id));
	err = err ? err : products_write(mb, json_object_get(j, "products"));
	err = err ? err
		  : mbuf_write_str(mb, "<deliveryAddress><ipAddressAndPort>"
				       "<c:address>");
	err = err ? err : ip_write(mb, &sa);

	return err ? err
		   : mbuf_printf(mb, "</c:address><c:port><c:TCPPort>%u"
				 "</c:TCPPort></c:port></ipAddressAndPort>"
				 "</deliveryAddress></destinationDetails>",
				 sa_port(&sa));
}


static int destination_make(const struct turn *t, struct li_destination **dp,
			    json_t *body)
{
	struct mbuf *mb = mbuf_alloc(512);
	struct li_refusal why;
	struct li_xml *x = NULL;
	const char *where;
	int err = mb ? destination_xml(t, mb, body) : ENOMEM;

	err = err ? err : xml_parse(&x, mb);
	mem_deref(mb);
	if (err)
		return err;
	err = x1_schema_destination(li_xml_root(x)->child, &where)
		      ? EBADMSG
		      : li_destination_make(dp, li_xml_root(x)->child, &why);
	mem_deref(x);
	if (!err)
		(*dp)->owner = LI_OWNER_OFFICER;

	return err;
}


static void destination_put(struct turn *t, json_t *body)
{
	static const char *const names[] = {"address", "products", NULL};
	struct li_destination *d = NULL;
	const char *what = members_check(body, names);
	struct li_act act;

	if (!what && destination_make(t, &d, body))
		what = "address is IP:port, products are x2, x3 or both";
	if (what) {
		refuse(t, 422, what);
		return;
	}
	act = act_of(t, 201);
	if (li_registry_destination_put(t->rest->registry, d, &act)) {
		mem_deref(d);
		refuse_store(t);
		return;
	}
	reply_json(t, 201, destination_json(d));
}


static void destination_remove(struct turn *t, struct li_destination *d)
{
	struct li_act act;

	if (li_registry_destination_is_used(t->rest->registry, d)) {
		refuse(t, 409, "a warrant uses it");
		return;
	}
	act = act_of(t, 204);
	if (li_registry_destination_remove(t->rest->registry, d, &act))
		refuse_store(t);
	else
		t->reply->status = 204;
}


static int id_fresh(struct turn *t)
{
	struct rng *rng = NULL;
	int err = rng_system(&rng);

	if (err)
		return err;
	rng_uuid7(rng, t->now_us / 1000, t->id);
	t->has_id = true;
	mem_deref(rng);

	return 0;
}


/* The body of a POST or PUT; NULL was answered */
static json_t *body_of(struct turn *t)
{
	json_t *j = t->req->len <= LI_REST_BODY_MAX
			    ? json_loadb(t->req->body, t->req->len,
					 JSON_REJECT_DUPLICATES, NULL)
			    : NULL;

	if (!j)
		refuse(t, 400, "no JSON, or too long");

	return j;
}


static void warrants(struct turn *t, const char *rest)
{
	const char *method = t->req->method;
	json_t *body;

	if (!t->has_id && !strcmp(method, "GET")) {
		warrants_list(t);
		return;
	}
	if (t->has_id && !warrant_find(t)) {
		refuse(t, 404, "no such warrant");
		return;
	}
	if (t->has_id && !strcmp(rest, "/approve") &&
	    !strcmp(method, "POST")) {
		body = body_of(t);
		if (body)
			warrant_approve(t, body);
		json_decref(body);
	}
	else if (rest[0])
		refuse(t, 404, "no such path");
	else if (t->has_id && !strcmp(method, "GET"))
		told(t, warrant_json(t, warrant_find(t)));
	else if (t->has_id && !strcmp(method, "DELETE"))
		warrant_remove(t);
	else if (t->has_id ? !strcmp(method, "PUT") : !strcmp(method, "POST")) {
		const unsigned status = t->has_id ? 200 : 201;

		body = !t->has_id && id_fresh(t) ? NULL : body_of(t);
		if (body)
			warrant_put(t, body, status);
		json_decref(body);
	}
	else
		refuse(t, 405, "no such method here");
}


static void destinations(struct turn *t, const char *rest)
{
	const char *method = t->req->method;
	struct li_destination *d = t->has_id ? destination_find(t, t->id)
					     : NULL;
	json_t *body;

	if (rest[0] || (t->has_id && !d))
		refuse(t, 404, "no such destination");
	else if (d && !strcmp(method, "GET"))
		told(t, destination_json(d));
	else if (d && !strcmp(method, "DELETE"))
		destination_remove(t, d);
	else if (!d && !strcmp(method, "GET"))
		destinations_list(t);
	else if (!d && !strcmp(method, "POST")) {
		body = id_fresh(t) ? NULL : body_of(t);
		if (body)
			destination_put(t, body);
		json_decref(body);
	}
	else
		refuse(t, 405, "no such method here");
}


/* "/ID" and what follows; @return NULL: no id where there should be one */
static const char *id_take(struct turn *t, const char *path)
{
	char text[37];

	if (!path[0])
		return path;
	if (path[0] != '/' || strlen(path) < 37 ||
	    text_set(text, sizeof(text), path + 1, 36) ||
	    uuid_parse(t->id, text))
		return NULL;
	t->has_id = true;

	return path + 37;
}


void li_rest_answer(struct li_rest *rest, const struct li_request *req,
		    struct li_reply *reply, int64_t now_us)
{
	struct turn t = {
		.rest = rest, .req = req, .reply = reply, .now_us = now_us,
		.officer = li_peer_officer(&req->peer,
					   rest->settings->officers),
	};
	const char *path = req->path;
	const bool is_warrants = !strncmp(path, WARRANTS, strlen(WARRANTS));
	const bool is_destinations =
		!strncmp(path, DESTINATIONS, strlen(DESTINATIONS));
	const char *after = NULL;

	if (!t.officer) {
		refuse(&t, 403, "for intercept officers only");
		return;
	}
	if (is_warrants)
		after = id_take(&t, path + strlen(WARRANTS));
	else if (is_destinations)
		after = id_take(&t, path + strlen(DESTINATIONS));

	if (!after)
		refuse(&t, 404, "no such path");
	else if (is_warrants)
		warrants(&t, after);
	else
		destinations(&t, after);
}
