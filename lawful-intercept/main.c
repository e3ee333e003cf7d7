/**
 * @file main.c  strowger-li: lawful interception. Runs, checks itself, and
 * verifies what it has written down.
 */
#include "li_audit.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "key_file.h"
#include "li_check.h"
#include "li_loop.h"
#include "li_secret.h"
#include "li_settings.h"
#include "li_store.h"
#include "x1_schema.h"

#define DEFAULT_FILE "/etc/strowger-li/li.yaml"

static volatile int is_over;

static const char usage[] =
	"usage: strowger-li [-c FILE] run            serve\n"
	"       strowger-li [-c FILE] check          what is wrong\n"
	"       strowger-li [-c FILE] audit verify   is every record as it was "
	"written?\n"
	"       strowger-li [-c FILE] audit show     every record, a line of "
	"JSON each\n"
	"       strowger-li key KEYFILE              make a key\n"
	"       strowger-li settings                 a settings file with all "
	"defaults\n"
	"FILE is " DEFAULT_FILE " unless it is given.\n";


static void over(int signal_number)
{
	(void)signal_number;
	is_over = 1;
}


/* Nothing of what is in memory may get to a disk: no core, no swap, and
 * nobody without privileges looks into the process */
static int memory_guard(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0))
		return errno;

	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ? errno : 0;
}


static int fail(const char *what, int err)
{
	fprintf(stderr, "strowger-li: %s: %s\n", what, strerror(err));

	return 1;
}


static int key_make(const char *file)
{
	const int err = key_file_make(file);

	return err ? fail(file, err) : 0;
}


static int settings_show(void)
{
	char *text = li_settings_print();

	if (!text)
		return fail("settings", ENOMEM);
	fputs(text, stdout);
	free(text);

	return 0;
}


static int secret_load(struct li_secret **sp, const struct li_settings *s)
{
	char file[LI_PATH_SIZE];
	int err = li_settings_key_file(s, file, sizeof(file));

	if (err)
		return fail("state.key_file is not set, and there is no "
			    "credential", err);
	err = li_secret_load(sp, file);

	return err ? fail(file, err) : 0;
}


static int run(const struct li_settings *s)
{
	struct sigaction act = {.sa_handler = over};
	struct li_secret *secret;
	struct li_loop *loop;
	char why[512];
	int err = memory_guard();

	if (err)
		return fail("memory cannot be locked", err);
	if (secret_load(&secret, s))
		return 1;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigaction(SIGTERM, &act, NULL);
	(void)sigaction(SIGINT, &act, NULL);
	err = li_loop_open(&loop, s, secret, why, sizeof(why));
	if (err) {
		fprintf(stderr, "strowger-li: %s\n", why);
		mem_deref(secret);
		return 1;
	}
	li_loop_run(loop, &is_over);
	mem_deref(loop);
	mem_deref(secret);

	return 0;
}


static int record_show(int64_t seq, int64_t at_us, const char *json, void *arg)
{
	char time[X1_TIME_SIZE];

	(void)arg;
	printf("{\"seq\":%lld,\"at\":\"%s\",%s\n", (long long)seq,
	       x1_time_write(time, at_us), json + 1);

	return 0;
}


static int audit_verify(struct li_store *store, const struct li_secret *secret)
{
	struct li_audit_fault f;
	const int err = li_audit_verify(store, secret, &f);

	if (!err) {
		printf("%lld records, whole\n", (long long)f.count);
		return 0;
	}
	if (err != EBADMSG)
		return fail("audit", err);
	printf("record %lld: %s; %lld records before it are whole\n",
	       (long long)f.seq, f.what, (long long)f.count);

	return 1;
}


static int audit(const struct li_settings *s, const char *verb)
{
	struct li_secret *secret;
	struct li_store *store;
	int err;

	if (secret_load(&secret, s))
		return 1;
	err = li_store_look(&store, s->folder, secret);
	if (err) {
		mem_deref(secret);
		return fail(s->folder, err);
	}
	if (!strcmp(verb, "verify"))
		err = audit_verify(store, secret);
	else if (li_audit_each(store, secret, record_show, NULL))
		err = fail("audit", EBADMSG);
	mem_deref(store);
	mem_deref(secret);

	return err;
}


static int with_settings(const char *file, int argc, char **argv)
{
	struct li_settings s;
	char why[512];

	if (li_settings_load(&s, file, why, sizeof(why))) {
		fprintf(stderr, "strowger-li: %s\n", why);
		return 2;
	}
	if (argc == 1 && !strcmp(argv[0], "run"))
		return run(&s);
	if (argc == 1 && !strcmp(argv[0], "check"))
		return li_check(&s);
	if (argc == 2 && !strcmp(argv[0], "audit") &&
	    (!strcmp(argv[1], "verify") || !strcmp(argv[1], "show")))
		return audit(&s, argv[1]);
	fputs(usage, stderr);

	return 2;
}


int main(int argc, char **argv)
{
	const char *file = DEFAULT_FILE;
	int c;

	while ((c = getopt(argc, argv, "c:h")) != -1) {
		if (c == 'c') {
			file = optarg;
			continue;
		}
		fputs(usage, c == 'h' ? stdout : stderr);
		return c == 'h' ? 0 : 2;
	}
	argc -= optind;
	argv += optind;
	if (argc == 2 && !strcmp(argv[0], "key"))
		return key_make(argv[1]);
	if (argc == 1 && !strcmp(argv[0], "settings"))
		return settings_show();

	return with_settings(file, argc, argv);
}
