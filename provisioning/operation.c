/**
 * @file operation.c  Which operation a method and a path mean.
 */
#include <string.h>
#include "operation.h"
#include "text.h"

static const struct {
	const char *name;
	enum scope scope;
	unsigned grants; /* scopes of the keys that it may make */
} scopes[] = {
	{"tenant:read", SCOPE_TENANT_READ, 0},
	{"tenant:write", SCOPE_TENANT_WRITE,
	 SCOPE_TENANT_WRITE | SCOPE_TENANT_READ},
	{"platform:read", SCOPE_PLATFORM_READ, 0},
	{"platform:write", SCOPE_PLATFORM_WRITE,
	 SCOPES_OF_PLATFORM | SCOPES_OF_TENANTS},
	{"reseller", SCOPE_RESELLER, SCOPES_OF_TENANTS},
	{"noc", SCOPE_NOC, 0},
	{"billing", SCOPE_BILLING, 0},
};

#define SCOPE_ROWS (sizeof(scopes) / sizeof(scopes[0]))


enum scope scope_parse(const char *name)
{
	for (size_t i = 0; i < SCOPE_ROWS; i++) {
		if (!strcmp(scopes[i].name, name))
			return scopes[i].scope;
	}
	return SCOPE_NONE;
}


const char *scope_name(enum scope scope)
{
	for (size_t i = 0; i < SCOPE_ROWS; i++) {
		if (scopes[i].scope == scope)
			return scopes[i].name;
	}
	return "none";
}


bool operation_allows(const struct operation *op, unsigned held)
{
	return op->scope == SCOPE_NONE || (op->may & held);
}


bool scope_grants(unsigned held, enum scope wanted)
{
	unsigned grants = 0;

	for (size_t i = 0; i < SCOPE_ROWS; i++) {
		if (held & scopes[i].scope)
			grants |= scopes[i].grants;
	}
	return grants & wanted;
}


/* One path against one template; parameters are single whole segments */
static bool path_matches(const char *template, const char *path,
			 struct path_match *match)
{
	size_t n = 0;

	while (*template && *path) {
		size_t len = strcspn(path, "/");

		if (*template == '{') {
			if (!len || n >= 2 ||
			    text_set(match->params[n], sizeof(match->params[n]),
				     path, len))
				return false;
			++n;
			template += strcspn(template, "}") + 1;
			path += len;
		} else if (*template++ != *path++) {
			return false;
		}
	}
	return !*template && !*path;
}


const struct operation *operation_find(const struct operation *table,
				       size_t n, const char *method,
				       const char *path,
				       struct path_match *match)
{
	*match = (struct path_match){0};

	for (size_t i = 0; i < n; i++) {
		const size_t len = strlen(match->allow);

		if (!path_matches(table[i].path, path, match))
			continue;
		if (!strcmp(table[i].method, method))
			return &table[i];
		text_format(match->allow + len, sizeof(match->allow) - len,
			    "%s%s", len ? ", " : "", table[i].method);
	}
	return NULL;
}
