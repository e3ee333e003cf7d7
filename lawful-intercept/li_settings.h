/**
 * @file li_settings.h  Settings of strowger-li, one YAML file.
 */
#ifndef LI_SETTINGS_H
#define LI_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "poi_target.h"

#define LI_NAME_SIZE 64
#define LI_PATH_SIZE 256

struct li_settings {
	char ne[LI_NAME_SIZE], point[LI_NAME_SIZE];
	char folder[LI_PATH_SIZE], key_file[LI_PATH_SIZE];
	char certificate[LI_PATH_SIZE], private_key[LI_PATH_SIZE];
	char ca[LI_PATH_SIZE], crl[LI_PATH_SIZE];
	char poi_socket[108], poi_user[LI_NAME_SIZE];
	char listen[64];
	char admf[LI_NAME_SIZE], report_url[512], version[16];
	bool keepalive, deactivate_all, remove_all;
	int64_t keepalive_window_s;
	char officers[512];
	bool two_persons;
	int64_t ack_every_s, ack_within_s, spool_max_mib;
	bool keepalives_sent;
	char alarm_file[LI_PATH_SIZE];
	struct poi_numbering numbering;
};

/** As settings_load(); also what one key must not say without another. */
int li_settings_load(struct li_settings *s, const char *file, char *why,
		     size_t size);

/** The file of the key: the setting, or the credential of the unit.
 *  @return 0 or EINVAL (neither is there) */
int li_settings_key_file(const struct li_settings *s, char *buf, size_t size);

/** A commented file with all defaults; malloc'd. */
char *li_settings_print(void);

#endif
