/**
 * @file tests/bench/stopwatch.h  A clock, less what it takes to read it.
 *
 * The CPU clock of a thread is a system call. On a virtual machine it may cost
 * more than what is measured, and throw away the page tables that the next
 * step needs. So medians of short steps are taken with the wall clock, which
 * is read without a call and whose median nobody who interrupts can move; what
 * must not see interruptions (a 99th percentile) is taken with the CPU clock.
 */
#ifndef STOPWATCH_H
#define STOPWATCH_H
#include <stddef.h>
#include <stdint.h>

struct stopwatch {
	uint64_t (*now_ns)(void);
	uint32_t own_ns;          /**< of one reading                      */
};

void stopwatch_wall(struct stopwatch *s);
void stopwatch_cpu(struct stopwatch *s);

/** Since begin, an s->now_ns() [ns] */
uint32_t stopwatch_since(const struct stopwatch *s, uint64_t begin);

/** Sorts ns. @return the figure that pct % of all are below */
uint32_t percentile(uint32_t *ns, size_t n, unsigned pct);

#endif
