/**
 * @file li_alarm.c  A file of lines.
 */
#include "li_alarm.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "x1_schema.h"

struct li_alarm {
	int fd;
};


static void alarm_destructor(void *arg)
{
	struct li_alarm *a = arg;

	if (a->fd >= 0)
		(void)close(a->fd);
}


int li_alarm_open(struct li_alarm **ap, const char *file)
{
	struct li_alarm *a = mem_zalloc(sizeof(*a), alarm_destructor);
	int err;

	if (!a)
		return ENOMEM;

	a->fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (a->fd < 0) {
		err = errno;
		mem_deref(a);
		return err;
	}
	*ap = a;

	return 0;
}


void li_alarm_tell(struct li_alarm *a, int64_t wall_us, const char *name,
		   bool is_up, json_t *detail)
{
	json_t *j = detail ? detail : json_object();
	char time[X1_TIME_SIZE];
	struct mbuf *mb = mbuf_alloc(256);
	char *text = NULL;

	if (j && mb &&
	    !json_object_set_new(j, "at",
				 json_string(x1_time_write(time, wall_us))) &&
	    !json_object_set_new(j, "alarm", json_string(name)) &&
	    !json_object_set_new(j, "is_up", json_boolean(is_up)))
		text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
	if (text && !mbuf_printf(mb, "%s\n", text) &&
	    write(a->fd, mb->buf, mb->end) != (ssize_t)mb->end)
		(void)0; /* the audit has it, too */
	free(text);
	mem_deref(mb);
	json_decref(j);
}
