/**
 * @file li_task.c  Tasks out of X1's XML.
 */
#include "li_task.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include "rng.h"
#include "text.h"
#include "x1_schema.h"


static void task_destructor(void *arg)
{
	struct li_task *t = arg;

	list_unlink(&t->le);
	json_decref(t->warrant);
	if (t->details)
		OPENSSL_cleanse(t->details, strlen(t->details));
	mem_deref(t->details);
	OPENSSL_cleanse(t->target, sizeof(t->target));
}


static int refuse(struct li_refusal *why, int code, const char *what)
{
	why->code = code;
	why->what = what;

	return ENOTSUP;
}


static int uuid_of(uint8_t uuid[LI_UUID_SIZE], const struct li_xml_node *node)
{
	char text[64];

	if (!node->text || li_xml_collapse(text, sizeof(text), node->text))
		return EBADMSG;

	return uuid_parse(uuid, text);
}


static int target_identity(struct li_target *t,
			   const struct poi_numbering *numbering)
{
	const size_t n = strlen(t->text);

	if (!strcmp(t->arm, "e164Number"))
		return poi_identity_number(t->identity, t->text, n, NULL);

	return poi_identity_uri(t->identity, t->text, n, numbering);
}


static int target_add(struct li_task *t, const struct li_xml_node *arm,
		      const struct poi_numbering *numbering,
		      struct li_refusal *why)
{
	static const char *const taken[] = {"e164Number", "sipUri", "telUri",
					    "impu"};
	struct li_target *target = &t->target[t->target_n];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(taken); i++) {
		if (!strcmp(arm->name, taken[i]))
			break;
	}
	if (i == ARRAY_SIZE(taken))
		return refuse(why, 3010, "unsupported target type");
	if (t->target_n == LI_TASK_TARGETS)
		return refuse(why, 3000, "too many targets");

	TEXT_FILL(target->arm, arm->name);
	if (li_xml_collapse(target->text, sizeof(target->text), arm->text) ||
	    target_identity(target, numbering))
		return refuse(why, 3000, "a target that no call can have");
	t->target_n++;

	return 0;
}


static int targets_read(struct li_task *t, const struct li_xml_node *details,
			const struct poi_numbering *numbering,
			struct li_refusal *why)
{
	const struct li_xml_node *list =
		li_xml_child(details, "targetIdentifiers");
	const struct li_xml_node *c;
	int err = 0;

	for (c = list->child; c && !err; c = c->next)
		err = target_add(t, c->child, numbering, why);

	return err;
}


/* Named twice it gets everything once */
static bool did_is_there(const struct li_task *t, const uint8_t *did)
{
	size_t i;

	for (i = 0; i < t->did_n; i++) {
		if (!memcmp(t->did[i], did, LI_UUID_SIZE))
			return true;
	}

	return false;
}


static int dids_read(struct li_task *t, const struct li_xml_node *details,
		     struct li_refusal *why)
{
	const struct li_xml_node *c =
		li_xml_child(details, "listOfDIDs")->child;
	uint8_t did[LI_UUID_SIZE];

	for (; c; c = c->next) {
		if (strcmp(c->name, "dId"))
			return refuse(why, 3000, "no destination sets");
		if (uuid_of(did, c))
			return EBADMSG;
		if (did_is_there(t, did))
			continue;
		if (t->did_n == LI_TASK_DIDS)
			return refuse(why, 3000, "too many destinations");
		memcpy(t->did[t->did_n++], did, LI_UUID_SIZE);
	}

	return t->did_n ? 0 : refuse(why, 3000, "no destination");
}


static int time_read(int64_t *ret_us, const struct li_xml_node *node,
		     const char *name)
{
	char text[64];

	li_xml_text(node, name, text, sizeof(text));

	return text[0] ? x1_time_read(ret_us, text) : 0;
}


static int window_read(struct li_task *t, const struct li_xml_node *node,
		       struct li_refusal *why)
{
	struct li_window w = {INT64_MIN, INT64_MAX};

	if (li_xml_child(node, "mediationDetailsExtensions") ||
	    li_xml_child(node, "listOfTrafficPolicyReferences") ||
	    li_xml_child(node, "serviceScopingOptions"))
		return refuse(why, 3000, "unsupported mediation details");
	if (t->window_n == LI_TASK_WINDOWS)
		return refuse(why, 3000, "too many mediation details");
	if (time_read(&w.from_us, node, "StartTime") ||
	    time_read(&w.to_us, node, "EndTime"))
		return EBADMSG;
	if (w.from_us >= w.to_us)
		return refuse(why, 3000, "EndTime is not after StartTime");
	t->window[t->window_n++] = w;

	return 0;
}


static int windows_read(struct li_task *t, const struct li_xml_node *details,
			struct li_refusal *why)
{
	const struct li_xml_node *list =
		li_xml_child(details, "listOfMediationDetails");
	const struct li_xml_node *c;
	int err = 0;

	for (c = list ? list->child : NULL; c && !err; c = c->next)
		err = window_read(t, c, why);

	return err;
}


static int services_read(const struct li_xml_node *details,
			 struct li_refusal *why)
{
	const struct li_xml_node *list =
		li_xml_child(details, "listOfServiceTypes");
	const struct li_xml_node *c;

	for (c = list ? list->child : NULL; c; c = c->next) {
		if (strcmp(c->text, "voice"))
			return refuse(why, 3050, "unsupported service type");
	}

	return 0;
}


static uint8_t products_of(const char *delivery)
{
	if (!strcmp(delivery, "X2Only"))
		return LI_X2;

	return !strcmp(delivery, "X3Only") ? LI_X3 : LI_X2 | LI_X3;
}


static int rest_read(struct li_task *t, const struct li_xml_node *details,
		     struct li_refusal *why)
{
	char text[64];
	const struct li_xml_node *product = li_xml_child(details, "productID");

	if (li_xml_child(details, "taskDetailsExtensions"))
		return refuse(why, 3000, "unsupported extension");
	if (li_xml_child(details, "listOfTrafficPolicyReferences"))
		return refuse(why, 3000, "unsupported traffic policy");
	if (uuid_of(t->xid, li_xml_child(details, "xId")) ||
	    uuid_of(t->header_xid,
		    product ? product : li_xml_child(details, "xId")))
		return EBADMSG;

	t->products = products_of(li_xml_text(details, "deliveryType", text,
					      sizeof(text)));
	li_xml_text(details, "correlationID", text, sizeof(text));
	t->has_correlation = text[0] != '\0';
	if (t->has_correlation &&
	    text_u64(&t->correlation, text, strlen(text), UINT64_MAX))
		return EBADMSG;
	li_xml_text(details, "implicitDeactivationAllowed", text,
		    sizeof(text));
	t->implicit_deactivation = !strcmp(text, "true") || !strcmp(text, "1");

	return 0;
}


static int details_keep(struct li_task *t, const struct li_xml_node *details)
{
	struct mbuf *mb = mbuf_alloc(1024);
	int err = mb ? li_xml_write(mb, details) : ENOMEM;

	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, &t->details, mb->end);
		OPENSSL_cleanse(mb->buf, mb->size);
	}
	mem_deref(mb);

	return err;
}


int li_task_make(struct li_task **tp, const struct li_xml_node *details,
		 const struct poi_numbering *numbering,
		 struct li_refusal *ret_why)
{
	struct li_task *t = mem_zalloc(sizeof(*t), task_destructor);
	int err;

	if (!t)
		return ENOMEM;

	t->owner = LI_OWNER_ADMF;
	err = rest_read(t, details, ret_why);
	err = err ? err : targets_read(t, details, numbering, ret_why);
	err = err ? err : services_read(details, ret_why);
	err = err ? err : dids_read(t, details, ret_why);
	err = err ? err : windows_read(t, details, ret_why);
	err = err ? err : details_keep(t, details);
	if (err)
		mem_deref(t);
	else
		*tp = t;

	return err;
}


json_t *li_task_json(const struct li_task *t)
{
	json_t *j = json_pack(
		"{si ss sI sI sb}", "owner", (int)t->owner, "details",
		t->details, "modified_us", (json_int_t)t->modified_us,
		"modifications", (json_int_t)t->modifications, "is_ended",
		(int)t->is_ended);

	if (j && t->warrant)
		(void)json_object_set(j, "warrant", t->warrant);

	return j;
}


/* The subtree has no namespaces of its own */
static int details_parse(struct li_xml **xp, const char *details)
{
	struct mbuf *mb = mbuf_alloc(1024);
	int err = mb ? mbuf_printf(mb, "<x xmlns=\"%s\" xmlns:c=\"%s\">%s</x>",
				   LI_XML_X1, LI_XML_COMMON, details)
		     : ENOMEM;

	err = err ? err : li_xml_parse(xp, (const char *)mb->buf, mb->end);
	if (mb)
		OPENSSL_cleanse(mb->buf, mb->size);
	mem_deref(mb);

	return err;
}


int li_task_times(json_t *warrant, struct li_window *w)
{
	const char *from = json_string_value(
		json_object_get(warrant, "valid_from"));
	const char *to = json_string_value(
		json_object_get(warrant, "valid_until"));
	char text[2][X1_TIME_SIZE + 8];

	if (!from || !to || strlen(from) != 20 || strlen(to) != 20 ||
	    from[19] != 'Z' || to[19] != 'Z' ||
	    text_format(text[0], sizeof(text[0]), "%.19s.000000Z", from) ||
	    text_format(text[1], sizeof(text[1]), "%.19s.000000Z", to) ||
	    x1_time_read(&w->from_us, text[0]) ||
	    x1_time_read(&w->to_us, text[1]))
		return EBADMSG;

	return w->from_us < w->to_us ? 0 : EBADMSG;
}


static int load(struct li_task **tp, json_t *j,
		const struct poi_numbering *numbering)
{
	const char *details;
	json_int_t modified, modifications;
	struct li_refusal why;
	struct li_xml *x = NULL;
	const char *where;
	int owner, is_ended, err;

	if (json_unpack(j, "{si ss sI sI sb}", "owner", &owner, "details",
			&details, "modified_us", &modified, "modifications",
			&modifications, "is_ended", &is_ended) ||
	    owner < LI_OWNER_ADMF || owner > LI_OWNER_OFFICER)
		return EBADMSG;

	err = details_parse(&x, details);
	if (err)
		return err;
	err = x1_schema_task(li_xml_root(x)->child, &where)
		      ? EBADMSG
		      : li_task_make(tp, li_xml_root(x)->child, numbering,
				     &why);
	mem_deref(x);
	if (err)
		return err;

	(*tp)->owner = (enum li_owner)owner;
	(*tp)->modified_us = modified;
	(*tp)->modifications = modifications;
	(*tp)->is_ended = is_ended;
	(*tp)->warrant = json_incref(json_object_get(j, "warrant"));
	if (!(*tp)->warrant)
		return 0;

	(*tp)->window_n = 1;
	err = li_task_times((*tp)->warrant, &(*tp)->window[0]);
	if (err)
		*tp = mem_deref(*tp);

	return err;
}


int li_task_load(struct li_task **tp, const char *json,
		 const struct poi_numbering *numbering)
{
	json_t *j = json_loads(json, 0, NULL);
	int err = j ? load(tp, j, numbering) : EBADMSG;

	json_decref(j);

	return err;
}


static bool is_within(const struct li_task *t, int64_t at_us, int64_t late_us)
{
	size_t i;

	if (t->is_ended)
		return false;
	if (t->warrant &&
	    !json_is_true(json_object_get(t->warrant, "is_approved")))
		return false;
	if (!t->window_n)
		return true;

	for (i = 0; i < t->window_n; i++) {
		if (at_us >= t->window[i].from_us &&
		    at_us - late_us < t->window[i].to_us)
			return true;
	}

	return false;
}


bool li_task_is_in_force(const struct li_task *t, int64_t at_us)
{
	return is_within(t, at_us, 0);
}


bool li_task_may_come(const struct li_task *t, int64_t at_us)
{
	return is_within(t, at_us, LI_LATE_US);
}


int64_t li_task_next_us(const struct li_task *t, int64_t at_us)
{
	int64_t next = INT64_MAX;
	size_t i;

	for (i = 0; i < t->window_n && !t->is_ended; i++) {
		const struct li_window *w = &t->window[i];

		if (w->from_us > at_us && w->from_us < next)
			next = w->from_us;
		if (w->to_us > at_us && w->to_us < next)
			next = w->to_us;
	}

	return next;
}


bool li_task_is_over(const struct li_task *t, int64_t at_us)
{
	size_t i;

	for (i = 0; i < t->window_n; i++) {
		if (at_us < t->window[i].to_us)
			return false;
	}

	return t->window_n > 0;
}
