/**
 * @file li_registry.c  Tasks and destinations.
 */
#include "li_registry.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct li_registry {
	struct li_store *store; /**< borrowed */
	struct li_audit *audit; /**< borrowed */
	struct poi_numbering numbering;
	struct list tasks;        /**< struct li_task, ours        */
	struct list destinations; /**< struct li_destination, ours */
	li_registry_h *h;
	void *arg;
};


static void registry_destructor(void *arg)
{
	struct li_registry *r = arg;

	list_flush(&r->tasks);
	list_flush(&r->destinations);
}


int li_registry_alloc(struct li_registry **rp, struct li_store *store,
		      struct li_audit *audit,
		      const struct poi_numbering *numbering, li_registry_h *h,
		      void *arg)
{
	struct li_registry *r = mem_zalloc(sizeof(*r), registry_destructor);

	if (!r)
		return ENOMEM;

	r->store = store;
	r->audit = audit;
	r->numbering = *numbering;
	r->h = h;
	r->arg = arg;
	*rp = r;

	return 0;
}


/** What is being loaded, and who hears of what cannot be. */
struct load {
	struct li_registry *r;
	li_registry_unread_h *h;
	void *arg;
};


static int unread(const struct load *load, enum li_kind kind, int64_t row,
		  int err)
{
	if (err == ENOMEM)
		return err;

	load->h(kind, row, load->arg);

	return 0;
}


static int task_loaded(int64_t row, const char *bytes, size_t len, void *arg)
{
	const struct load *load = arg;
	struct li_registry *r = load->r;
	struct li_task *t;
	int err = bytes ? li_task_load(&t, bytes, &r->numbering) : EBADMSG;

	(void)len;
	if (err)
		return unread(load, LI_KIND_TASK, row, err);
	t->row = row;
	list_append(&r->tasks, &t->le, t);

	return 0;
}


static int destination_loaded(int64_t row, const char *bytes, size_t len,
			      void *arg)
{
	const struct load *load = arg;
	struct li_registry *r = load->r;
	struct li_destination *d;
	int err = bytes ? li_destination_load(&d, bytes) : EBADMSG;

	(void)len;
	if (err)
		return unread(load, LI_KIND_DESTINATION, row, err);
	d->row = row;
	list_append(&r->destinations, &d->le, d);

	return 0;
}


int li_registry_load(struct li_registry *r, li_registry_unread_h *h,
		     void *arg)
{
	struct load load = {.r = r, .h = h, .arg = arg};
	int err = li_store_each(r->store, LI_KIND_DESTINATION,
				destination_loaded, &load);

	return err ? err
		   : li_store_each(r->store, LI_KIND_TASK, task_loaded, &load);
}


struct li_audit *li_registry_audit(struct li_registry *r)
{
	return r->audit;
}


const struct poi_numbering *li_registry_numbering(const struct li_registry *r)
{
	return &r->numbering;
}


const struct list *li_registry_tasks(const struct li_registry *r)
{
	return &r->tasks;
}


const struct list *li_registry_destinations(const struct li_registry *r)
{
	return &r->destinations;
}


struct li_task *li_registry_task(const struct li_registry *r,
				 const uint8_t xid[LI_UUID_SIZE])
{
	struct le *le;

	for (le = list_head(&r->tasks); le; le = le->next) {
		struct li_task *t = le->data;

		if (!memcmp(t->xid, xid, LI_UUID_SIZE))
			return t;
	}

	return NULL;
}


struct li_destination *
li_registry_destination(const struct li_registry *r,
			const uint8_t did[LI_UUID_SIZE])
{
	struct le *le;

	for (le = list_head(&r->destinations); le; le = le->next) {
		struct li_destination *d = le->data;

		if (!memcmp(d->did, did, LI_UUID_SIZE))
			return d;
	}

	return NULL;
}


bool li_registry_destination_is_used(const struct li_registry *r,
				     const struct li_destination *d)
{
	struct le *le;
	size_t i;

	for (le = list_head(&r->tasks); le; le = le->next) {
		const struct li_task *t = le->data;

		for (i = 0; i < t->did_n; i++) {
			if (!memcmp(t->did[i], d->did, LI_UUID_SIZE))
				return true;
		}
	}

	return false;
}


/* A row, and the record that tells it */
static int write_through(struct li_registry *r, enum li_kind kind,
			 int64_t *row, json_t *j, const struct li_act *act)
{
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	int64_t id = *row;
	int err = text ? li_store_put(r->store, kind, &id, text, strlen(text))
		       : ENOMEM;

	json_decref(j);
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
	if (err) {
		li_store_rollback(r->store);
		json_decref(act->detail);
		return err;
	}

	err = li_audit_commit(r->audit, act->wall_us, act->event, act->detail);
	if (!err)
		*row = id;

	return err;
}


static int take_away(struct li_registry *r, int64_t row,
		     const struct li_act *act)
{
	int err = li_store_delete(r->store, row);

	if (err) {
		li_store_rollback(r->store);
		json_decref(act->detail);
		return err;
	}

	return li_audit_commit(r->audit, act->wall_us, act->event,
			       act->detail);
}


/* What a switch cannot look for must not seem to be sought. Targets that tasks
 * share count for each: a bound that depended on others' tasks would tell of
 * them */
static bool has_room(const struct li_registry *r, const struct li_task *old,
		     const struct li_task *t)
{
	size_t tasks = !old, targets = t->target_n;
	const struct le *le;

	for (le = list_head(&r->tasks); le; le = le->next) {
		const struct li_task *one = le->data;

		tasks++;
		targets += one == old ? 0 : one->target_n;
	}

	return tasks <= LI_TASKS_MAX && targets <= POI_TARGETS_MAX;
}


int li_registry_task_put(struct li_registry *r, struct li_task *t,
			 const struct li_act *act)
{
	struct li_task *old = li_registry_task(r, t->xid);
	int err;

	if (!has_room(r, old, t)) {
		json_decref(act->detail);
		return EDQUOT;
	}
	if (old)
		t->row = old->row;
	err = write_through(r, LI_KIND_TASK, &t->row, li_task_json(t), act);
	if (err)
		return err;

	if (old) {
		t->last_us = old->last_us;
		t->is_losing = old->is_losing;
		list_insert_after(&r->tasks, &old->le, &t->le, t);
		mem_deref(old);
	}
	else
		list_append(&r->tasks, &t->le, t);
	r->h(r->arg);

	return 0;
}


int li_registry_task_update(struct li_registry *r, struct li_task *t,
			    const struct li_act *act)
{
	int err = write_through(r, LI_KIND_TASK, &t->row, li_task_json(t),
				act);

	if (!err)
		r->h(r->arg);

	return err;
}


int li_registry_task_remove(struct li_registry *r, struct li_task *t,
			    const struct li_act *act)
{
	int err = take_away(r, t->row, act);

	if (err)
		return err;

	mem_deref(t);
	r->h(r->arg);

	return 0;
}


int li_registry_destination_put(struct li_registry *r,
				struct li_destination *d,
				const struct li_act *act)
{
	struct li_destination *old = li_registry_destination(r, d->did);
	int err;

	if (!old && list_count(&r->destinations) >= LI_DESTINATIONS_MAX) {
		json_decref(act->detail);
		return EDQUOT;
	}
	if (old)
		d->row = old->row;
	err = write_through(r, LI_KIND_DESTINATION, &d->row,
			    li_destination_json(d), act);
	if (err)
		return err;

	if (old)
		mem_deref(old);
	list_append(&r->destinations, &d->le, d);
	r->h(r->arg);

	return 0;
}


int li_registry_destination_remove(struct li_registry *r,
				   struct li_destination *d,
				   const struct li_act *act)
{
	int err = take_away(r, d->row, act);

	if (err)
		return err;

	mem_deref(d);
	r->h(r->arg);

	return 0;
}
