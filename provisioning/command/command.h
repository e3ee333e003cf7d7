/**
 * @file command.h  The operator's command line: what every command gets and
 * how it ends.
 */
#ifndef COMMAND_H
#define COMMAND_H
#include <stdbool.h>
#include "report.h"

enum command_exit {
	COMMAND_OK = 0,
	COMMAND_REFUSED = 1,     /**< asked and refused, or a check failed  */
	COMMAND_USAGE = 2,
	COMMAND_UNREACHABLE = 3, /**< switch or database does not answer    */
};

struct options {
	const char *control;     /**< path of the switch's control socket   */
	const char *dsn;         /**< libpq connection string               */
	const char *dir;         /**< migrations; NULL: beside the program  */
	const char *state_dir;   /**< journal and last good catalog         */
	unsigned limit;          /**< rows of `calls`                       */
	bool is_json;
	int form;                /**< enum report_form                      */
	const char *by[REPORT_BY_N]; /**< `report`: what it is asked for    */
	const char *map;         /**< `reconcile`: which column is what     */
	bool is_answer_time;     /**< `reconcile`: times are of answers     */
	bool is_customer;        /**< `report`: as its tenant sees it       */
	bool is_plan;
	bool is_off;
	const char *argument;    /**< CALL or FILE; NULL when not given     */
	/** `route test`: who calls whom; NULL when not given */
	struct {
		const char *trunk, *gateway, *source, *from, *to, *display,
			*at;
		bool is_private;
	} test;
	/** `leases release`: whose; NULL when not given */
	struct {
		const char *node, *epoch, *note;
	} lease;
	/** `rerate plan`: which calls, and by which deck; NULL: all, theirs */
	struct {
		const char *account, *prefix, *deck;
	} rerate;
};

/** @return enum command_exit; answers on stdout, complaints on stderr */
typedef int(command_h)(const struct options *opt);

command_h command_calls, command_drop, command_trace, command_drain,
	command_metrics, command_table, command_status, command_registrations,
	command_limits, command_quality, command_quality_unlock,
	command_db_migrate, command_db_status, command_doctor,
	command_leases, command_leases_release,
	command_invoice_json, command_invoice_html, command_invoice_pdf,
	command_invoice_ubl, command_invoice_annex,
	command_rerate_plan, command_rerate_diff, command_rerate_apply,
	command_rate_check, command_route_test, command_journal_list,
	command_journal_verify, command_journal_show, command_journal_replay,
	command_journal_retry, command_db_retention, command_reconcile, command_report;

/** "strowger: ..." on stderr; returns code. */
int command_fail(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
