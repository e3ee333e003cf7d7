/**
 * @file x1_answer.c  What X1 says, in the order of its schema.
 */
#include "x1_answer.h"


static int element(struct mbuf *mb, const char *name, const char *text)
{
	int err = mbuf_printf(mb, "<%s>", name);

	err = err ? err : li_xml_write_text(mb, text);

	return err ? err : mbuf_printf(mb, "</%s>", name);
}


static int root(struct mbuf *mb, const char *name)
{
	return mbuf_printf(mb,
			   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			   "<%s xmlns=\"%s\" xmlns:c=\"%s\" xmlns:xsi=\"%s\">",
			   name, LI_XML_X1, LI_XML_COMMON, LI_XML_XSI);
}


int x1_answer_begin(struct mbuf *mb, const char *name)
{
	return root(mb, name);
}


int x1_answer_end(struct mbuf *mb, const char *name)
{
	return mbuf_printf(mb, "</%s>\n", name);
}


int x1_answer_top_error(struct mbuf *mb, const struct li_settings *settings,
			int64_t now_us)
{
	char time[X1_TIME_SIZE];
	int err = root(mb, "X1TopLevelErrorResponse");

	err = err ? err : element(mb, "admfIdentifier", settings->admf);
	err = err ? err : element(mb, "neIdentifier", settings->ne);
	err = err ? err : element(mb, "messageTimestamp",
				  x1_time_write(time, now_us));
	err = err ? err : element(mb, "version", settings->version);

	return err ? err : x1_answer_end(mb, "X1TopLevelErrorResponse");
}


int x1_answer_message(struct mbuf *mb, const char *name, const char *type,
		      const char *suffix, const struct x1_header *header,
		      int64_t now_us)
{
	char time[X1_TIME_SIZE];
	int err = mbuf_printf(mb, "<%s xsi:type=\"%s%s\">", name, type,
			      suffix);

	err = err ? err : element(mb, "admfIdentifier", header->admf);
	err = err ? err : element(mb, "neIdentifier", header->ne);
	err = err ? err : element(mb, "messageTimestamp",
				  x1_time_write(time, now_us));
	err = err ? err : element(mb, "version", header->version);

	return err ? err : element(mb, "x1TransactionId",
				   header->transaction);
}


int x1_answer_message_end(struct mbuf *mb, const char *name)
{
	return mbuf_printf(mb, "</%s>", name);
}


int x1_answer_ok(struct mbuf *mb, bool is_completed)
{
	return element(mb, "oK", is_completed ? "AcknowledgedAndCompleted"
					      : "Acknowledged");
}


static int error_information(struct mbuf *mb, const char *name, int code,
			     const char *what, const char *where)
{
	int err = mbuf_printf(mb, "<%s><errorCode>%d</errorCode>"
			      "<errorDescription>", name, code);

	err = err ? err : li_xml_write_text(mb, what);
	if (!err && where && where[0])
		err = mbuf_printf(mb, ": %s", where);

	return err ? err : mbuf_printf(mb, "</errorDescription></%s>", name);
}


int x1_answer_error(struct mbuf *mb, enum x1_type type, int code,
		    const char *what, const char *where)
{
	int err = element(mb, "requestMessageType", x1_type_name(type));

	return err ? err : error_information(mb, "errorInformation", code,
					     what, where);
}


int x1_answer_task(struct mbuf *mb, const struct li_task *t,
		   const struct li_health *health)
{
	char time[X1_TIME_SIZE];
	int err = mbuf_printf(mb, "<taskResponseDetails>%s<taskStatus>",
			      t->details);

	err = err ? err : element(mb, "provisioningStatus",
				  health->is_provisioned
					  ? "complete"
					  : "awaitingProvisioning");
	err = err ? err : mbuf_write_str(mb, "<listOfFaults/>");
	if (!err && t->last_us)
		err = element(mb, "timeOfLastIntercept",
			      x1_time_write(time, t->last_us));
	if (!err && t->modified_us)
		err = element(mb, "timeOfLastModification",
			      x1_time_write(time, t->modified_us));
	if (!err)
		err = mbuf_printf(mb, "<numberOfModifications>%lld"
				  "</numberOfModifications>",
				  (long long)t->modifications);

	return err ? err : mbuf_write_str(mb, "</taskStatus>"
					      "</taskResponseDetails>");
}


int x1_answer_destination(struct mbuf *mb, const struct li_destination *d)
{
	int err = mbuf_printf(mb, "<destinationResponseDetails>%s"
			      "<destinationStatus>", d->details);

	err = err ? err : element(mb, "destinationDeliveryStatus",
				  d->faults ? "deliveryFault"
					    : "activeAndWorking");
	err = err ? err : mbuf_write_str(mb, "<listOfFaults>");
	if (!err && d->faults & LI_X2)
		err = error_information(mb, "unresolvedFault", 9020,
					"no connection for X2", NULL);
	if (!err && d->faults & LI_X3)
		err = error_information(mb, "unresolvedFault", 9020,
					"no connection for X3", NULL);

	return err ? err : mbuf_write_str(mb, "</listOfFaults>"
					      "</destinationStatus>"
					      "</destinationResponseDetails>");
}


int x1_answer_ne(struct mbuf *mb, const struct li_health *health)
{
	int err = mbuf_write_str(mb, "<neStatusDetails>");

	err = err ? err : element(mb, "neStatus",
				  health->faults ? "Faults" : "OK");
	err = err ? err : mbuf_write_str(mb, "<listOfFaults>");
	if (!err && health->faults & LI_FAULT_POI_AWAY)
		err = error_information(mb, "unresolvedFault", 9030,
					"no switch is connected", NULL);
	if (!err && health->faults & LI_FAULT_STORE)
		err = error_information(mb, "unresolvedFault", 9020,
					"records cannot be written", NULL);
	if (!err && health->faults & LI_FAULT_LOSS)
		err = error_information(mb, "unresolvedFault", 9020,
					"copies are being lost", NULL);

	return err ? err : mbuf_write_str(mb, "</listOfFaults>"
					      "</neStatusDetails>");
}
