/**
 * @file operation.c  Which operation a method and a path mean.
 */
#include <string.h>
#include "operation.h"
#include "text.h"

static const struct {
	const char *name;
	enum scope scope;
	unsigned includes;
} scopes[] = {
	{"tenant:read", SCOPE_TENANT_READ, SCOPE_TENANT_READ},
	{"tenant:write", SCOPE_TENANT_WRITE,
	 SCOPE_TENANT_WRITE | SCOPE_TENANT_READ},
	{"platform:read", SCOPE_PLATFORM_READ,
	 SCOPE_PLATFORM_READ | SCOPE_TENANT_READ},
	{"platform:write", SCOPE_PLATFORM_WRITE,
	 SCOPE_PLATFORM_WRITE | SCOPE_PLATFORM_READ | SCOPE_TENANT_WRITE |
		 SCOPE_TENANT_READ},
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


bool scope_allows(unsigned held, enum scope needed)
{
	unsigned have = 0;

	for (size_t i = 0; i < SCOPE_ROWS; i++) {
		if (held & scopes[i].scope)
			have |= scopes[i].includes;
	}
	return (have & needed) == (unsigned)needed;
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
