/**
 * @file settings.c  YAML in, one filled struct out, or one line that says what
 * is wrong and what would be right. Everything is checked before anything is
 * written.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "settings.h"
#include "text.h"

#define KEY_SIZE 96
#define NEAR_MAX 2 /**< edits that still count as a slip of the finger */

/** One value as found in the file. */
struct found {
	const char *text; /**< NULL: not in the file */
	size_t line;
};

struct load {
	const char *file;
	const struct setting *table;
	size_t n;
	struct found *found; /**< [n] */
	char *why;
	size_t size;
};


__attribute__((format(printf, 3, 4)))
static int refuse(const struct load *l, size_t line, const char *fmt, ...)
{
	char text[384];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	if (line)
		(void)text_format(l->why, l->size, "%s:%zu: %s", l->file, line,
				  text);
	else
		(void)text_format(l->why, l->size, "%s: %s", l->file, text);

	return EINVAL;
}


/** What may be written, for the reader of an error and of the printed file */
static const char *allowed(char *buf, size_t size, const struct setting *s)
{
	size_t i, len;

	switch (s->type) {

	case SET_TEXT:
		(void)text_format(buf, size, "text of at most %zu bytes",
				  s->size - 1);
		break;
	case SET_NUMBER:
		(void)text_format(buf, size, "%" PRId64 " to %" PRId64, s->min,
				  s->max);
		break;
	case SET_FLAG:
		(void)text_copy(buf, size, "true, false");
		break;
	case SET_ADDRESS:
		(void)text_copy(buf, size, "IP:port, as 192.0.2.1:5060 or "
					   "[2001:db8::1]:5060");
		break;
	case SET_IP:
		(void)text_copy(buf, size, "an IP address, as 192.0.2.1 or "
					   "2001:db8::1");
		break;
	case SET_PATH:
		(void)text_copy(buf, size, "an absolute path");
		break;
	case SET_CHOICE:
		buf[0] = '\0';
		for (i = 0; s->choices[i]; i++) {
			len = strlen(buf);
			(void)text_format(buf + len, size - len, "%s%s",
					  i ? ", " : "", s->choices[i]);
		}
		break;
	}

	return buf;
}


static bool is_ip(const char *text)
{
	uint8_t addr[16];

	return inet_pton(AF_INET, text, addr) == 1 ||
	       inet_pton(AF_INET6, text, addr) == 1;
}


static bool is_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	const bool is_v6 = text[0] == '[';
	uint8_t addr[16];
	char host[64];
	uint64_t port;
	size_t len;

	if (!colon || text_u64(&port, colon + 1, strlen(colon + 1), 65535) ||
	    !port)
		return false;

	len = (size_t)(colon - text);
	if (is_v6 && (len < 2 || text[len - 1] != ']'))
		return false;
	if (text_set(host, sizeof(host), text + is_v6,
		     is_v6 ? len - 2 : len))
		return false;

	return inet_pton(is_v6 ? AF_INET6 : AF_INET, host, addr) == 1;
}


static int read_number(int64_t *ret, const char *text, int64_t min,
		       int64_t max)
{
	int64_t v;

	if (text_decimal(&v, text, 0) || v < min || v > max)
		return EINVAL;

	*ret = v;

	return 0;
}


static int choice_index(const struct setting *s, const char *text)
{
	int i;

	for (i = 0; s->choices[i]; i++) {
		if (!strcmp(s->choices[i], text))
			return i;
	}

	return -1;
}


/** Is text a value of this setting? Its own default always is. */
static bool is_value(const struct setting *s, const char *text)
{
	int64_t number;

	switch (s->type) {

	case SET_NUMBER:
		return !read_number(&number, text, s->min, s->max);
	case SET_FLAG:
		return !strcmp(text, "true") || !strcmp(text, "false");
	case SET_CHOICE:
		return choice_index(s, text) >= 0;
	case SET_TEXT:
	case SET_ADDRESS:
	case SET_IP:
	case SET_PATH:
		break;
	}

	if (strlen(text) >= s->size)
		return false;
	if (s->fallback && !strcmp(text, s->fallback))
		return true;

	switch (s->type) {

	case SET_ADDRESS:
		return is_address(text);
	case SET_IP:
		return is_ip(text);
	case SET_PATH:
		return text[0] == '/';
	case SET_TEXT:
		return text[0] != '\0';
	case SET_NUMBER:
	case SET_FLAG:
	case SET_CHOICE:
		break;
	}

	return false;
}


/** Write a checked value where it belongs. */
static void store(const struct setting *s, const char *text, void *settings)
{
	uint8_t *at = (uint8_t *)settings + s->offset;
	int64_t number = 0;
	int choice;
	bool flag;

	switch (s->type) {

	case SET_NUMBER:
		(void)read_number(&number, text, s->min, s->max);
		memcpy(at, &number, sizeof(number));
		break;
	case SET_FLAG:
		flag = !strcmp(text, "true");
		memcpy(at, &flag, sizeof(flag));
		break;
	case SET_CHOICE:
		choice = choice_index(s, text);
		memcpy(at, &choice, sizeof(choice));
		break;
	case SET_TEXT:
	case SET_ADDRESS:
	case SET_IP:
	case SET_PATH:
		(void)text_copy((char *)at, s->size, text);
		break;
	}
}


/** Levenshtein distance, bounded by the size of a key. */
static size_t distance(const char *a, const char *b)
{
	size_t row[KEY_SIZE], la = strlen(a), lb = strlen(b);
	size_t i, j, diagonal, up, best;

	if (la >= KEY_SIZE || lb >= KEY_SIZE)
		return SIZE_MAX;

	for (j = 0; j <= lb; j++)
		row[j] = j;

	for (i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			up = row[j];
			best = diagonal + (a[i - 1] != b[j - 1]);
			if (up + 1 < best)
				best = up + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = up;
		}
	}

	return row[lb];
}


static int refuse_key(const struct load *l, const char *key, size_t line)
{
	const char *near = NULL;
	size_t i, d, best = NEAR_MAX + 1;

	for (i = 0; i < l->n; i++) {
		d = distance(key, l->table[i].key);
		if (d < best) {
			best = d;
			near = l->table[i].key;
		}
	}

	if (near)
		return refuse(l, line, "%s: unknown key, did you mean %s?",
			      key, near);

	return refuse(l, line, "%s: unknown key", key);
}


static struct found *found_of(const struct load *l, const char *key)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (!strcmp(l->table[i].key, key))
			return &l->found[i];
	}

	return NULL;
}


/** One "key: value" of the file. */
static int take_value(const struct load *l, const char *key, size_t line,
		      const yaml_node_t *node)
{
	struct found *found = found_of(l, key);
	const char *text;

	if (!found)
		return refuse_key(l, key, line);
	if (found->text)
		return refuse(l, line, "%s: given twice, first in line %zu",
			      key, found->line);
	if (node->type != YAML_SCALAR_NODE)
		return refuse(l, line, "%s: one value is expected here", key);

	text = (const char *)node->data.scalar.value;
	if (strlen(text) != node->data.scalar.length)
		return refuse(l, line, "%s: holds a NUL character", key);

	found->text = text;
	found->line = line;

	return 0;
}


static bool is_section(const struct load *l, const char *name)
{
	const size_t len = strlen(name);
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (!strncmp(l->table[i].key, name, len) &&
		    l->table[i].key[len] == '.')
			return true;
	}

	return false;
}


/** The whole name of a key, "section.key". */
static int take_key(const struct load *l, const yaml_node_t *node,
		    const char *section, char key[KEY_SIZE])
{
	const size_t line = node->start_mark.line + 1;

	if (node->type != YAML_SCALAR_NODE)
		return refuse(l, line, "a key is a plain word");

	if (text_format(key, KEY_SIZE, "%s%s%s", section ? section : "",
			section ? "." : "",
			(const char *)node->data.scalar.value))
		return refuse(l, line, "%s: unknown key", key);

	return 0;
}


/** A mapping: the root (section NULL) or one section below it. */
static int take_mapping(const struct load *l, yaml_document_t *doc,
			const yaml_node_t *map, const char *section)
{
	const yaml_node_pair_t *pair;
	char key[KEY_SIZE];
	int err = 0;

	for (pair = map->data.mapping.pairs.start;
	     !err && pair < map->data.mapping.pairs.top; pair++) {

		yaml_node_t *k = yaml_document_get_node(doc, pair->key);
		yaml_node_t *v = yaml_document_get_node(doc, pair->value);

		err = take_key(l, k, section, key);
		if (err)
			break;

		if (!section && v->type == YAML_MAPPING_NODE &&
		    v->data.mapping.pairs.start != v->data.mapping.pairs.top)
			err = take_mapping(l, doc, v, key);
		else if (!section && is_section(l, key))
			err = refuse(l, v->start_mark.line + 1,
				     "%s: keys are expected below it", key);
		else
			err = take_value(l, key, k->start_mark.line + 1, v);
	}

	return err;
}


/** Every setting has a value that is allowed. */
static int check_all(const struct load *l)
{
	char may[256];
	size_t i;

	for (i = 0; i < l->n; i++) {

		const struct setting *s = &l->table[i];
		const struct found *found = &l->found[i];

		if (!found->text && !s->fallback)
			return refuse(l, 0, "%s: missing; allowed: %s", s->key,
				      allowed(may, sizeof(may), s));

		if (found->text && !is_value(s, found->text))
			return refuse(l, found->line,
				      "%s: value \"%.80s\"; allowed: %s",
				      s->key, found->text,
				      allowed(may, sizeof(may), s));

		/* a default that is refused is a fault of the table */
		assert(found->text || is_value(s, s->fallback));
	}

	return 0;
}


static void store_all(const struct load *l, void *settings)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		store(&l->table[i],
		      l->found[i].text ? l->found[i].text
				       : l->table[i].fallback,
		      settings);
}


static int take_document(const struct load *l, yaml_document_t *doc,
			 void *ret_settings)
{
	const yaml_node_t *root = yaml_document_get_root_node(doc);
	int err;

	if (root && root->type != YAML_MAPPING_NODE)
		return refuse(l, root->start_mark.line + 1,
			      "keys and values are expected");

	err = root ? take_mapping(l, doc, root, NULL) : 0;
	if (!err)
		err = check_all(l);
	if (!err)
		store_all(l, ret_settings);

	return err;
}


static int refuse_yaml(const struct load *l, const yaml_parser_t *parser)
{
	return refuse(l, parser->problem_mark.line + 1, "not YAML: %s",
		      parser->problem ? parser->problem : "unreadable");
}


/** A second document would go unread: refuse it. */
static int check_end(const struct load *l, yaml_parser_t *parser)
{
	const yaml_node_t *root;
	yaml_document_t doc;
	int err = 0;

	if (!yaml_parser_load(parser, &doc))
		return refuse_yaml(l, parser);

	root = yaml_document_get_root_node(&doc);
	if (root)
		err = refuse(l, root->start_mark.line + 1,
			     "a second document is not read");

	yaml_document_delete(&doc);

	return err;
}


static int parse(const struct load *l, FILE *in, void *ret_settings)
{
	yaml_document_t doc;
	yaml_parser_t parser;
	int err;

	if (!yaml_parser_initialize(&parser))
		return ENOMEM;

	yaml_parser_set_input_file(&parser, in);

	if (yaml_parser_load(&parser, &doc)) {
		err = check_end(l, &parser);
		if (!err)
			err = take_document(l, &doc, ret_settings);
		yaml_document_delete(&doc);
	}
	else {
		err = refuse_yaml(l, &parser);
	}

	yaml_parser_delete(&parser);

	return err;
}


int settings_load(const char *file, const struct setting *table, size_t n,
		  void *ret_settings, char *why, size_t size)
{
	struct load l = {.file = file, .table = table, .n = n, .why = why,
			 .size = why ? size : 0};
	FILE *in;
	int err;

	if (!file || !table || !n || !ret_settings)
		return EINVAL;

	in = fopen(file, "re");
	if (!in) {
		err = errno;
		(void)refuse(&l, 0, "%s", strerror(err));
		return err;
	}

	l.found = calloc(n, sizeof(*l.found));
	err = l.found ? parse(&l, in, ret_settings) : ENOMEM;

	free(l.found);
	(void)fclose(in);

	return err;
}


static size_t section_len(const char *key)
{
	const char *dot = strchr(key, '.');

	return dot ? (size_t)(dot - key) : 0;
}


static bool is_same_section(const char *a, const char *b)
{
	const size_t len = section_len(a);

	return len == section_len(b) && !strncmp(a, b, len);
}


static bool is_quoted(enum setting_type type)
{
	return type != SET_NUMBER && type != SET_FLAG && type != SET_CHOICE;
}


static void print_setting(FILE *out, const struct setting *s)
{
	const size_t len = section_len(s->key);
	const char *indent = len ? "  " : "";
	const char *c, *quote = is_quoted(s->type) ? "\"" : "";
	char may[256];

	(void)fprintf(out, "%s# %s (%s)%s\n", indent, s->help ? s->help : "",
		      allowed(may, sizeof(may), s),
		      s->fallback ? "" : " REQUIRED");
	(void)fprintf(out, "%s%s: %s", indent, s->key + len + (len > 0),
		      quote);

	for (c = s->fallback; c && *c; c++) {
		if (*quote && (*c == '"' || *c == '\\'))
			(void)fputc('\\', out);
		(void)fputc(*c, out);
	}

	(void)fprintf(out, "%s\n", quote);
}


static bool is_printed(const struct setting *table, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++) {
		if (is_same_section(table[j].key, table[i].key))
			return true;
	}

	return false;
}


char *settings_print(const struct setting *table, size_t n)
{
	char *text = NULL;
	size_t len = 0, i, j;
	FILE *out;

	out = open_memstream(&text, &len);
	if (!out)
		return NULL;

	for (i = 0; i < n; i++) {

		const char *key = table[i].key;

		if (is_printed(table, i))
			continue;

		if (section_len(key))
			(void)fprintf(out, "%s%.*s:\n", i ? "\n" : "",
				      (int)section_len(key), key);

		for (j = i; j < n; j++) {
			if (is_same_section(key, table[j].key))
				print_setting(out, &table[j]);
		}
	}

	if (fclose(out)) {
		free(text);
		return NULL;
	}

	return text;
}
