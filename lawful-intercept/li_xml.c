/**
 * @file li_xml.c  A bounded tree over expat.
 */
#include <errno.h>
#include <expat.h>
#include <openssl/crypto.h>
#include <string.h>
#include "li_xml.h"
#include "text.h"

#define PREFIXES 32
#define SEPARATOR '|'

/** A prefix in scope. */
struct prefix {
	char name[32];
	bool is_x1;
};

struct li_xml {
	struct li_xml_node *root;
	struct li_xml_node *nodes; /**< [LI_XML_NODES], grown in steps       */
	size_t n, room;
	char *arena;               /**< names and texts                     */
	size_t used, size;
};

struct build {
	struct li_xml *x;
	XML_Parser parser;
	struct li_xml_node *at;
	size_t depth;
	struct prefix prefixes[PREFIXES];
	size_t prefix_n;
	int err;
};


static void xml_destructor(void *arg)
{
	struct li_xml *x = arg;

	if (x->arena)
		OPENSSL_cleanse(x->arena, x->size);
	mem_deref(x->arena);
	mem_deref(x->nodes);
}


static void fail(struct build *b, int err)
{
	if (!b->err)
		b->err = err;
	(void)XML_StopParser(b->parser, XML_FALSE);
}


static const char *keep(struct build *b, const char *text, size_t len)
{
	struct li_xml *x = b->x;
	char *p = x->arena + x->used;

	if (len + 1 > x->size - x->used) {
		fail(b, E2BIG);
		return NULL;
	}
	memcpy(p, text, len);
	p[len] = '\0';
	x->used += len + 1;

	return p;
}


static bool is_blank(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!strchr(" \t\r\n", s[i]))
			return false;
	}

	return true;
}


/* "uri|local" of expat */
static enum li_xml_space space_of(const char *name, const char **local)
{
	const char *bar = strrchr(name, SEPARATOR);
	const size_t n = bar ? (size_t)(bar - name) : 0;

	*local = bar ? bar + 1 : name;
	if (n == strlen(LI_XML_X1) && !strncmp(name, LI_XML_X1, n))
		return LI_SPACE_X1;
	if (n == strlen(LI_XML_COMMON) && !strncmp(name, LI_XML_COMMON, n))
		return LI_SPACE_COMMON;

	return LI_SPACE_OTHER;
}


/* xsi:type is a QName: what its prefix stands for is what counts */
static const char *type_of(struct build *b, const char *value)
{
	char text[128];
	const char *colon, *local;
	size_t i, n;

	if (li_xml_collapse(text, sizeof(text), value))
		return NULL;

	colon = strchr(text, ':');
	local = colon ? colon + 1 : text;
	n = colon ? (size_t)(colon - text) : 0;
	for (i = b->prefix_n; i > 0; i--) {
		const struct prefix *p = &b->prefixes[i - 1];

		if (strlen(p->name) == n && !strncmp(p->name, text, n))
			return p->is_x1 ? keep(b, local, strlen(local)) : NULL;
	}

	return NULL;
}


static void attributes(struct build *b, struct li_xml_node *node,
		       const char **attr)
{
	for (; *attr; attr += 2) {
		if (!strcmp(attr[0], LI_XML_XSI "|schemaLocation"))
			continue;
		if (strcmp(attr[0], LI_XML_XSI "|type") || node->type) {
			fail(b, EBADMSG);
			return;
		}
		node->type = type_of(b, attr[1]);
		if (!node->type)
			fail(b, EBADMSG);
	}
}


static struct li_xml_node *node_add(struct build *b)
{
	struct li_xml_node *node;

	if (b->x->n == b->x->room) {
		fail(b, E2BIG);
		return NULL;
	}
	node = &b->x->nodes[b->x->n++];
	node->parent = b->at;
	if (!b->at)
		b->x->root = node;
	else if (b->at->last)
		b->at->last->next = node;
	else
		b->at->child = node;
	if (b->at)
		b->at->last = node;

	return node;
}


static void element_start(void *arg, const char *name, const char **attr)
{
	struct build *b = arg;
	struct li_xml_node *node;
	const char *local;

	if (b->err)
		return;
	if (++b->depth > LI_XML_DEPTH) {
		fail(b, E2BIG);
		return;
	}
	if (b->at && b->at->text && !is_blank(b->at->text,
					      strlen(b->at->text)))
		b->at->is_mixed = true;

	node = node_add(b);
	if (!node)
		return;
	node->space = space_of(name, &local);
	node->name = keep(b, local, strlen(local));
	b->at = node;
	attributes(b, node, attr);
}


static void element_end(void *arg, const char *name)
{
	struct build *b = arg;

	(void)name;
	if (b->err || !b->at)
		return;
	b->depth--;
	b->at = b->at->parent;
}


/* expat gives text in pieces: they follow each other at the arena's end,
 * unless a child stood between them */
static void text_add(void *arg, const char *s, int len)
{
	struct build *b = arg;
	struct li_xml_node *node = b->at;

	if (b->err || !node || len <= 0)
		return;
	if (node->child) {
		if (!is_blank(s, (size_t)len))
			node->is_mixed = true;
		return;
	}
	if (!node->text) {
		node->text = keep(b, s, (size_t)len);
		return;
	}
	b->x->used--; /* over the NUL of the piece before */
	if (!keep(b, s, (size_t)len))
		b->x->used++;
}


static void prefix_start(void *arg, const char *prefix, const char *uri)
{
	struct build *b = arg;
	struct prefix *p;

	if (b->err)
		return;
	if (b->prefix_n == PREFIXES) {
		fail(b, E2BIG);
		return;
	}
	p = &b->prefixes[b->prefix_n++];
	p->is_x1 = uri && !strcmp(uri, LI_XML_X1);
	if (text_copy(p->name, sizeof(p->name), prefix ? prefix : ""))
		fail(b, E2BIG);
}


static void prefix_end(void *arg, const char *prefix)
{
	struct build *b = arg;

	(void)prefix;
	if (b->prefix_n)
		b->prefix_n--;
}


/* None of these has a place in X1, and each has been a way to do harm */
static void doctype(void *arg, const char *name, const char *sysid,
		    const char *pubid, int has_internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)has_internal;
	fail(arg, EBADMSG);
}


static void entity(void *arg, const char *name, int is_param,
		   const char *value, int len, const char *base,
		   const char *sysid, const char *pubid, const char *notation)
{
	(void)name;
	(void)is_param;
	(void)value;
	(void)len;
	(void)base;
	(void)sysid;
	(void)pubid;
	(void)notation;
	fail(arg, EBADMSG);
}


static void instruction(void *arg, const char *target, const char *data)
{
	(void)target;
	(void)data;
	fail(arg, EBADMSG);
}


static int xml_alloc(struct li_xml **xp, size_t len)
{
	struct li_xml *x = mem_zalloc(sizeof(*x), xml_destructor);

	if (!x)
		return ENOMEM;

	/* "<a/>" is four octets of input for a node, a name and a NUL; texts
	 * only get shorter */
	x->room = len / 4 + 1 < LI_XML_NODES ? len / 4 + 1 : LI_XML_NODES;
	x->size = 2 * len + 64;
	x->nodes = mem_zalloc(x->room * sizeof(*x->nodes), NULL);
	x->arena = mem_zalloc(x->size, NULL);
	if (!x->nodes || !x->arena) {
		mem_deref(x);
		return ENOMEM;
	}
	*xp = x;

	return 0;
}


int li_xml_parse(struct li_xml **xp, const char *bytes, size_t len)
{
	struct build b = {0};
	int err;

	if (!len)
		return EBADMSG;
	if (len > LI_XML_MAX)
		return E2BIG;
	err = xml_alloc(&b.x, len);
	if (err)
		return err;
	b.parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
	if (!b.parser) {
		mem_deref(b.x);
		return ENOMEM;
	}

	XML_SetUserData(b.parser, &b);
	XML_SetElementHandler(b.parser, element_start, element_end);
	XML_SetCharacterDataHandler(b.parser, text_add);
	XML_SetNamespaceDeclHandler(b.parser, prefix_start, prefix_end);
	XML_SetStartDoctypeDeclHandler(b.parser, doctype);
	XML_SetEntityDeclHandler(b.parser, entity);
	XML_SetProcessingInstructionHandler(b.parser, instruction);
	(void)XML_SetParamEntityParsing(b.parser,
					XML_PARAM_ENTITY_PARSING_NEVER);
	if (XML_Parse(b.parser, bytes, (int)len, 1) != XML_STATUS_OK && !b.err)
		b.err = EBADMSG;
	XML_ParserFree(b.parser);

	if (b.err)
		mem_deref(b.x);
	else
		*xp = b.x;

	return b.err;
}


const struct li_xml_node *li_xml_root(const struct li_xml *x)
{
	return x->root;
}


const struct li_xml_node *li_xml_child(const struct li_xml_node *node,
				       const char *name)
{
	const struct li_xml_node *c;

	for (c = node ? node->child : NULL; c; c = c->next) {
		if (c->space == LI_SPACE_X1 && !strcmp(c->name, name))
			return c;
	}

	return NULL;
}


int li_xml_collapse(char *buf, size_t size, const char *text)
{
	size_t n = 0;
	bool gap = false;

	for (; *text; text++) {
		if (strchr(" \t\r\n", *text)) {
			gap = n > 0;
			continue;
		}
		if (n + gap + 1 >= size)
			return EOVERFLOW;
		if (gap)
			buf[n++] = ' ';
		buf[n++] = *text;
		gap = false;
	}
	buf[n] = '\0';

	return 0;
}


const char *li_xml_text(const struct li_xml_node *node, const char *name,
			char *buf, size_t size)
{
	const struct li_xml_node *c = li_xml_child(node, name);

	if (!c || !c->text || li_xml_collapse(buf, size, c->text))
		buf[0] = '\0';

	return buf;
}


int li_xml_write_text(struct mbuf *mb, const char *text)
{
	int err = 0;

	for (; *text && !err; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '&')
			err = mbuf_write_str(mb, "&amp;");
		else if (c == '<')
			err = mbuf_write_str(mb, "&lt;");
		else if (c == '>')
			err = mbuf_write_str(mb, "&gt;");
		else if (c == '\r') /* as it is, it would be read as '\n' */
			err = mbuf_write_str(mb, "&#13;");
		else if (c < ' ' && c != '\t' && c != '\n')
			err = mbuf_write_u8(mb, '?');
		else
			err = mbuf_write_u8(mb, c);
	}

	return err;
}


int li_xml_write(struct mbuf *mb, const struct li_xml_node *node)
{
	const char *prefix = node->space == LI_SPACE_COMMON ? "c:" : "";
	const struct li_xml_node *c;
	int err = mbuf_printf(mb, "<%s%s>", prefix, node->name);

	for (c = node->child; c && !err; c = c->next)
		err = li_xml_write(mb, c);
	if (!err && !node->child && node->text)
		err = li_xml_write_text(mb, node->text);

	return err ? err : mbuf_printf(mb, "</%s%s>", prefix, node->name);
}
