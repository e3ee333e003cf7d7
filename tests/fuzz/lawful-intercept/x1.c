/**
 * @file x1.c  Any body at X1, by the right ADMF: an answer comes, it is XML
 * that can be read, and a task that was taken comes back from the store.
 */
#include "x1_face.h"
#include <stdlib.h>
#include <string.h>
#include "kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct li_settings settings = {
	.ne = "ne-1", .admf = "admf-1", .version = "v1.13.1",
	.keepalive = true, .deactivate_all = true, .remove_all = true,
	.numbering = {"49", "00", "0"},
};
static struct li_health health = {.is_provisioned = true};
static const struct li_peer peer = {.uid = {"admf-1"}, .uid_n = 1,
				    .serial = "1", .address = "192.0.2.1"};


static struct x1_face *face(void)
{
	static struct x1_face f;

	f.registry = kept_registry(&settings.numbering);
	f.health = &health;
	f.settings = &settings;

	return &f;
}


static void come_back(const struct li_registry *r)
{
	struct le *le;

	for (le = list_head(li_registry_tasks(r)); le; le = le->next) {
		const struct li_task *t = le->data;
		json_t *j = li_task_json(t);
		char *text = json_dumps(j, 0);
		struct li_task *again = NULL;

		must(text && !li_task_load(&again, text, &settings.numbering));
		must(again->target_n == t->target_n &&
		     again->did_n == t->did_n &&
		     again->window_n == t->window_n &&
		     !strcmp(again->details, t->details));
		mem_deref(again);
		free(text);
		json_decref(j);
	}
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mbuf *out;
	struct li_xml *x = NULL;

	/* what is no XML is answered in one way, and a record on disk is dear */
	if (li_xml_parse(&x, (const char *)data, size))
		return 0;
	x = mem_deref(x);
	out = mbuf_alloc(4096);
	must(out != NULL);
	must(!x1_face_answer(face(), out, (const char *)data, size, &peer,
			     INT64_C(1795331747123456)));
	must(!li_xml_parse(&x, (const char *)out->buf, out->end));
	come_back(face()->registry);
	mem_deref(x);
	mem_deref(out);

	return 0;
}
