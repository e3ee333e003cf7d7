/**
 * @file job_private.h  A job at work, between job.c and job_runner.c.
 */
#ifndef JOB_PRIVATE_H
#define JOB_PRIVATE_H
#include <stdatomic.h>
#include "job.h"

struct job {
	char id[36], tenant_id[36], key_id[36];
	const struct job_kind *kind;
	struct pg *pg;    /**< of the work                                 */
	struct pg *watch; /**< progress and the advisory lock              */
	struct rng *rng;
	json_t *args, *result;
	const atomic_bool *is_stopping;
	uint64_t told_ms; /**< when progress was last written              */
	uint64_t error_n;
	int output_n;
	bool is_cancelled;
	char detail[256];
};

extern const struct job_kind *const job_kinds[];
extern const size_t job_kind_n;

const struct job_kind *job_kind_find(const char *name);

#endif
