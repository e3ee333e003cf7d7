/**
 * @file li_settings.c  The table of settings.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "li_settings.h"
#include "settings.h"
#include "text.h"

#define KEY(field) \
	offsetof(struct li_settings, field), \
	sizeof(((struct li_settings *)0)->field)

static const struct setting table[] = {
	{"ne.identifier", SET_TEXT, KEY(ne), 0, 0, NULL, NULL,
	 "neIdentifier of X1, network function of X2 and X3"},
	{"ne.point", SET_TEXT, KEY(point), 0, 0, NULL, "poi-1",
	 "interception point of X2 and X3"},
	{"state.folder", SET_PATH, KEY(folder), 0, 0, NULL,
	 "/var/lib/strowger-li", "store, spool and audit; 0700"},
	{"state.key_file", SET_TEXT, KEY(key_file), 0, 0, NULL, "",
	 "key of store and spool, 0400; empty: the unit's credential li.key"},
	{"pki.certificate", SET_PATH, KEY(certificate), 0, 0, NULL,
	 "/etc/strowger-li/ne.pem", "ours, with its chain"},
	{"pki.private_key", SET_PATH, KEY(private_key), 0, 0, NULL,
	 "/etc/strowger-li/ne.key", "of that certificate; 0400"},
	{"pki.ca", SET_PATH, KEY(ca), 0, 0, NULL, "/etc/strowger-li/ca.pem",
	 "the CA of interception: who is not signed by it is refused"},
	{"pki.crl", SET_TEXT, KEY(crl), 0, 0, NULL, "",
	 "its revocations (PEM), read again when it changes; empty: none"},
	{"poi.socket", SET_TEXT, KEY(poi_socket), 0, 0, NULL,
	 "/run/strowger-li/poi.sock", "where strowger-switch connects to"},
	{"poi.user", SET_TEXT, KEY(poi_user), 0, 0, NULL, "strowger",
	 "the user that may connect there"},
	{"x1.listen", SET_ADDRESS, KEY(listen), 0, 0, NULL, NULL,
	 "where X1 and REST are served, over TLS only"},
	{"x1.admf", SET_TEXT, KEY(admf), 0, 0, NULL, "",
	 "admfIdentifier of the one ADMF; empty: no X1"},
	{"x1.report_url", SET_TEXT, KEY(report_url), 0, 0, NULL, "",
	 "https URL of that ADMF for reports; empty: none are sent"},
	{"x1.version", SET_TEXT, KEY(version), 0, 0, NULL, "v1.13.1",
	 "what messages of ours declare"},
	{"x1.keepalive", SET_FLAG, KEY(keepalive), 0, 0, NULL, "true",
	 "answer Keepalive; else 1070"},
	{"x1.keepalive_window_s", SET_NUMBER, KEY(keepalive_window_s), 0,
	 604800, NULL, "0",
	 "X1's tasks end when the ADMF was silent for so long; 0: never"},
	{"x1.deactivate_all", SET_FLAG, KEY(deactivate_all), 0, 0, NULL,
	 "true", "allow DeactivateAllTasks; else 5010"},
	{"x1.remove_all", SET_FLAG, KEY(remove_all), 0, 0, NULL, "false",
	 "allow RemoveAllDestinations; else 8020"},
	{"rest.officers", SET_TEXT, KEY(officers), 0, 0, NULL, "",
	 "names of intercept officers (UID of their certificates), separated "
	 "by blanks; empty: no REST"},
	{"rest.two_persons", SET_FLAG, KEY(two_persons), 0, 0, NULL, "false",
	 "a warrant is in force when a second officer has approved it"},
	{"delivery.keepalives", SET_FLAG, KEY(keepalives_sent), 0, 0, NULL,
	 "true", "send keepalives on X2 and X3 and want them answered"},
	{"delivery.keepalive_s", SET_NUMBER, KEY(ack_every_s), 1, 3600, NULL,
	 "60", "a keepalive so often (TIME_P1)"},
	{"delivery.answer_s", SET_NUMBER, KEY(ack_within_s), 1, 7200, NULL,
	 "180", "without an answer for so long a connection is made anew "
	 "(TIME_P2)"},
	{"delivery.spool_max_mib", SET_NUMBER, KEY(spool_max_mib), 1, 1048576,
	 NULL, "4096", "of one destination and product; what comes then is "
	 "lost, counted and reported"},
	{"alarm.file", SET_TEXT, KEY(alarm_file), 0, 0, NULL, "",
	 "alarms, a line of JSON each; empty: FOLDER/alarms"},
	{"numbering.country", SET_TEXT, KEY(numbering.country), 0, 0, NULL, "",
	 "country of targets that are written in national form"},
	{"numbering.international", SET_TEXT, KEY(numbering.international), 0,
	 0, NULL, "00", "what an international number begins with there"},
	{"numbering.national", SET_TEXT, KEY(numbering.national), 0, 0, NULL,
	 "0", "what a national number begins with there"},
};

#define TABLE_N (sizeof(table) / sizeof(table[0]))


static int refuse(char *why, size_t size, const char *file, const char *what)
{
	(void)text_format(why, size, "%s: %s", file, what);

	return EINVAL;
}


static bool version_holds(const char *v)
{
	size_t n;

	if (strncmp(v, "v1.", 3))
		return false;
	v += 3;
	n = strspn(v, "0123456789");
	if (!n || v[n] != '.')
		return false;
	v += n + 1;
	n = strspn(v, "0123456789");

	return n && !v[n];
}


int li_settings_load(struct li_settings *s, const char *file, char *why,
		     size_t size)
{
	int err = settings_load(file, table, TABLE_N, s, why, size);

	if (err)
		return err;
	if (!s->admf[0] && !s->officers[0])
		return refuse(why, size, file, "x1.admf or rest.officers has "
					       "to be set");
	if (s->report_url[0] && strncmp(s->report_url, "https://", 8))
		return refuse(why, size, file,
			      "x1.report_url has to begin with https://");
	if (!version_holds(s->version))
		return refuse(why, size, file,
			      "x1.version has to be v1.MINOR.PATCH");
	if (s->ack_within_s <= s->ack_every_s)
		return refuse(why, size, file,
			      "delivery.answer_s has to be more than "
			      "delivery.keepalive_s");
	if (!s->alarm_file[0] &&
	    text_format(s->alarm_file, sizeof(s->alarm_file), "%s/alarms",
			s->folder))
		return refuse(why, size, file, "state.folder is too long");

	return 0;
}


int li_settings_key_file(const struct li_settings *s, char *buf, size_t size)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	if (s->key_file[0])
		return text_copy(buf, size, s->key_file) ? EINVAL : 0;
	if (!credentials)
		return EINVAL;

	return text_format(buf, size, "%s/li.key", credentials) ? EINVAL : 0;
}


char *li_settings_print(void)
{
	return settings_print(table, TABLE_N);
}
