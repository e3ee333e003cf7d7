/**
 * @file li_report.c  Reports over HTTPS with our certificate.
 */
#include "x1_answer.h"
#include "li_report.h"
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include "moment.h"
#include "rng.h"
#include "text.h"

#define TIMEOUT_S 10L
#define ANSWER_MAX 65536
#define PAUSE_MAX_S 60
#define CONDITIONS_MAX 2048
#define REFUSED_MAX 256

struct waiting {
	struct le le;
	struct li_report report;
	int code;                 /**< of the ADMF's refusal                 */
};

/** What was told last of one thing. */
struct condition {
	struct le le;
	struct li_report report;
	int64_t told_us;
};

struct li_reporter {
	const struct li_settings *settings; /**< borrowed */
	struct list conditions;             /**< of the owner's thread       */
	uint64_t lost;
	pthread_t thread;
	bool is_running;
	pthread_mutex_t lock;               /**< of all that follows         */
	pthread_cond_t wake;
	struct list queue;
	struct list refused;                /**< for li_reporter_refused()   */
	bool is_over;
};


static void *run(void *arg);


static void reporter_destructor(void *arg)
{
	struct li_reporter *r = arg;

	if (r->is_running) {
		(void)pthread_mutex_lock(&r->lock);
		r->is_over = true;
		(void)pthread_cond_signal(&r->wake);
		(void)pthread_mutex_unlock(&r->lock);
		(void)pthread_join(r->thread, NULL);
	}
	list_flush(&r->queue);
	list_flush(&r->refused);
	list_flush(&r->conditions);
	(void)pthread_cond_destroy(&r->wake);
	(void)pthread_mutex_destroy(&r->lock);
}


static void waiting_destructor(void *arg)
{
	struct waiting *w = arg;

	list_unlink(&w->le);
}


static void condition_destructor(void *arg)
{
	struct condition *c = arg;

	list_unlink(&c->le);
}


int li_reporter_open(struct li_reporter **rp, const struct li_settings *s)
{
	struct li_reporter *r = mem_zalloc(sizeof(*r), reporter_destructor);
	int err = 0;

	if (!r)
		return ENOMEM;

	r->settings = s;
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->wake, NULL);
	if (s->report_url[0]) {
		err = pthread_create(&r->thread, NULL, run, r);
		r->is_running = !err;
	}
	if (err)
		mem_deref(r);
	else
		*rp = r;

	return err;
}


static int task_body(struct mbuf *mb, const struct li_report *report)
{
	char id[40];
	int err = mbuf_printf(mb, "<xId>%s</xId><taskReportType>%s"
			      "</taskReportType>",
			      uuid_format(id, report->id), report->type);

	if (!err && report->code)
		err = mbuf_printf(mb, "<taskIssueErrorCode>%d"
				  "</taskIssueErrorCode>", report->code);

	return err ? err : mbuf_printf(mb, "<taskIssueDetails>%s"
				       "</taskIssueDetails>", report->text);
}


static int destination_body(struct mbuf *mb, const struct li_report *report)
{
	char id[40];
	int err = mbuf_printf(mb, "<dId>%s</dId><destinationReportType>%s"
			      "</destinationReportType>",
			      uuid_format(id, report->id), report->type);

	if (!err && report->code)
		err = mbuf_printf(mb, "<destinationIssueErrorCode>%d"
				  "</destinationIssueErrorCode>",
				  report->code);

	return err ? err : mbuf_printf(mb, "<destinationIssueDetails>%s"
				       "</destinationIssueDetails>",
				       report->text);
}


static int ne_body(struct mbuf *mb, const struct li_report *report)
{
	int err = mbuf_printf(mb, "<typeOfNeIssueMessage>%s"
			      "</typeOfNeIssueMessage><description>%s"
			      "</description>", report->type, report->text);

	if (!err && report->code)
		err = mbuf_printf(mb, "<issueCode>%d</issueCode>",
				  report->code);

	return err;
}


int li_report_body(struct mbuf *mb, const struct li_settings *s,
		   const struct li_report *report, int64_t now_us)
{
	static const char *const names[] = {
		[LI_ABOUT_TASK] = "ReportTaskIssue",
		[LI_ABOUT_DESTINATION] = "ReportDestinationIssue",
		[LI_ABOUT_NE] = "ReportNEIssue",
	};
	struct x1_header h;
	uint8_t id[16];
	struct rng *rng = NULL;
	int err = rng_system(&rng);

	if (err)
		return err;
	rng_uuid7(rng, now_us / 1000, id);
	mem_deref(rng);

	memset(&h, 0, sizeof(h));
	TEXT_FILL(h.admf, s->admf);
	TEXT_FILL(h.ne, s->ne);
	TEXT_FILL(h.version, s->version);
	(void)uuid_format(h.transaction, id);

	err = x1_answer_begin(mb, "X1Request");
	err = err ? err : x1_answer_message(mb, "x1RequestMessage",
					    names[report->about], "Request",
					    &h, now_us);
	if (!err && report->about == LI_ABOUT_TASK)
		err = task_body(mb, report);
	if (!err && report->about == LI_ABOUT_DESTINATION)
		err = destination_body(mb, report);
	if (!err && report->about == LI_ABOUT_NE)
		err = ne_body(mb, report);
	err = err ? err : x1_answer_message_end(mb, "x1RequestMessage");

	return err ? err : x1_answer_end(mb, "X1Request");
}


static struct condition *condition_find(const struct li_reporter *r,
					const struct li_report *report)
{
	struct le *le;

	for (le = list_head(&r->conditions); le; le = le->next) {
		struct condition *c = le->data;

		if (c->report.about == report->about &&
		    !memcmp(c->report.id, report->id, sizeof(report->id)) &&
		    !strcmp(c->report.text, report->text))
			return c;
	}

	return NULL;
}


/* A condition is a thing and a text; its state is the type */
static bool is_held_back(const struct li_reporter *r,
			 const struct li_report *report, int64_t now_us)
{
	const struct condition *c = condition_find(r, report);

	return c && !strcmp(c->report.type, report->type) &&
	       now_us - c->told_us < LI_REPORT_EVERY_US &&
	       now_us >= c->told_us;
}


static void condition_keep(struct li_reporter *r,
			   const struct li_report *report, int64_t now_us)
{
	struct condition *c = condition_find(r, report);

	if (!c) {
		if (list_count(&r->conditions) >= CONDITIONS_MAX)
			mem_deref(list_head(&r->conditions)->data);
		c = mem_zalloc(sizeof(*c), condition_destructor);
		if (!c)
			return;
		list_append(&r->conditions, &c->le, c);
	}
	c->report = *report;
	c->told_us = now_us;
}


static int queue_put(struct li_reporter *r, const struct li_report *report)
{
	struct waiting *w = mem_zalloc(sizeof(*w), waiting_destructor);
	bool fits;

	if (!w)
		return ENOMEM;
	w->report = *report;

	(void)pthread_mutex_lock(&r->lock);
	fits = list_count(&r->queue) < LI_REPORT_WAITING_MAX;
	if (fits) {
		list_append(&r->queue, &w->le, w);
		(void)pthread_cond_signal(&r->wake);
	}
	(void)pthread_mutex_unlock(&r->lock);
	if (!fits)
		mem_deref(w);

	return fits ? 0 : ENOBUFS;
}


int li_reporter_tell(struct li_reporter *r, const struct li_report *report,
		     int64_t now_us)
{
	int err;

	if (!r->is_running || is_held_back(r, report, now_us))
		return 0;

	err = queue_put(r, report);
	if (err)
		r->lost++;
	else
		condition_keep(r, report, now_us);

	return err;
}


bool li_reporter_has_room(struct li_reporter *r)
{
	bool has_room;

	(void)pthread_mutex_lock(&r->lock);
	has_room = list_count(&r->queue) < LI_REPORT_WAITING_MAX * 3 / 4;
	(void)pthread_mutex_unlock(&r->lock);

	return has_room;
}


uint64_t li_reporter_lost(const struct li_reporter *r)
{
	return r->lost;
}


static size_t answer_add(char *bytes, size_t size, size_t n, void *arg)
{
	struct mbuf *mb = arg;

	if (mb->end + size * n > ANSWER_MAX ||
	    mbuf_write_mem(mb, (const uint8_t *)bytes, size * n))
		return 0;

	return size * n;
}


static void options_set(CURL *curl, const struct li_settings *s,
			const struct mbuf *body, struct mbuf *answer,
			struct curl_slist *headers)
{
	(void)curl_easy_setopt(curl, CURLOPT_URL, s->report_url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_SSLVERSION,
			       (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(curl, CURLOPT_CAINFO, s->ca);
	(void)curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	if (s->crl[0])
		(void)curl_easy_setopt(curl, CURLOPT_CRLFILE, s->crl);
	(void)curl_easy_setopt(curl, CURLOPT_SSLCERT, s->certificate);
	(void)curl_easy_setopt(curl, CURLOPT_SSLKEY, s->private_key);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->buf);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->end);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_add);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}


enum li_report_fate li_report_answer(const char *bytes, size_t len,
				     int *ret_code)
{
	const struct li_xml_node *root, *m;
	enum li_report_fate fate = LI_REPORT_AGAIN;
	struct li_xml *x = NULL;
	char code[16];
	uint64_t n;

	*ret_code = 0;
	if (li_xml_parse(&x, bytes, len))
		return fate;

	root = li_xml_root(x);
	m = li_xml_child(root, "x1ResponseMessage");
	if (root->space == LI_SPACE_X1 && !strcmp(root->name, "X1Response")) {
		fate = m && li_xml_child(m, "oK") ? LI_REPORT_TAKEN
						  : LI_REPORT_REFUSED;
		m = li_xml_child(m, "errorInformation");
		li_xml_text(m, "errorCode", code, sizeof(code));
		if (!text_u64(&n, code, strlen(code), INT32_MAX))
			*ret_code = (int)n;
	}
	mem_deref(x);

	return fate;
}


static enum li_report_fate fate_of(CURL *curl, CURLcode code,
				   const struct mbuf *answer, int *ret_code)
{
	long status = 0;

	if (code != CURLE_OK ||
	    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) ||
	    status != 200)
		return LI_REPORT_AGAIN;

	return li_report_answer((const char *)answer->buf, answer->end,
				ret_code);
}


/* @param curl  keeps its connection: a handshake for each would make a long
 *              queue longer */
static enum li_report_fate post(CURL *curl, const struct li_settings *s,
				const struct li_report *report, int *ret_code)
{
	struct mbuf *body = mbuf_alloc(1024), *answer = mbuf_alloc(1024);
	struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: application/xml");
	struct moment now;
	enum li_report_fate fate = LI_REPORT_AGAIN;

	moment_read(&now);
	if (body && answer && curl && headers &&
	    !li_report_body(body, s, report, now.wall_us)) {
		curl_easy_reset(curl);
		options_set(curl, s, body, answer, headers);
		fate = fate_of(curl, curl_easy_perform(curl), answer,
			       ret_code);
	}
	curl_slist_free_all(headers);
	mem_deref(body);
	mem_deref(answer);

	return fate;
}


/* @return true when the next one may go */
static bool settle(struct li_reporter *r, struct waiting *w,
		   enum li_report_fate fate)
{
	if (fate == LI_REPORT_AGAIN)
		return false;

	list_unlink(&w->le);
	if (fate == LI_REPORT_REFUSED &&
	    list_count(&r->refused) < REFUSED_MAX)
		list_append(&r->refused, &w->le, w);
	else
		mem_deref(w);

	return true;
}


bool li_reporter_refused(struct li_reporter *r, struct li_report *ret_report,
			 int *ret_code)
{
	struct waiting *w = NULL;

	(void)pthread_mutex_lock(&r->lock);
	if (list_head(&r->refused)) {
		w = list_head(&r->refused)->data;
		*ret_report = w->report;
		*ret_code = w->code;
		mem_deref(w);
	}
	(void)pthread_mutex_unlock(&r->lock);

	return w != NULL;
}


static void pause_for(struct li_reporter *r, unsigned s)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += s;
	while (!r->is_over &&
	       pthread_cond_timedwait(&r->wake, &r->lock, &until) != ETIMEDOUT)
		;
}


static void *run(void *arg)
{
	struct li_reporter *r = arg;
	CURL *curl = curl_easy_init();
	unsigned pause_s = 1;

	(void)pthread_mutex_lock(&r->lock);
	while (!r->is_over) {
		struct waiting *w = list_head(&r->queue)
					    ? list_head(&r->queue)->data
					    : NULL;
		enum li_report_fate fate;

		if (!w) {
			(void)pthread_cond_wait(&r->wake, &r->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&r->lock);
		curl = curl ? curl : curl_easy_init();
		fate = post(curl, r->settings, &w->report, &w->code);
		(void)pthread_mutex_lock(&r->lock);
		if (settle(r, w, fate)) {
			pause_s = 1;
			continue;
		}
		pause_for(r, pause_s);
		pause_s = pause_s * 2 < PAUSE_MAX_S ? pause_s * 2
						    : PAUSE_MAX_S;
	}
	(void)pthread_mutex_unlock(&r->lock);
	curl_easy_cleanup(curl);

	return NULL;
}
