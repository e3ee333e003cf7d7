/**
 * @file settings.h  Node settings from one YAML file, by a table of keys.
 * A wrong file is refused before anything starts, with file, line, key, value
 * and what is allowed.
 */
#ifndef SETTINGS_H
#define SETTINGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
	SET_TEXT,     /**< char[size]                                    */
	SET_NUMBER,   /**< int64_t within min..max                        */
	SET_FLAG,     /**< bool: true | false                             */
	SET_ADDRESS,  /**< char[size]: IP:port literal, checked            */
	SET_IP,       /**< char[size]: IP literal, checked                 */
	SET_PATH,     /**< char[size]: absolute path                       */
	SET_CHOICE,   /**< int: index in choices (NULL-ended)              */
};

struct setting {
	const char *key;      /**< "media.port_min": one level of nesting  */
	enum setting_type type;
	size_t offset, size;  /**< into the owner's struct                 */
	int64_t min, max;
	const char *const *choices;
	const char *fallback; /**< default as text; NULL: required         */
	const char *help;
};

/**
 * Nothing is written unless the whole file is right. An empty text, address or
 * path is refused unless it is the default, which then means "not set".
 *
 * @param why  receives "FILE:LINE: key: value \"x\" ... allowed: ..."
 * @return 0, EINVAL (why says what), or errno of the file
 */
int settings_load(const char *file, const struct setting *table, size_t n,
		  void *ret_settings, char *why, size_t size);

/** The table as a commented YAML file with defaults; malloc'd. */
char *settings_print(const struct setting *table, size_t n);

#endif
