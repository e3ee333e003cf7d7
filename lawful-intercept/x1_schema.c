/**
 * @file x1_schema.c  Tables of elements, and one walk over them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <re.h>
#include <stdio.h>
#include <string.h>
#include "moment.h"
#include "rng.h"
#include "text.h"
#include "x1_schema.h"

#define TEXT_MAX 512

enum form {
	F_CHILDREN, F_TOKEN, F_TEXT, F_UUID, F_TIME, F_VERSION, F_NUMBER,
	F_FLAG, F_E164, F_SIP, F_TEL, F_IMPU, F_LIID, F_IPV4, F_IPV6,
	F_TCP_PORT, F_UDP_PORT, F_IMSI, F_DELIVERY, F_MEDIATION, F_SERVICE,
	F_ROLE, F_LOCAL,
	F_ANY,       /**< known, but never taken: its inside is not looked at */
	F_EXTENSION, /**< Owner, and whatever                                */
};

struct rule {
	const char *name;
	unsigned min, max;         /**< max 0: no bound                     */
	enum form form;
	const struct rule *inside; /**< of F_CHILDREN                       */
	bool is_choice;            /**< inside: exactly one of them         */
	enum li_xml_space space;   /**< 0: X1                               */
};

#define END {NULL, 0, 0, F_CHILDREN, NULL, false, 0}
#define ONE 1, 1
#define MAYBE 0, 1
#define SOME 1, 0
#define ANY_NUMBER 0, 0

#define ARM(name, form) {name, ONE, form, NULL, false, 0}

static const struct rule target_arms[] = {
	ARM("e164Number", F_E164), ARM("imsi", F_IMSI), ARM("imei", F_ANY),
	ARM("macAddress", F_ANY), ARM("ipv4Address", F_IPV4),
	ARM("ipv6Address", F_IPV6), ARM("ipv4Cidr", F_ANY),
	ARM("ipv6Cidr", F_ANY), ARM("tcpPort", F_TCP_PORT),
	ARM("tcpPortRange", F_ANY), ARM("tcpPortList", F_ANY),
	ARM("udpPort", F_UDP_PORT), ARM("udpPortRange", F_ANY),
	ARM("udpPortList", F_ANY), ARM("emailAddress", F_ANY),
	ARM("internationalizedEmailAddress", F_ANY), ARM("sipUri", F_SIP),
	ARM("telUri", F_TEL), ARM("h323Uri", F_ANY), ARM("impu", F_IMPU),
	ARM("impi", F_ANY), ARM("nai", F_ANY), ARM("radiusAttribute", F_ANY),
	ARM("gtpuTunnelId", F_NUMBER), ARM("gtpcTunnelId", F_NUMBER),
	ARM("callPartyRole", F_ROLE), ARM("nonLocalIdentifier", F_LOCAL),
	ARM("supiimsi", F_IMSI), ARM("supinai", F_ANY), ARM("suci", F_ANY),
	ARM("peiImei", F_ANY), ARM("peiImeiCheckDigit", F_ANY),
	ARM("peiImeisv", F_ANY), ARM("gpsiMsisdn", F_E164),
	ARM("gpsiNai", F_ANY), ARM("eui64", F_ANY),
	ARM("serviceAccessIdentifier", F_ANY), ARM("hashedIdentifier", F_ANY),
	ARM("targetIdentifierExtension", F_EXTENSION), ARM("vrf", F_ANY), END};

static const struct rule targets[] = {
	{"targetIdentifier", SOME, F_CHILDREN, target_arms, true, 0}, END};

static const struct rule dids[] = {
	{"dId", ANY_NUMBER, F_UUID, NULL, false, 0},
	{"dSId", ANY_NUMBER, F_UUID, NULL, false, 0}, END};

static const struct rule services[] = {
	{"serviceType", SOME, F_SERVICE, NULL, false, 0}, END};

static const struct rule policies[] = {
	{"trafficPolicyReference", ANY_NUMBER, F_UUID, NULL, false, 0}, END};

static const struct rule location[] = {
	{"beginningAndEnd", MAYBE, F_FLAG, NULL, false, 0},
	{"uponChange", MAYBE, F_FLAG, NULL, false, 0},
	{"LALS", MAYBE, F_FLAG, NULL, false, 0}, END};

static const struct rule locations[] = {
	{"locationType", ANY_NUMBER, F_CHILDREN, location, false, 0}, END};

static const struct rule location_options[] = {
	{"doNotReport", ONE, F_TEXT, NULL, false, 0},
	{"listOfLocationTypes", ONE, F_CHILDREN, locations, false, 0}, END};

static const struct rule scoping[] = {
	{"serviceType", MAYBE, F_CHILDREN, services, false, 0},
	{"locationType", MAYBE, F_CHILDREN, location_options, true, 0},
	{"suspendOnOutboundInternationalRoaming", MAYBE, F_FLAG, NULL, false,
	 0},
	{"reportPostDialledDigits", MAYBE, F_FLAG, NULL, false, 0}, END};

static const struct rule scopings[] = {
	{"serviceScopingOptions", ANY_NUMBER, F_CHILDREN, scoping, false, 0},
	END};

static const struct rule mediation[] = {
	{"LIID", ONE, F_LIID, NULL, false, 0},
	{"deliveryType", ONE, F_MEDIATION, NULL, false, 0},
	{"StartTime", MAYBE, F_TIME, NULL, false, 0},
	{"EndTime", MAYBE, F_TIME, NULL, false, 0},
	{"listOfDIDs", MAYBE, F_CHILDREN, dids, false, 0},
	{"mediationDetailsExtensions", ANY_NUMBER, F_EXTENSION, NULL, false,
	 0},
	{"serviceScopingOptions", MAYBE, F_CHILDREN, scopings, false, 0},
	{"listOfTrafficPolicyReferences", MAYBE, F_CHILDREN, policies, false,
	 0}, END};

static const struct rule mediations[] = {
	{"mediationDetails", ANY_NUMBER, F_CHILDREN, mediation, false, 0},
	END};

static const struct rule task[] = {
	{"xId", ONE, F_UUID, NULL, false, 0},
	{"targetIdentifiers", ONE, F_CHILDREN, targets, false, 0},
	{"deliveryType", ONE, F_DELIVERY, NULL, false, 0},
	{"listOfDIDs", ONE, F_CHILDREN, dids, false, 0},
	{"listOfMediationDetails", MAYBE, F_CHILDREN, mediations, false, 0},
	{"correlationID", MAYBE, F_NUMBER, NULL, false, 0},
	{"implicitDeactivationAllowed", MAYBE, F_FLAG, NULL, false, 0},
	{"productID", MAYBE, F_UUID, NULL, false, 0},
	{"listOfServiceTypes", MAYBE, F_CHILDREN, services, false, 0},
	{"taskDetailsExtensions", ANY_NUMBER, F_EXTENSION, NULL, false, 0},
	{"listOfTrafficPolicyReferences", MAYBE, F_CHILDREN, policies, false,
	 0}, END};

static const struct rule ip[] = {
	{"IPv4Address", ONE, F_IPV4, NULL, false, LI_SPACE_COMMON},
	{"IPv6Address", ONE, F_IPV6, NULL, false, LI_SPACE_COMMON}, END};

static const struct rule port[] = {
	{"TCPPort", ONE, F_TCP_PORT, NULL, false, LI_SPACE_COMMON},
	{"UDPPort", ONE, F_UDP_PORT, NULL, false, LI_SPACE_COMMON}, END};

static const struct rule ip_and_port[] = {
	{"address", ONE, F_CHILDREN, ip, true, LI_SPACE_COMMON},
	{"port", ONE, F_CHILDREN, port, true, LI_SPACE_COMMON}, END};

static const struct rule address[] = {
	{"ipAddressAndPort", ONE, F_CHILDREN, ip_and_port, false, 0},
	ARM("e164Number", F_E164), ARM("uri", F_ANY),
	ARM("emailAddress", F_ANY), END};

static const struct rule destination[] = {
	{"dId", ONE, F_UUID, NULL, false, 0},
	{"friendlyName", MAYBE, F_TEXT, NULL, false, 0},
	{"deliveryType", ONE, F_DELIVERY, NULL, false, 0},
	{"deliveryAddress", ONE, F_CHILDREN, address, true, 0},
	{"destinationDetailsExtensions", ANY_NUMBER, F_EXTENSION, NULL, false,
	 0}, END};

static const struct rule task_body[] = {
	{"taskDetails", ONE, F_CHILDREN, task, false, 0}, END};
static const struct rule destination_body[] = {
	{"destinationDetails", ONE, F_CHILDREN, destination, false, 0}, END};
static const struct rule xid_body[] = {ARM("xId", F_UUID), END};
static const struct rule did_body[] = {ARM("dId", F_UUID), END};
static const struct rule object_type_body[] = {
	{"objectType", MAYBE, F_ANY, NULL, false, 0}, END};
static const struct rule nothing[] = {END};

static const struct rule header[] = {
	ARM("admfIdentifier", F_TOKEN), ARM("neIdentifier", F_TOKEN),
	ARM("messageTimestamp", F_TIME), ARM("version", F_VERSION),
	ARM("x1TransactionId", F_UUID), END};

#define HEADER_N 5

/** A kind of message; without a body: not for us. */
static const struct {
	const char *name;
	const struct rule *body;
} types[X1_TYPE_N] = {
	[X1_ACTIVATE_TASK] = {"ActivateTask", task_body},
	[X1_MODIFY_TASK] = {"ModifyTask", task_body},
	[X1_DEACTIVATE_TASK] = {"DeactivateTask", xid_body},
	[X1_DEACTIVATE_ALL_TASKS] = {"DeactivateAllTasks", nothing},
	[X1_CREATE_DESTINATION] = {"CreateDestination", destination_body},
	[X1_MODIFY_DESTINATION] = {"ModifyDestination", destination_body},
	[X1_REMOVE_DESTINATION] = {"RemoveDestination", did_body},
	[X1_REMOVE_ALL_DESTINATIONS] = {"RemoveAllDestinations", nothing},
	[X1_GET_TASK_DETAILS] = {"GetTaskDetails", xid_body},
	[X1_GET_DESTINATION_DETAILS] = {"GetDestinationDetails", did_body},
	[X1_GET_NE_STATUS] = {"GetNEStatus", nothing},
	[X1_GET_ALL_DETAILS] = {"GetAllDetails", nothing},
	[X1_GET_ALL_TASK_DETAILS] = {"GetAllTaskDetails", nothing},
	[X1_GET_ALL_DESTINATION_DETAILS] = {"GetAllDestinationDetails",
					    nothing},
	[X1_GET_ALL_GENERIC_OBJECT_DETAILS] = {"GetAllGenericObjectDetails",
					       object_type_body},
	[X1_LIST_ALL_DETAILS] = {"ListAllDetails", nothing},
	[X1_PING] = {"Ping", nothing},
	[X1_KEEPALIVE] = {"Keepalive", nothing},
	[X1_CREATE_OBJECT] = {"CreateObject", NULL},
	[X1_MODIFY_OBJECT] = {"ModifyObject", NULL},
	[X1_GET_OBJECT] = {"GetObject", NULL},
	[X1_DELETE_OBJECT] = {"DeleteObject", NULL},
	[X1_LIST_OBJECTS_OF_TYPE] = {"ListObjectsOfType", NULL},
	[X1_DELETE_ALL_OBJECTS] = {"DeleteAllObjects", NULL},
	[X1_REPORT_TASK_ISSUE] = {"ReportTaskIssue", NULL},
	[X1_REPORT_DESTINATION_ISSUE] = {"ReportDestinationIssue", NULL},
	[X1_REPORT_NE_ISSUE] = {"ReportNEIssue", NULL},
};


const char *x1_type_name(enum x1_type type)
{
	return types[type].name;
}


int x1_type_find(enum x1_type *ret_type, const char *xsi_type)
{
	size_t i;

	for (i = 0; xsi_type && i < X1_TYPE_N; i++) {
		const size_t n = strlen(types[i].name);

		if (!strncmp(xsi_type, types[i].name, n) &&
		    !strcmp(xsi_type + n, "Request")) {
			*ret_type = (enum x1_type)i;
			return 0;
		}
	}

	return ENOENT;
}


bool x1_type_is_for_us(enum x1_type type)
{
	return types[type].body != NULL;
}


static bool digits_only(const char *s, size_t min, size_t max)
{
	const size_t n = strlen(s);

	return n >= min && n <= max && strspn(s, "0123456789") == n;
}


static bool uuid_holds(const char *s)
{
	size_t i;

	if (strlen(s) != 36)
		return false;
	for (i = 0; i < 36; i++) {
		const bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !strchr("0123456789abcdef", s[i]))
			return false;
	}

	return true;
}


static bool version_holds(const char *s)
{
	unsigned minor, patch;
	int n = 0;

	return strspn(s + (*s != 0), "0123456789.") == strlen(s) - (*s != 0) &&
	       sscanf(s, "v1.%5u.%5u%n", &minor, &patch, &n) == 2 && n > 0 &&
	       !s[n];
}


/* The characters of a URI that TS 103 280 takes */
static bool uri_holds(const char *s)
{
	for (; *s; s++) {
		if (*s < '!' || *s > '~' || strchr("\"^`{|}", *s) ||
		    *s == '<' || *s == '>')
			return false;
	}

	return true;
}


static bool scheme_holds(const char *s, const char *scheme)
{
	const size_t n = strlen(scheme);

	return !strncmp(s, scheme, n) && s[n] && uri_holds(s + n);
}


static bool liid_holds(const char *s)
{
	const size_t n = strlen(s);
	size_t i;

	if (n >= 26 && n <= 50)
		return strspn(s, "0123456789abcdef") == n;
	for (i = 0; i < n; i++) {
		if (s[i] < '!' || s[i] > '~')
			return false;
	}

	return n >= 1 && n <= 25;
}


static bool ipv4_holds(const char *s)
{
	struct in_addr a;

	return inet_pton(AF_INET, s, &a) == 1;
}


/* TS 103 280 wants all eight groups, of four digits */
static bool ipv6_holds(const char *s)
{
	size_t i;

	if (strlen(s) != 39)
		return false;
	for (i = 0; i < 39; i++) {
		if (i % 5 == 4 ? s[i] != ':'
			       : !strchr("0123456789abcdef", s[i]))
			return false;
	}

	return true;
}


static bool number_holds(const char *s, uint64_t min, uint64_t max)
{
	uint64_t v;

	return !text_u64(&v, s, strlen(s), max) && v >= min;
}


static bool one_of(const char *s, const char *const *words)
{
	for (; *words; words++) {
		if (!strcmp(s, *words))
			return true;
	}

	return false;
}


static const char *const deliveries[] = {"X2Only", "X3Only", "X2andX3", NULL};
static const char *const handovers[] = {"HI2Only", "HI3Only", "HI2andHI3",
					NULL};
static const char *const service_types[] = {"voice", "data", "messaging",
					    "pushToTalk", "LALS", "RCS", NULL};
static const char *const roles[] = {"Originating", "Terminating",
				    "Forwarded-To", NULL};
static const char *const locals[] = {"Local", "NonLocal", NULL};
static const char *const flags[] = {"true", "false", "1", "0", NULL};


/* Those of xs:string: blanks are part of them, and wrong */
static bool word_holds(enum form form, const char *s, bool *is_word)
{
	*is_word = true;
	if (form == F_DELIVERY)
		return one_of(s, deliveries);
	if (form == F_MEDIATION)
		return one_of(s, handovers);
	if (form == F_SERVICE)
		return one_of(s, service_types);
	if (form == F_ROLE)
		return one_of(s, roles);
	if (form == F_LOCAL)
		return one_of(s, locals);
	if (form == F_VERSION)
		return version_holds(s);
	*is_word = false;

	return false;
}


static bool value_holds(enum form form, const char *raw)
{
	char s[TEXT_MAX];
	int64_t us;
	bool is_word;
	const bool holds = word_holds(form, raw, &is_word);

	if (is_word)
		return holds;
	if (li_xml_collapse(s, sizeof(s), raw))
		return false;
	if (form == F_TEXT)
		return true;
	if (form == F_TOKEN)
		return s[0] != '\0';
	if (form == F_UUID)
		return uuid_holds(s);
	if (form == F_TIME)
		return !x1_time_read(&us, s);
	if (form == F_NUMBER)
		return number_holds(s, 0, UINT64_MAX);
	if (form == F_FLAG)
		return one_of(s, flags);
	if (form == F_E164)
		return digits_only(s, 1, 15);
	if (form == F_IMSI)
		return digits_only(s, 6, 15);
	if (form == F_SIP)
		return scheme_holds(s, "sip:") || scheme_holds(s, "sips:");
	if (form == F_TEL)
		return scheme_holds(s, "tel:");
	if (form == F_IMPU)
		return s[0] && strlen(s) <= 255 && uri_holds(s);
	if (form == F_LIID)
		return liid_holds(s);
	if (form == F_IPV4)
		return ipv4_holds(s);
	if (form == F_IPV6)
		return ipv6_holds(s);
	if (form == F_TCP_PORT)
		return number_holds(s, 2, 65535);

	return form == F_UDP_PORT && number_holds(s, 0, 65535);
}


static int walk(const struct li_xml_node *first, const struct rule *rules,
		bool is_choice, const char **where);


static bool rule_names(const struct rule *r, const struct li_xml_node *node)
{
	const enum li_xml_space space = r->space ? r->space : LI_SPACE_X1;

	return node->space == space && !strcmp(node->name, r->name);
}


/* Owner, then elements of other namespaces: never taken, so only this much */
static bool extension_holds(const struct li_xml_node *node)
{
	const struct li_xml_node *c = node->child;

	if (!c || c->space != LI_SPACE_X1 || strcmp(c->name, "Owner") ||
	    c->child || node->is_mixed)
		return false;
	for (c = c->next; c; c = c->next) {
		if (c->space == LI_SPACE_X1)
			return false;
	}

	return true;
}


static int element(const struct li_xml_node *node, const struct rule *r,
		   const char **where)
{
	bool holds;

	if (r->form == F_ANY)
		return 0;
	if (r->form == F_CHILDREN) {
		if (node->is_mixed || node->type ||
		    (!node->child && node->text &&
		     strspn(node->text, " \t\r\n") != strlen(node->text))) {
			*where = r->name;
			return EBADMSG;
		}
		*where = r->name;
		return walk(node->child, r->inside, r->is_choice, where);
	}

	holds = r->form == F_EXTENSION
			? extension_holds(node)
			: !node->child && !node->type &&
				  value_holds(r->form,
					      node->text ? node->text : "");
	if (!holds)
		*where = r->name;

	return holds ? 0 : EBADMSG;
}


static int choice(const struct li_xml_node *first, const struct rule *rules,
		  const char **where)
{
	const struct rule *r;

	if (!first || first->next)
		return EBADMSG;
	for (r = rules; r->name; r++) {
		if (rule_names(r, first))
			return element(first, r, where);
	}

	return EBADMSG;
}


/* where is the parent's name until an element is found to be wrong */
static int walk(const struct li_xml_node *node, const struct rule *rules,
		bool is_choice, const char **where)
{
	const char *const parent = *where;
	const struct rule *r;

	if (is_choice)
		return choice(node, rules, where);

	for (r = rules; r->name; r++) {
		unsigned n = 0;

		for (; node && rule_names(r, node); node = node->next) {
			if (r->max && n == r->max)
				break;
			if (element(node, r, where))
				return EBADMSG;
			n++;
		}
		if (n < r->min) {
			*where = r->name;
			return EBADMSG;
		}
	}
	*where = parent;

	return node ? EBADMSG : 0;
}


int x1_schema_header(const struct li_xml_node *message)
{
	const struct li_xml_node *node = message->child;
	const char *where = "";
	size_t i;

	if (message->is_mixed)
		return EBADMSG;
	for (i = 0; i < HEADER_N; i++, node = node->next) {
		if (!node || !rule_names(&header[i], node) ||
		    element(node, &header[i], &where))
			return EBADMSG;
	}

	return 0;
}


int x1_schema_body(const struct li_xml_node *message, enum x1_type type,
		   const char **ret_where)
{
	const struct li_xml_node *node = message->child;
	size_t i;

	*ret_where = types[type].name;
	for (i = 0; i < HEADER_N && node; i++)
		node = node->next;

	return walk(node, types[type].body, false, ret_where);
}


int x1_schema_task(const struct li_xml_node *node, const char **ret_where)
{
	return element(node, task_body, ret_where);
}


int x1_schema_destination(const struct li_xml_node *node,
			  const char **ret_where)
{
	return element(node, destination_body, ret_where);
}


int x1_time_read(int64_t *ret_us, const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddd";
	const size_t n = sizeof(form) - 1, len = strlen(text);
	uint64_t fraction;
	int64_t ms;
	char cut[40];
	size_t i;

	if (len != n + 1 && len != n + 6)
		return EBADMSG;
	for (i = 0; i < n; i++) {
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9'
				   : text[i] != form[i])
			return EBADMSG;
	}
	if (len == n + 1 ? text[n] != 'Z' : text[n] != '+' && text[n] != '-')
		return EBADMSG;

	/* whole seconds by the clock's own reader, the rest by ours */
	if (text_format(cut, sizeof(cut), "%.19s%s", text, text + n) ||
	    moment_parse(&ms, cut) ||
	    text_u64(&fraction, text + 20, 6, 999999))
		return EBADMSG;

	*ret_us = ms * 1000 + (int64_t)fraction;

	return 0;
}


const char *x1_time_write(char buf[X1_TIME_SIZE], int64_t us)
{
	char ms[32];

	(void)moment_format(ms, us / 1000);
	(void)text_format(buf, X1_TIME_SIZE, "%.23s%03dZ", ms,
			  (int)(us % 1000));

	return buf;
}
