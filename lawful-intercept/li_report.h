/**
 * @file li_report.h  What the ADMF is told without having asked: issues of
 * tasks, destinations and of us, and that they are over. A thread of its own
 * POSTs them, in order, until each is answered. One that the ADMF refuses is
 * not sent again: it would hold up all that follow.
 *
 * The same thing again within 30 s is not told; a change of state always is.
 */
#ifndef LI_REPORT_H
#define LI_REPORT_H
#include <stdbool.h>
#include <stdint.h>
#include "li_settings.h"
#include "li_task.h"

#define LI_REPORT_WAITING_MAX 1024
#define LI_REPORT_EVERY_US (30 * 1000000LL)

struct li_reporter;

enum li_report_about { LI_ABOUT_TASK, LI_ABOUT_DESTINATION, LI_ABOUT_NE };

struct li_report {
	enum li_report_about about;
	uint8_t id[LI_UUID_SIZE]; /**< XID or DID                           */
	const char *type;         /**< "NonTerminatingFault", "AllClear",
					"FaultReport", "Alert"; a constant  */
	int code;                 /**< 9020; 0: none                        */
	const char *text;         /**< a constant                           */
};

/** Without x1.report_url nothing is sent. */
int li_reporter_open(struct li_reporter **rp, const struct li_settings *s);

/** @return 0 when it will be sent, is held back, or nothing ever is; ENOBUFS or
 *  ENOMEM when it is lost: the ADMF has not heard of it, and has to be told that
 *  it missed something. */
int li_reporter_tell(struct li_reporter *r, const struct li_report *report,
		     int64_t now_us);

/** Reports that were lost, since the begin. */
uint64_t li_reporter_lost(const struct li_reporter *r);

/** Does a quarter of the queue stand empty (again)? */
bool li_reporter_has_room(struct li_reporter *r);

/** What becomes of one. */
enum li_report_fate {
	LI_REPORT_TAKEN,
	LI_REPORT_REFUSED, /**< answered, with an error: again would not help */
	LI_REPORT_AGAIN,   /**< not answered, or not by what speaks X1      */
};

/** What the body of a 200 means.
 *  @param ret_code  of the first error; 0: none is said */
enum li_report_fate li_report_answer(const char *bytes, size_t len,
				     int *ret_code);

/** One that was refused since: each is given once. @return false: none */
bool li_reporter_refused(struct li_reporter *r, struct li_report *ret_report,
			 int *ret_code);

/** The body of one; for its sender and for tests. */
int li_report_body(struct mbuf *mb, const struct li_settings *s,
		   const struct li_report *report, int64_t now_us);

#endif
