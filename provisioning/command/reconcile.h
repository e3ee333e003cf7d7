/**
 * @file reconcile.h  A carrier's call records (CSV) beside ours: read, staged and
 * compared by report.reconcile(). Shared by `strowger reconcile` and the API.
 */
#ifndef RECONCILE_H
#define RECONCILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg;

#define RECONCILE_ID_SIZE 40

/** What cannot be read of a file. */
struct reconcile_fault {
	uint64_t line;          /**< 1: the names of the columns             */
	const char *column;     /**< its name in the file; NULL: the line    */
	const char *value;      /**< what stands there, or NULL              */
	const char *expected;   /**< "a time as 2027-01-31 12:00:00"         */
};

struct reconcile_order {
	const char *id;          /**< what it is to be called; NULL: made    */
	const char *carrier, *from, *to; /**< whose, which span             */
	/** Which column is what, as "at=Start,called=To,duration=Sec,cost=Net";
	 *  NULL: the columns have these names */
	const char *map;
	const char *zone;        /**< of times without an offset; NULL: UTC  */
	const char *file;        /**< its name, for people; or NULL          */
	bool is_answer_time;     /**< times are of the answer                */
	/** Told of each line, or NULL; false: end with ECANCELED */
	bool (*progress)(void *arg, uint64_t line);
	/** Told of each cell that cannot be read, to the end of the file; then
	 *  nothing is compared: what a part lacks would be faults. Or NULL */
	void (*unreadable)(void *arg, const struct reconcile_fault *fault);
	void *arg;
};

/**
 * In the transaction that is open: write the reconciliation with all its
 * faults.
 * @param text  CSV with a first line of names; it is changed
 * @param id    receives the reconciliation's
 * @param why   receives what is wrong with the file, when EBADMSG
 * @return 0; EBADMSG; ECANCELED; as pg_exec()
 */
int reconcile_run(struct pg *pg, const struct reconcile_order *order,
		  char *text, char id[RECONCILE_ID_SIZE], char *why,
		  size_t size);

#endif
