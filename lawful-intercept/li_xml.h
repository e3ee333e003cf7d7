/**
 * @file li_xml.h  XML of X1 as a tree: read by expat, without document types,
 * entities and processing instructions, within bounds; and written.
 */
#ifndef LI_XML_H
#define LI_XML_H
#include <re.h>
#include <stdbool.h>
#include <stddef.h>

#define LI_XML_MAX (256 * 1024) /**< octets of a document                 */
#define LI_XML_NODES 8192
#define LI_XML_DEPTH 24

#define LI_XML_X1 "http://uri.etsi.org/03221/X1/2017/10"
#define LI_XML_COMMON "http://uri.etsi.org/03280/common/2017/07"
#define LI_XML_XSI "http://www.w3.org/2001/XMLSchema-instance"

enum li_xml_space { LI_SPACE_OTHER, LI_SPACE_X1, LI_SPACE_COMMON };

struct li_xml_node {
	enum li_xml_space space;
	const char *name;   /**< without prefix                             */
	const char *type;   /**< xsi:type of namespace X1, or NULL          */
	const char *text;   /**< of an element without children             */
	bool is_mixed;      /**< text beside children                       */
	struct li_xml_node *parent, *child, *last, *next;
};

struct li_xml;

/**
 * mem_deref() wipes it. Attributes other than xsi:type and
 * xsi:schemaLocation are refused.
 *
 * @return 0, EBADMSG (not well-formed, or has what is not taken), E2BIG
 */
int li_xml_parse(struct li_xml **xp, const char *bytes, size_t len);

const struct li_xml_node *li_xml_root(const struct li_xml *x);

/** First child of that name and namespace X1, or NULL. */
const struct li_xml_node *li_xml_child(const struct li_xml_node *node,
				       const char *name);

/** Its text without blanks around it, "" when it is not there. */
const char *li_xml_text(const struct li_xml_node *node, const char *name,
			char *buf, size_t size);

/** Blanks around and runs of them within taken away, as xs:token has it.
 *  @return 0 or EOVERFLOW */
int li_xml_collapse(char *buf, size_t size, const char *text);

/** Write a subtree: X1 without prefix, the common namespace as c. */
int li_xml_write(struct mbuf *mb, const struct li_xml_node *node);

/** Write text with what XML wants escaped; what XML cannot say is '?'. */
int li_xml_write_text(struct mbuf *mb, const char *text);

#endif
