/**
 * @file decision_asker.c  Takes questions from a ring, POSTs them side by side
 * with libcurl's multi interface, reads what comes back.
 */
#include <errno.h>
#include <pthread.h>
#include <re.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "decision_asker.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "ring.h"
#include "text.h"
#include "webhook_post.h"
#include "worker.h"

#define QUEUE_MAX 256
#define EACH_MAX 16     /* questions to one URL at once                   */
#define BODY_SIZE 4097
#define WAIT_MS 1000    /* a wake-up from the ring comes sooner           */

/** A question on its way through the ring. */
struct question {
	uint8_t call_id[16];
	uint64_t ticket;
	uint64_t end_ms;        /**< mono: then nobody waits for it        */
	char id[48];
	char url_id[ID_SIZE];
	char url[DECISION_URL_SIZE];
	char secret_box[SECRET_BOX_SIZE], previous_box[SECRET_BOX_SIZE];
	char body[BODY_SIZE];
};

/** One that is under way. */
struct job {
	struct webhook_post post;
	bool is_busy;
	struct question q;
	char answer[DECISION_ANSWER_MAX];
};

struct decision_asker {
	struct decision_asker_config cfg;
	struct webhook_policy policy;
	char key_file[256];
	bool is_key_missed;     /**< and that has been said                */
	struct ring *ring;
	CURLM *multi;
	struct job *jobs;
	struct question *next;  /**< taken from the ring                   */
	unsigned busy;
	bool is_running;
	pthread_t thread;
	atomic_bool is_stopping;
	struct metric *under_way;
};


static uint64_t mono_ms(void)
{
	struct moment now;

	moment_read(&now);

	return moment_ms(&now);
}


/* Without the key what is signed is not asked; all else works. Who makes it
   may start after us. */
static void key_read(struct decision_asker *a)
{
	int err;

	if (a->policy.has_key || !a->key_file[0])
		return;

	err = webhook_key_read(a->policy.key, a->key_file);
	a->policy.has_key = !err;
	if (err && !a->is_key_missed)
		log_event(LOG_WARN, "decision", "no_key",
			  "file=%s error=\"%s\" now=\"decision URLs with a "
			  "secret are not asked\" fix=\"decision.key_file: "
			  "a copy of webhooks.key_file of the API that we may "
			  "read\"", a->key_file, strerror(err));
	a->is_key_missed = err != 0;
}


/* --- what came of one */

static void give(struct decision_asker *a, const struct question *q,
		 struct decision_answer *answer)
{
	char why[120];

	memcpy(answer->call_id, q->call_id, sizeof(answer->call_id));
	answer->ticket = q->ticket;
	if (answer->action == DECISION_NONE)
		log_event(LOG_INFO, "decision", "no_answer",
			  "decision_url=%s message=%s status=%u error=%s",
			  q->url_id, q->id, answer->http_status,
			  log_text(why, sizeof(why), answer->trouble,
				   strlen(answer->trouble)));
	a->cfg.h(answer, a->cfg.arg);
}


static void fail(struct decision_asker *a, const struct question *q,
		 const char *trouble)
{
	struct decision_answer answer = {.http_status = 0};

	decision_answer_fail(&answer, trouble);
	give(a, q, &answer);
}


static void job_end(struct decision_asker *a, struct job *job, CURLcode code)
{
	struct decision_answer answer = {.http_status = 0};
	struct webhook_result result;

	(void)curl_multi_remove_handle(a->multi, job->post.easy);
	webhook_post_end(&job->post, code, &result);
	job->is_busy = false;
	a->busy--;

	answer.http_status = (uint16_t)result.status;
	if (*result.error)
		decision_answer_fail(&answer, result.error);
	else
		decision_answer_read(&answer, job->answer, result.len);
	give(a, &job->q, &answer);
}


static void jobs_end(struct decision_asker *a)
{
	struct CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(a->multi, &left))) {
		const CURLcode code = msg->data.result;
		char *data = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
					&data);
		for (unsigned i = 0; i < a->cfg.in_flight_max; i++)
			if (data == (char *)&a->jobs[i].post)
				job_end(a, &a->jobs[i], code);
	}
}


/* --- the next one */

/* @return free, or NULL when the URL has its share of them already */
static struct job *job_free(struct decision_asker *a, const char *url_id)
{
	struct job *found = NULL;
	unsigned same = 0;

	for (unsigned i = 0; i < a->cfg.in_flight_max; i++) {
		struct job *job = &a->jobs[i];

		if (!job->is_busy)
			found = job;
		else if (!strcmp(job->q.url_id, url_id))
			same++;
	}

	return same < EACH_MAX ? found : NULL;
}


static void job_begin(struct decision_asker *a, struct job *job,
		      uint64_t now_ms)
{
	const struct question *q = &job->q;
	const struct webhook_message msg = {
		.url = q->url,
		.id = q->id,
		.body = q->body,
		.secret_box = q->secret_box[0] ? q->secret_box : NULL,
		.previous_box = q->previous_box[0] ? q->previous_box : NULL,
		.timeout_ms = (long)(q->end_ms - now_ms),
		.answer = job->answer,
		.answer_size = sizeof(job->answer),
	};
	int err;

	if (msg.secret_box)
		key_read(a);
	err = webhook_post_begin(&job->post, &a->policy, &msg);
	if (!err && curl_multi_add_handle(a->multi, job->post.easy))
		err = ENOMEM;
	if (err) {
		fail(a, q, err == EBADMSG
				   ? "decision.key_file is not the key that "
				     "its secret was sealed with"
				   : "no memory");
		return;
	}
	job->is_busy = true;
	a->busy++;
}


static void questions_take(struct decision_asker *a)
{
	struct question *q = a->next;

	while (a->busy < a->cfg.in_flight_max && ring_pop(a->ring, q)) {
		const uint64_t now_ms = mono_ms();
		struct job *job;

		if (now_ms >= q->end_ms)
			continue; /* its call has gone on by now */

		job = job_free(a, q->url_id);
		if (!job) {
			fail(a, q, "too many questions are under way to it");
			continue;
		}
		job->q = *q;
		job_begin(a, job, now_ms);
	}
}


/* --- the thread */

static void wait(struct decision_asker *a)
{
	struct curl_waitfd fd = {.fd = ring_fd(a->ring),
				 .events = CURL_WAIT_POLLIN};
	const bool is_full = a->busy == a->cfg.in_flight_max;

	/* what waits in the ring is taken when one of these has ended */
	if (is_full)
		(void)curl_multi_poll(a->multi, NULL, 0, WAIT_MS, NULL);
	else if (ring_sleep(a->ring))
		(void)curl_multi_poll(a->multi, &fd, 1, WAIT_MS, NULL);
	ring_wake_clear(a->ring);
}


static void *asker_thread(void *arg)
{
	struct decision_asker *a = arg;
	int running;

	(void)pthread_setname_np(pthread_self(), "decisions");
	while (!atomic_load(&a->is_stopping)) {
		questions_take(a);
		(void)curl_multi_perform(a->multi, &running);
		jobs_end(a);
		metric_set(a->under_way, a->busy);
		wait(a);
	}

	return NULL;
}


/* --- from outside */

static void destructor(void *arg)
{
	struct decision_asker *a = arg;

	if (a->is_running) {
		atomic_store(&a->is_stopping, true);
		(void)curl_multi_wakeup(a->multi);
		(void)pthread_join(a->thread, NULL);
	}
	for (unsigned i = 0; a->jobs && i < a->cfg.in_flight_max; i++) {
		if (a->jobs[i].is_busy)
			(void)curl_multi_remove_handle(a->multi,
						       a->jobs[i].post.easy);
		webhook_post_free(&a->jobs[i].post);
	}
	free(a->jobs);
	free(a->next);
	if (a->multi)
		(void)curl_multi_cleanup(a->multi);
	ring_free(a->ring);
}


int decision_asker_start(struct decision_asker **ap,
			 const struct decision_asker_config *cfg)
{
	struct decision_asker *a = mem_zalloc(sizeof(*a), destructor);
	int err;

	if (!a)
		return ENOMEM;

	a->cfg = *cfg;
	a->policy.allow_private = cfg->allow_private;
	TEXT_FILL(a->key_file, cfg->key_file);
	key_read(a);
	a->under_way = metric_gauge("strowger_decisions_under_way", NULL,
				    "questions to decision URLs that are not "
				    "answered yet");
	a->jobs = calloc(cfg->in_flight_max, sizeof(*a->jobs));
	a->next = calloc(1, sizeof(*a->next));
	a->multi = curl_multi_init();
	err = a->jobs && a->next && a->multi
		      ? ring_alloc(&a->ring, QUEUE_MAX,
				   sizeof(struct question))
		      : ENOMEM;
	if (!err)
		err = pthread_create(&a->thread, NULL, asker_thread, a);
	a->is_running = !err;

	if (err)
		mem_deref(a);
	else
		*ap = a;

	return err;
}


int decision_asker_push(struct decision_asker *a,
			const struct decision_question *q)
{
	const struct decision_url *url = q->url;
	struct question msg = {.ticket = q->ticket};

	if (text_set(msg.body, sizeof(msg.body), q->body, q->len) ||
	    text_copy(msg.id, sizeof(msg.id), q->id))
		return EOVERFLOW;

	memcpy(msg.call_id, q->call_id, sizeof(msg.call_id));
	msg.end_ms = mono_ms() + url->timeout_ms;
	TEXT_FILL(msg.url_id, url->id);
	TEXT_FILL(msg.url, url->url);
	TEXT_FILL(msg.secret_box, url->secret_box);
	TEXT_FILL(msg.previous_box, q->has_previous ? url->previous_box : "");

	return ring_push(a->ring, &msg);
}


void decision_asker_stop(struct decision_asker *a)
{
	mem_deref(a);
}
