/**
 * @file check.c  Rating cases from a file against our arithmetic.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "csv.h"
#include "plan.h"

#define FILE_MAX (16u << 20)
#define CELLS_MAX 64
#define TEXT_SIZE 64

/* the columns we read, by the name in the first record */
#define COLUMNS(X) \
	X(id) X(kind) X(connect_fee) X(segments) X(duration_s) \
	X(vat_percent) X(rounding) X(max_cost) X(max_cost_strategy) \
	X(balance) X(requested_s) X(expected) X(billed_s) X(source_path) \
	X(notes)

enum column {
#define X(name) COL_##name,
	COLUMNS(X)
#undef X
	COL_N
};

static const char *const column_names[COL_N] = {
#define X(name) [COL_##name] = #name,
	COLUMNS(X)
#undef X
};

/* One row of the file. */
struct rating_case {
	const char *text[COL_N];
	struct charge_plan plan;
	bool is_duration;     /* kind max_duration */
	uint64_t duration_ms; /* of the call */
	uint64_t limit_ms;    /* is_duration: what is asked for */
	struct ratio budget;  /* is_duration: what may be spent */
	struct ratio expected;
};

/* What our arithmetic says. */
struct result {
	struct ratio value;   /* cost of the call, or duration granted [s] */
	struct ratio billed;  /* of the call [s] */
};


static int seconds_parse(uint64_t *ret_ms, const char *text)
{
	struct ratio s;
	int64_t ms;
	int err;

	err = ratio_parse(&s, text);
	if (!err)
		err = ratio_units(&ms, s, 1000);
	if (err)
		return err;
	if (ms < 0)
		return EBADMSG;

	*ret_ms = (uint64_t)ms;
	return 0;
}


static int json_text(const json_t *object, const char *key,
		     const char **ret_text)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		return EBADMSG;

	*ret_text = text;
	return 0;
}


static int json_seconds(const json_t *object, const char *key,
			uint64_t *ret_ms)
{
	const char *text;
	int err;

	if (json_is_null(json_object_get(object, key))) {
		*ret_ms = UINT64_MAX;
		return 0;
	}

	err = json_text(object, key, &text);
	return err ? err : seconds_parse(ret_ms, text);
}


static int tier_parse(struct plan_tier *tier, const json_t *object)
{
	const char *price;
	int err;

	err = json_seconds(object, "from_s", &tier->from_ms);
	if (!err)
		err = json_seconds(object, "to_s", &tier->to_ms);
	if (!err)
		err = json_seconds(object, "increment_s",
				   &tier->increment_ms);
	if (!err)
		err = json_text(object, "price_per_increment", &price);
	if (!err)
		err = ratio_parse(&tier->price, price);

	return err;
}


/* start_ms: end of the segment before */
static int segment_parse(struct plan_segment *s, const json_t *object,
			 uint64_t start_ms)
{
	const json_t *tiers = json_object_get(object, "tiers"), *tier;
	uint64_t duration_ms;
	size_t i;
	int err;

	if (json_array_size(tiers) > PLAN_TIERS_MAX)
		return E2BIG;

	err = json_seconds(object, "duration_s", &duration_ms);
	if (err)
		return err;
	if (__builtin_add_overflow(start_ms, duration_ms, &s->end_ms))
		return EOVERFLOW;

	json_array_foreach(tiers, i, tier) {
		err = tier_parse(&s->tiers[s->tier_n++], tier);
		if (err)
			return err;
	}

	return 0;
}


static int segments_parse(struct charge_plan *plan, const char *text)
{
	json_t *array = json_loads(text, 0, NULL);
	const json_t *object;
	uint64_t start_ms = 0;
	size_t i;
	int err = 0;

	if (!json_is_array(array) ||
	    json_array_size(array) > PLAN_SEGMENTS_MAX)
		err = EBADMSG;

	json_array_foreach(array, i, object) {
		struct plan_segment *s = &plan->segments[i];

		if (err)
			break;
		err = segment_parse(s, object, start_ms);
		start_ms = s->end_ms;
		plan->segment_n = (unsigned)i + 1;
	}

	json_decref(array);
	return err;
}


/* "none" or "up:4" */
static int rounding_parse(struct charge_plan *plan, const char *text)
{
	char mode[16];
	uint8_t m;
	int err;

	if (0 == strcmp(text, "none"))
		return 0;

	if (2 != sscanf(text, "%15[a-z_]:%1u", mode, &plan->decimals))
		return EBADMSG;

	err = round_mode_parse(&m, mode);
	if (err)
		return err;

	plan->mode = (enum round_mode)m;
	plan->is_rounded = true;
	return 0;
}


/*
 * The file has one column for two fees: where a case is about a fee per
 * attempt (due also when nobody answers), its source says so.
 */
static int fee_parse(struct rating_case *c)
{
	const bool is_attempt =
		strstr(c->text[COL_source_path], "attempt_fee") ||
		strstr(c->text[COL_notes], "attempt fee");

	c->plan.connect_fee = c->plan.attempt_fee = RATIO_ZERO;
	return ratio_parse(is_attempt ? &c->plan.attempt_fee
				      : &c->plan.connect_fee,
			   c->text[COL_connect_fee]);
}


/* What may be spent: the balance, or less where the cap ends the call. */
static int budget_parse(struct rating_case *c, bool is_cap_final)
{
	int err, above;

	err = ratio_parse(&c->budget, c->text[COL_balance]);
	if (err || !is_cap_final)
		return err;

	err = ratio_compare(&above, c->budget, c->plan.cap);
	if (!err && above > 0)
		c->budget = c->plan.cap;

	return err;
}


static int limits_parse(struct rating_case *c)
{
	const bool has_max = c->text[COL_max_cost][0] != '\0';
	const bool is_free = !strcmp(c->text[COL_max_cost_strategy], "free");
	int err = 0;

	if (has_max)
		err = ratio_parse(&c->plan.cap, c->text[COL_max_cost]);
	if (err)
		return err;

	/* "disconnect" ends the call in time: a bound of the duration, while
	 * the cost of a call that lasted stays its cost */
	c->plan.has_cap = has_max && is_free;
	if (!c->is_duration)
		return 0;

	return budget_parse(c, has_max && !is_free);
}


static int case_parse(struct rating_case *c)
{
	int err;

	c->is_duration = !strcmp(c->text[COL_kind], "max_duration");
	if (!c->is_duration && strcmp(c->text[COL_kind], "cost"))
		return EBADMSG;

	err = seconds_parse(&c->duration_ms, c->text[COL_duration_s]);
	if (!err && c->is_duration)
		err = seconds_parse(&c->limit_ms, c->text[COL_requested_s]);
	if (!err)
		err = segments_parse(&c->plan, c->text[COL_segments]);
	if (!err)
		err = rounding_parse(&c->plan, c->text[COL_rounding]);
	if (!err)
		err = fee_parse(c);
	if (!err)
		err = ratio_parse(&c->plan.tax_percent,
				  c->text[COL_vat_percent]);
	if (!err)
		err = limits_parse(c);
	if (!err)
		err = ratio_parse(&c->expected, c->text[COL_expected]);
	if (!err)
		err = plan_check(&c->plan);

	return err;
}


static int case_plan(const struct rating_case *c, struct result *ret)
{
	struct result r;
	uint64_t ms;
	int err;

	err = plan_cost(&c->plan, c->duration_ms, &r.value, &ms);
	if (!err)
		err = ratio_make(&r.billed, ms, 1000);
	if (!err && c->is_duration)
		err = plan_duration(&c->plan, c->budget, c->limit_ms, &ms);
	if (!err && c->is_duration)
		err = ratio_make(&r.value, ms, 1000);
	if (err)
		return err;

	*ret = r;
	return 0;
}


/* As a live call on this balance would end. */
static int price_duration(const struct rating_case *c, const struct price *p,
			  struct ratio *ret_s)
{
	int64_t micro;
	int err;

	err = ratio_units(&micro, c->budget, 1000000);
	if (err)
		return err;

	return ratio_make(ret_s, price_duration_ms(p, micro, c->limit_ms),
			  1000);
}


/* By the price of live calls. @return 0, or ERANGE when it cannot say it. */
static int case_price(const struct rating_case *c, struct result *ret)
{
	struct price_parts parts;
	struct result got;
	struct price p;
	int err;

	err = plan_price(&c->plan, &p);
	if (!err)
		err = price_parts(&p, c->duration_ms, 0, &parts);
	if (!err)
		err = ratio_make(&got.value, parts.gross_micro, 1000000);
	if (!err)
		err = ratio_make(&got.billed, (__int128)parts.billed_ms,
				 1000);
	if (!err && c->is_duration)
		err = price_duration(c, &p, &got.value);
	if (err)
		return ERANGE;

	*ret = got;
	return 0;
}


static bool ratio_equal(struct ratio a, struct ratio b)
{
	return a.num == b.num && a.den == b.den;
}


static void difference_print(FILE *out, const char *what, struct ratio is,
			     struct ratio expected)
{
	char a[TEXT_SIZE], b[TEXT_SIZE];

	fprintf(out, " %s %s, expected %s", what,
		ratio_format(a, sizeof(a), is),
		ratio_format(b, sizeof(b), expected));
}


static bool result_print(const struct rating_case *c, const struct result *r,
			 const char *by, FILE *out)
{
	const char *what = c->is_duration ? "duration" : "cost";
	char text[TEXT_SIZE];
	struct ratio billed = r->billed;

	if (c->text[COL_billed_s][0] &&
	    ratio_parse(&billed, c->text[COL_billed_s])) {
		fprintf(out, "%s FAIL billed_s cannot be read\n",
			c->text[COL_id]);
		return false;
	}

	if (ratio_equal(r->value, c->expected) &&
	    ratio_equal(r->billed, billed)) {
		fprintf(out, "%s pass %s %s (%s)\n", c->text[COL_id], what,
			ratio_format(text, sizeof(text), r->value), by);
		return true;
	}

	fprintf(out, "%s FAIL (%s)", c->text[COL_id], by);
	difference_print(out, what, r->value, c->expected);
	difference_print(out, "billed", r->billed, billed);
	fputc('\n', out);
	return false;
}


static bool case_check(struct rating_case *c, FILE *out)
{
	struct result r, live;
	bool has_price;
	int err;

	err = case_parse(c);
	if (!err)
		err = case_plan(c, &r);
	if (err) {
		fprintf(out, "%s FAIL cannot be computed: %s\n",
			c->text[COL_id], strerror(err));
		return false;
	}

	has_price = 0 == case_price(c, &live);
	if (has_price && !(ratio_equal(live.value, r.value) &&
			   ratio_equal(live.billed, r.billed))) {
		fprintf(out, "%s FAIL price and plan differ:",
			c->text[COL_id]);
		difference_print(out, "price", live.value, r.value);
		fputc('\n', out);
		return false;
	}

	return result_print(c, &r, has_price ? "price" : "plan", out);
}


static int columns_find(size_t *columns, char **cells, size_t n, FILE *out)
{
	size_t col, i;

	for (col = 0; col < COL_N; col++) {
		for (i = 0; i < n; i++) {
			if (0 == strcmp(cells[i], column_names[col]))
				break;
		}
		if (i == n) {
			fprintf(out, "line 1: no column \"%s\"\n",
				column_names[col]);
			return EBADMSG;
		}
		columns[col] = i;
	}

	return 0;
}


static int row_check(const size_t *columns, char **cells, size_t n, FILE *out,
		     bool *ret_passed)
{
	struct rating_case *c = calloc(1, sizeof(*c));
	size_t col;

	if (!c)
		return ENOMEM;

	for (col = 0; col < COL_N; col++)
		c->text[col] = columns[col] < n ? cells[columns[col]] : "";

	*ret_passed = case_check(c, out);
	free(c);
	return 0;
}


static int text_check(char *text, FILE *out, unsigned *passed,
		      unsigned *failed)
{
	char *cells[CELLS_MAX];
	size_t columns[COL_N], n;
	unsigned record = 1;
	bool is_passed;
	int err;

	err = csv_record(&text, cells, CELLS_MAX, &n);
	if (!err)
		err = columns_find(columns, cells, n, out);

	while (!err) {
		err = csv_record(&text, cells, CELLS_MAX, &n);
		++record;
		if (err == ENODATA)
			return 0;
		if (!err)
			err = row_check(columns, cells, n, out, &is_passed);
		if (err)
			break;

		++*(is_passed ? passed : failed);
	}

	fprintf(out, "record %u: %s\n", record, strerror(err));
	return EBADMSG;
}


static int file_read(const char *file, char **ret_text)
{
	FILE *f = fopen(file, "re");
	char *text = NULL;
	size_t n = 0;
	int err = 0;

	if (!f)
		return errno;

	text = malloc(FILE_MAX + 1);
	if (!text)
		err = ENOMEM;
	else
		n = fread(text, 1, FILE_MAX, f);

	if (!err && ferror(f))
		err = EIO;
	if (!err && n == FILE_MAX)
		err = EFBIG;
	fclose(f);

	if (err) {
		free(text);
		return err;
	}

	text[n] = '\0';
	*ret_text = text;
	return 0;
}


int rate_check_file(const char *file, FILE *out, unsigned *ret_passed,
		    unsigned *ret_failed)
{
	unsigned passed = 0, failed = 0;
	char *text = NULL;
	int err;

	if (!file || !out || !ret_passed || !ret_failed)
		return EINVAL;

	err = file_read(file, &text);
	if (err)
		return err;

	err = text_check(text, out, &passed, &failed);
	free(text);
	fprintf(out, "%u passed, %u failed\n", passed, failed);

	*ret_passed = passed;
	*ret_failed = failed;
	return err;
}
