/**
 * @file x1_face.c  Messages of X1: who, what, may it be, done, written down.
 */
#include "x1_face.h"
#include <errno.h>
#include <string.h>
#include "rng.h"
#include "text.h"
#include "x1_answer.h"
#include "x1_schema.h"

#define MESSAGES_MAX 64
#define RESPONSE "x1ResponseMessage"

/** One message, while it is answered. */
struct turn {
	struct x1_face *face;
	struct mbuf *out;
	const struct li_peer *peer;
	const struct li_xml_node *message;
	struct x1_header header;
	enum x1_type type;
	int64_t now_us;
	char xid[40], did[40]; /**< whom it was about, for the record       */
	bool is_written;       /**< its record is on disk already           */
};


static json_t *record(const struct turn *t, int code)
{
	json_t *j = json_pack(
		"{ss ss ss ss ss ss si}", "message", x1_type_name(t->type),
		"admf", t->header.admf, "ne", t->header.ne, "transaction",
		t->header.transaction, "certificate", t->peer->serial, "from",
		t->peer->address, "code", code);

	if (j && t->xid[0])
		(void)json_object_set_new(j, "xid", json_string(t->xid));
	if (j && t->did[0])
		(void)json_object_set_new(j, "did", json_string(t->did));

	return j;
}


static struct li_act act_of(const struct turn *t)
{
	return (struct li_act){.wall_us = t->now_us, .event = "x1",
			       .detail = record(t, 0)};
}


/* An answer to a query or a refusal: its record comes before it */
static int written(struct turn *t, int code)
{
	t->is_written = true;

	return li_audit_commit(li_registry_audit(t->face->registry),
			       t->now_us, "x1", record(t, code));
}


static int refuse(struct turn *t, int code, const char *what,
		  const char *where)
{
	int err;

	/* what cannot be written down is still refused */
	(void)written(t, code);
	err = x1_answer_message(t->out, RESPONSE, "ErrorResponse", "",
				&t->header, t->now_us);
	err = err ? err : x1_answer_error(t->out, t->type, code, what, where);

	return err ? err : x1_answer_message_end(t->out, RESPONSE);
}


static int begin(struct turn *t)
{
	return x1_answer_message(t->out, RESPONSE, x1_type_name(t->type),
				 "Response", &t->header, t->now_us);
}


static int ok(struct turn *t, bool is_completed)
{
	int err;

	if (!t->is_written && written(t, 0))
		return refuse(t, 1000, "the record cannot be written", NULL);

	err = begin(t);
	err = err ? err : x1_answer_ok(t->out, is_completed);

	return err ? err : x1_answer_message_end(t->out, RESPONSE);
}


/* Tasks of a report_url's ADMF are told of when a switch has them. The end of
 * one is complete at once: nothing of it is delivered from here on. */
static bool completes(const struct turn *t)
{
	return !t->face->health->reports_come;
}


static void id_keep(char text[40], const uint8_t id[LI_UUID_SIZE])
{
	(void)uuid_format(text, id);
}


static int id_read(const struct turn *t, const char *name,
		   uint8_t id[LI_UUID_SIZE], char text[40])
{
	li_xml_text(t->message, name, text, 40);

	return uuid_parse(id, text);
}


/* Those of an officer are not there for the ADMF */
static struct li_task *task_find(const struct turn *t,
				 const uint8_t xid[LI_UUID_SIZE])
{
	struct li_task *task = li_registry_task(t->face->registry, xid);

	return task && task->owner == LI_OWNER_ADMF ? task : NULL;
}


static struct li_destination *
destination_find(const struct turn *t, const uint8_t did[LI_UUID_SIZE])
{
	struct li_destination *d =
		li_registry_destination(t->face->registry, did);

	return d && d->owner == LI_OWNER_ADMF ? d : NULL;
}


/* Every destination known, and one for each product */
static int destinations_check(const struct turn *t,
			      const struct li_task *task,
			      struct li_refusal *why)
{
	uint8_t products = 0;
	size_t i;

	for (i = 0; i < task->did_n; i++) {
		const struct li_destination *d =
			destination_find(t, task->did[i]);

		if (!d) {
			*why = (struct li_refusal){2040, "DID does not exist"};
			return ENOTSUP;
		}
		products |= d->products;
	}
	if (task->products & ~products) {
		*why = (struct li_refusal){3040, "no destination takes what "
						 "is to be delivered"};
		return ENOTSUP;
	}

	return 0;
}


static int task_put(struct turn *t)
{
	const bool is_new = t->type == X1_ACTIVATE_TASK;
	struct li_registry *r = t->face->registry;
	struct li_refusal why = {is_new ? 3000 : 3001, "not possible"};
	struct li_task *task = NULL, *old;
	struct li_act act;
	int err = li_task_make(&task, li_xml_child(t->message, "taskDetails"),
			       li_registry_numbering(r), &why);

	if (!err)
		id_keep(t->xid, task->xid);
	old = err ? NULL : li_registry_task(r, task->xid);
	if (!err && is_new && old) {
		why = (struct li_refusal){2010, "XID already exists"};
		err = EEXIST;
	}
	if (!err && !is_new && (!old || old->owner != LI_OWNER_ADMF)) {
		why = (struct li_refusal){2020, "XID does not exist"};
		err = ENOENT;
	}
	err = err ? err : destinations_check(t, task, &why);
	if (!err) {
		task->modified_us = is_new ? 0 : t->now_us;
		task->modifications = is_new ? 0 : old->modifications + 1;
		task->is_ended = li_task_is_over(task, t->now_us);
		act = act_of(t);
		err = li_registry_task_put(r, task, &act);
		if (err == EDQUOT)
			why.what = "too many tasks or targets are there";
	}
	if (err) {
		mem_deref(task);
		if (why.code == 3000 && !is_new)
			why.code = 3001;
		return refuse(t, why.code, why.what, NULL);
	}

	t->is_written = true;

	return ok(t, completes(t));
}


static int task_remove(struct turn *t)
{
	uint8_t xid[LI_UUID_SIZE];
	struct li_task *task = id_read(t, "xId", xid, t->xid)
				       ? NULL : task_find(t, xid);
	struct li_act act;

	if (!task)
		return refuse(t, 2020, "XID does not exist", NULL);

	act = act_of(t);
	if (li_registry_task_remove(t->face->registry, task, &act))
		return refuse(t, 4000, "the record cannot be written", NULL);
	t->is_written = true;

	return ok(t, true);
}


static int tasks_remove(struct turn *t)
{
	struct li_registry *r = t->face->registry;
	struct le *le, *next;
	int err = 0;

	if (!t->face->settings->deactivate_all)
		return refuse(t, 5010, "not enabled", NULL);

	for (le = list_head(li_registry_tasks(r)); le && !err; le = next) {
		struct li_task *task = le->data;
		struct li_act act;

		next = le->next;
		if (task->owner != LI_OWNER_ADMF)
			continue;
		id_keep(t->xid, task->xid);
		act = act_of(t);
		act.event = "x1_part";
		err = li_registry_task_remove(r, task, &act);
	}
	t->xid[0] = '\0';

	return err ? refuse(t, 5000, "the record cannot be written", NULL)
		   : ok(t, true);
}


/* As d is to be: does it, with the others, still take what tasks deliver? */
static bool tasks_keep(const struct turn *t, const struct li_destination *d)
{
	struct le *le;

	for (le = list_head(li_registry_tasks(t->face->registry)); le;
	     le = le->next) {
		const struct li_task *task = le->data;
		bool is_used = false;
		uint8_t products = 0;
		size_t i;

		for (i = 0; i < task->did_n; i++) {
			const bool is_it = !memcmp(task->did[i], d->did,
						   LI_UUID_SIZE);
			const struct li_destination *one =
				is_it ? d : li_registry_destination(
						    t->face->registry,
						    task->did[i]);

			is_used = is_used || is_it;
			products |= one ? one->products : 0;
		}
		if (is_used && task->products & ~products)
			return false;
	}

	return true;
}


static int destination_put(struct turn *t)
{
	const bool is_new = t->type == X1_CREATE_DESTINATION;
	struct li_registry *r = t->face->registry;
	struct li_refusal why = {is_new ? 6000 : 6001, "not possible"};
	struct li_destination *d = NULL, *old;
	struct li_act act;
	int err = li_destination_make(
		&d, li_xml_child(t->message, "destinationDetails"), &why);

	if (!err)
		id_keep(t->did, d->did);
	old = err ? NULL : li_registry_destination(r, d->did);
	if (!err && is_new && old) {
		why = (struct li_refusal){2030, "DID already exists"};
		err = EEXIST;
	}
	if (!err && !is_new && (!old || old->owner != LI_OWNER_ADMF)) {
		why = (struct li_refusal){2040, "DID does not exist"};
		err = ENOENT;
	}
	if (!err && !is_new && !tasks_keep(t, d)) {
		why = (struct li_refusal){6001, "a task delivers what it "
						"would not take"};
		err = EBUSY;
	}
	if (!err) {
		act = act_of(t);
		err = li_registry_destination_put(r, d, &act);
	}
	if (err) {
		mem_deref(d);
		if (why.code == 6000 && !is_new)
			why.code = 6001;
		return refuse(t, why.code, why.what, NULL);
	}

	t->is_written = true;

	return ok(t, true);
}


static int destination_remove(struct turn *t)
{
	uint8_t did[LI_UUID_SIZE];
	struct li_destination *d = id_read(t, "dId", did, t->did)
					   ? NULL : destination_find(t, did);
	struct li_act act;

	if (!d)
		return refuse(t, 2040, "DID does not exist", NULL);
	if (li_registry_destination_is_used(t->face->registry, d))
		return refuse(t, 7010, "destination in use", NULL);

	act = act_of(t);
	if (li_registry_destination_remove(t->face->registry, d, &act))
		return refuse(t, 7000, "the record cannot be written", NULL);
	t->is_written = true;

	return ok(t, true);
}


static int destinations_remove(struct turn *t)
{
	struct li_registry *r = t->face->registry;
	struct le *le, *next;
	int err = 0;

	if (!t->face->settings->remove_all)
		return refuse(t, 8020, "not enabled", NULL);

	for (le = list_head(li_registry_destinations(r)); le; le = le->next) {
		const struct li_destination *d = le->data;

		if (d->owner == LI_OWNER_ADMF &&
		    li_registry_destination_is_used(r, d))
			return refuse(t, 8010, "destination in use", NULL);
	}
	for (le = list_head(li_registry_destinations(r)); le && !err;
	     le = next) {
		struct li_destination *d = le->data;
		struct li_act act;

		next = le->next;
		if (d->owner != LI_OWNER_ADMF)
			continue;
		id_keep(t->did, d->did);
		act = act_of(t);
		act.event = "x1_part";
		err = li_registry_destination_remove(r, d, &act);
	}
	t->did[0] = '\0';

	return err ? refuse(t, 8000, "the record cannot be written", NULL)
		   : ok(t, true);
}


static int tasks_write(const struct turn *t)
{
	struct le *le;
	int err = mbuf_write_str(t->out, "<listOfTaskResponseDetails>");

	for (le = list_head(li_registry_tasks(t->face->registry)); le && !err;
	     le = le->next) {
		const struct li_task *task = le->data;

		if (task->owner == LI_OWNER_ADMF)
			err = x1_answer_task(t->out, task, t->face->health);
	}

	return err ? err : mbuf_write_str(t->out,
					  "</listOfTaskResponseDetails>");
}


static int destinations_write(const struct turn *t)
{
	struct le *le;
	int err = mbuf_write_str(t->out, "<listOfDestinationResponseDetails>");

	for (le = list_head(li_registry_destinations(t->face->registry));
	     le && !err; le = le->next) {
		const struct li_destination *d = le->data;

		if (d->owner == LI_OWNER_ADMF)
			err = x1_answer_destination(t->out, d);
	}

	return err ? err
		   : mbuf_write_str(t->out,
				    "</listOfDestinationResponseDetails>");
}


static int ids_write(const struct turn *t)
{
	char text[40];
	struct le *le;
	int err = mbuf_write_str(t->out, "<ListOfXIDs>");

	for (le = list_head(li_registry_tasks(t->face->registry)); le && !err;
	     le = le->next) {
		const struct li_task *task = le->data;

		if (task->owner == LI_OWNER_ADMF)
			err = mbuf_printf(t->out, "<xId>%s</xId>",
					  uuid_format(text, task->xid));
	}
	err = err ? err : mbuf_write_str(t->out, "</ListOfXIDs><ListOfDIDs>");
	for (le = list_head(li_registry_destinations(t->face->registry));
	     le && !err; le = le->next) {
		const struct li_destination *d = le->data;

		if (d->owner == LI_OWNER_ADMF)
			err = mbuf_printf(t->out, "<dId>%s</dId>",
					  uuid_format(text, d->did));
	}

	return err ? err : mbuf_write_str(t->out, "</ListOfDIDs>");
}


static int query_body(const struct turn *t, const struct li_task *task,
		      const struct li_destination *d)
{
	int err;

	if (task)
		return x1_answer_task(t->out, task, t->face->health);
	if (d)
		return x1_answer_destination(t->out, d);
	if (t->type == X1_GET_NE_STATUS)
		return x1_answer_ne(t->out, t->face->health);
	if (t->type == X1_GET_ALL_TASK_DETAILS)
		return tasks_write(t);
	if (t->type == X1_GET_ALL_DESTINATION_DETAILS)
		return destinations_write(t);
	if (t->type == X1_LIST_ALL_DETAILS)
		return ids_write(t);
	if (t->type != X1_GET_ALL_DETAILS)
		return 0; /* no generic objects here: no list */

	err = x1_answer_ne(t->out, t->face->health);
	err = err ? err : tasks_write(t);

	return err ? err : destinations_write(t);
}


static int query(struct turn *t)
{
	struct li_destination *d = NULL;
	struct li_task *task = NULL;
	uint8_t id[LI_UUID_SIZE];
	int err;

	if (t->type == X1_GET_TASK_DETAILS) {
		task = id_read(t, "xId", id, t->xid) ? NULL
						     : task_find(t, id);
		if (!task)
			return refuse(t, 2020, "XID does not exist", NULL);
	}
	if (t->type == X1_GET_DESTINATION_DETAILS) {
		d = id_read(t, "dId", id, t->did) ? NULL
						  : destination_find(t, id);
		if (!d)
			return refuse(t, 2040, "DID does not exist", NULL);
	}
	if (written(t, 0))
		return refuse(t, 1000, "the record cannot be written", NULL);

	err = begin(t);
	err = err ? err : query_body(t, task, d);

	return err ? err : x1_answer_message_end(t->out, RESPONSE);
}


static int carry_out(struct turn *t)
{
	switch (t->type) {
	case X1_ACTIVATE_TASK:
	case X1_MODIFY_TASK:
		return task_put(t);
	case X1_DEACTIVATE_TASK:
		return task_remove(t);
	case X1_DEACTIVATE_ALL_TASKS:
		return tasks_remove(t);
	case X1_CREATE_DESTINATION:
	case X1_MODIFY_DESTINATION:
		return destination_put(t);
	case X1_REMOVE_DESTINATION:
		return destination_remove(t);
	case X1_REMOVE_ALL_DESTINATIONS:
		return destinations_remove(t);
	case X1_PING:
		return ok(t, true);
	case X1_KEEPALIVE:
		return t->face->settings->keepalive
			       ? ok(t, true)
			       : refuse(t, 1070, "keepalive not supported",
					NULL);
	case X1_GET_TASK_DETAILS:
	case X1_GET_DESTINATION_DETAILS:
	case X1_GET_NE_STATUS:
	case X1_GET_ALL_DETAILS:
	case X1_GET_ALL_TASK_DETAILS:
	case X1_GET_ALL_DESTINATION_DETAILS:
	case X1_GET_ALL_GENERIC_OBJECT_DETAILS:
	case X1_LIST_ALL_DETAILS:
		return query(t);
	case X1_CREATE_OBJECT:
	case X1_MODIFY_OBJECT:
	case X1_GET_OBJECT:
	case X1_DELETE_OBJECT:
	case X1_LIST_OBJECTS_OF_TYPE:
	case X1_DELETE_ALL_OBJECTS:
	case X1_REPORT_TASK_ISSUE:
	case X1_REPORT_DESTINATION_ISSUE:
	case X1_REPORT_NE_ISSUE:
	case X1_TYPE_N:
	default:
		return refuse(t, 1080, "unsupported request", NULL);
	}
}


/* Who speaks comes first: nobody else learns what is wrong with a message.
 * Then its form, then whether it can be done. */
static int message(struct turn *t)
{
	const struct li_settings *s = t->face->settings;
	const char *where = "";

	if (!li_peer_is_admf(t->peer, t->header.admf))
		return refuse(t, 1030, "ADMF identifier does not match the "
				       "certificate", NULL);
	if (!s->admf[0] || strcmp(t->header.admf, s->admf))
		return refuse(t, 1040, "unexpected ADMF identifier", NULL);
	if (strcmp(t->header.ne, s->ne))
		return refuse(t, 1060, "unexpected NE identifier", NULL);
	t->face->heard_us = t->now_us;

	if (!x1_type_is_for_us(t->type))
		return refuse(t, 1080, "unsupported request", NULL);
	if (x1_schema_body(t->message, t->type, &where))
		return refuse(t, 1010, "syntax or schema error", where);

	return carry_out(t);
}


static int header_read(struct turn *t)
{
	struct x1_header *h = &t->header;

	if (t->message->space != LI_SPACE_X1 ||
	    strcmp(t->message->name, "x1RequestMessage") ||
	    x1_schema_header(t->message) ||
	    x1_type_find(&t->type, t->message->type))
		return EBADMSG;

	li_xml_text(t->message, "admfIdentifier", h->admf, sizeof(h->admf));
	li_xml_text(t->message, "neIdentifier", h->ne, sizeof(h->ne));
	li_xml_text(t->message, "x1TransactionId", h->transaction,
		    sizeof(h->transaction));
	TEXT_FILL(h->version, t->face->settings->version);

	return h->admf[0] && h->ne[0] ? 0 : EBADMSG;
}


/* All headers before the first message is carried out: a body of which a
 * part cannot be read is not done in part */
static int body_check(const struct turn *first, const struct li_xml_node *root)
{
	const struct li_xml_node *m;
	size_t n = 0;

	if (root->space != LI_SPACE_X1 || strcmp(root->name, "X1Request") ||
	    root->is_mixed || root->type || !root->child)
		return EBADMSG;

	for (m = root->child; m; m = m->next) {
		struct turn t = *first;

		t.message = m;
		if (++n > MESSAGES_MAX || header_read(&t))
			return EBADMSG;
	}

	return 0;
}


static int top_error(const struct turn *t)
{
	(void)li_audit_commit(li_registry_audit(t->face->registry), t->now_us,
			      "x1",
			      json_pack("{ss ss ss si}", "message", "unreadable",
					"certificate", t->peer->serial, "from",
					t->peer->address, "code", 1010));

	return x1_answer_top_error(t->out, t->face->settings, t->now_us);
}


int x1_face_answer(struct x1_face *face, struct mbuf *out, const char *body,
		   size_t len, const struct li_peer *peer, int64_t now_us)
{
	struct turn first = {.face = face, .out = out, .peer = peer,
			     .now_us = now_us};
	const struct li_xml_node *m;
	struct li_xml *x = NULL;
	int err = li_xml_parse(&x, body, len);

	if (err == ENOMEM)
		return err;
	if (err || body_check(&first, li_xml_root(x))) {
		mem_deref(x);
		return top_error(&first);
	}

	err = x1_answer_begin(out, "X1Response");
	for (m = li_xml_root(x)->child; m && !err; m = m->next) {
		struct turn t = first;

		t.message = m;
		err = header_read(&t);
		err = err ? err : message(&t);
	}
	mem_deref(x);

	return err ? err : x1_answer_end(out, "X1Response");
}
