/** @file node_settings.h  What one node is told at its start, from YAML. */
#ifndef NODE_SETTINGS_H
#define NODE_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node_settings {
	struct {
		char name[32];
		int64_t id;
		char state_dir[256];
		int64_t calls_max, cps_max;
	} node;
	struct {
		char listen[64], listen_v6[64];
		char public[64];
		int64_t t1_ms, t2_ms, t4_ms;
	} sip;
	struct {
		char address[64], public[64];
		int64_t port_min, port_max, sessions_max;
		int64_t realtime_priority;
	} media;
	struct {
		char dsn[256];
	} db;
	struct {
		int64_t group_ms, memory_mib;
		char memory_dir[256];
		int64_t free_warn_mib, free_min_mib, reserve_mib;
		int when_full;
	} journal;
	struct {
		char socket[108];
	} control;
	struct {
		char listen[64];
	} metrics;
	struct {
		int level;
		bool numbers;
	} log;
	struct {
		int64_t chunk_s, wait_ms, session_s;
	} money;
	struct {
		char key_file[256];
		bool allow_private;
		int64_t in_flight_max;
	} decision;
	struct {
		char socket[108], user[32];
		int64_t queue_mib;
	} intercept;
	struct {
		int64_t expires_min_s, expires_max_s, expires_default_s;
	} registrar;
	struct {
		int64_t nonce_life_s;
	} digest;
};

/** @return 0, or the error; why says file, line, key, value, what is allowed */
int node_settings_load(struct node_settings *ret, const char *file, char *why,
		       size_t size);

/** All keys with their defaults as a commented file; malloc'd. */
char *node_settings_print(void);

#endif
