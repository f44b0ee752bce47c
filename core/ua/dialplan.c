#include "core/ua/dialplan.h"

#include "core/base/addr.h"

#include <errno.h>
#include <stdlib.h>

enum { EMERGENCIES_MAX = 32 };

#define ARROW "->"

struct rule {
	char text[DIALPLAN_RULE_MAX + 1];
	struct slice pattern; /* in text */
	struct slice replacement;
};

struct dialplan {
	struct rule rules[DIALPLAN_RULES_MAX];
	size_t own;   /* from dialplan_add() */
	size_t count; /* with those of the country behind them */
	bool has_country;
	char emergencies[EMERGENCIES_MAX][DIALPLAN_NUMBER_MAX + 1];
	size_t emergency_count;
};

/*
 * Where it is not 00 and 0 that lead abroad and to other places: ITU-T E.164's list of dialling
 * procedures. Where nothing stands before a number of the country, as many digits as it has tell
 * that it is one. Of what is dialled within a place without either, nothing is known, nor of what
 * chooses a carrier.
 */
static const struct {
	const char *code, *rules[4];
} countries[] = {
	{"1", {"011. -> +.", "1[2-9]xx[2-9]xxxxxx -> +1.", "[2-9]xx[2-9]xxxxxx -> +1."}},
	{"7", {"810. -> +.", "8[3-9]xxxxxxxxx -> +7."}},
	{"34", {"00. -> +.", "[6-9]xxxxxxxx -> +34."}}, /* its 0 calls the police */
	{"36", {"00. -> +.", "06[1-9]. -> +36."}},
	{"39", {"00. -> +.", "0[1-9]. -> +390.", "3xxxxxxxx. -> +393."}}, /* its 0 is no prefix */
	{"55", {"0[1-9]xxxxxxxxx -> +55.", "0[1-9]xxxxxxxxxx -> +55."}},
	{"61", {"0011. -> +.", "0[1-9]. -> +61."}},
	{"62", {"001. -> +.", "007. -> +.", "0[1-9]. -> +62."}},
	{"65", {"001. -> +.", "008. -> +.", "[3689]xxxxxxx -> +65."}},
	{"66", {"001. -> +.", "0[1-9]. -> +66."}},
	{"81", {"010. -> +.", "0[1-9]. -> +81."}},
	{"82", {"001. -> +.", "002. -> +.", "0[1-9]. -> +82."}},
	{"234", {"009. -> +.", "0[1-9]. -> +234."}},
	{"254", {"000. -> +.", "0[1-9]. -> +254."}},
	{"375", {"810. -> +.", "80. -> +375."}},
	{"852", {"001. -> +.", "[2-9]xxxxxxx -> +852."}},
	{"886", {"002. -> +.", "0[1-9]. -> +886."}},
};

/* Beside those that are known everywhere. */
static const struct {
	const char *code, *numbers;
} emergencies[] = {
	{"27", "10111"},
	{"33", "15,17,18,114"},
	{"34", "061,062,080,085,088,091,092"},
	{"36", "104,105,107"},
	{"39", "113,115,118"},
	{"41", "117,118,144"},
	{"43", "122,133,140,144"},
	{"44", "999"},
	{"48", "997,998,999"},
	{"49", "110"},
	{"55", "190,192,193"},
	{"61", "000,106"},
	{"64", "111"},
	{"65", "995,999"},
	{"81", "110,118,119"},
	{"82", "119"},
	{"86", "110,119,120"},
	{"91", "100,101,102,108"},
	{"353", "999"},
	{"852", "999"},
};

static const char *const everywhere[] = {"112", "911"};

int dialplan_new(struct dialplan **out)
{
	struct dialplan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	*out = plan;
	return 0;
}

void dialplan_free(struct dialplan *plan)
{
	free(plan);
}

static int refuse(struct fault *why, size_t *at, size_t where, const char *what)
{
	if (at)
		*at = where;
	return fault_set(why, -EINVAL, "%s", what);
}

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_dialled(uint8_t byte)
{
	return is_digit(byte) || byte == '+' || byte == '*' || byte == '#';
}

/* "[2-9]", "[147]", from its bracket on; -EINVAL and what is wrong where. */
static int check_bracket(size_t *len, struct slice rest, size_t *wrong, const char **what)
{
	size_t end = slice_find(rest, ']');

	*wrong = 0;
	*what = "the bracket is not closed";
	if (end == rest.len)
		return -EINVAL;
	*wrong = end;
	*what = "nothing stands in the brackets";
	if (end == 1)
		return -EINVAL;
	for (size_t i = 1; i < end; i++) {
		bool range = rest.data[i] == '-' && i > 1 && i + 1 < end;

		*wrong = i;
		*what = "in brackets stand digits, as in [2-9] or [147]";
		if (!range && !is_digit(rest.data[i]))
			return -EINVAL;
		*what = "a range goes up, as in [2-9]";
		if (range && (!is_digit(rest.data[i + 1]) || rest.data[i - 1] > rest.data[i + 1]))
			return -EINVAL;
	}
	*len = end + 1;
	return 0;
}

/* Also whether a part of it can be anything else than it says. */
static int check_pattern(bool *varies, struct slice pattern, size_t *wrong, const char **what)
{
	*varies = false;
	for (size_t i = 0; i < pattern.len; i++) {
		struct slice rest = {pattern.data + i, pattern.len - i};
		size_t len = 1;

		*wrong = i;
		if (rest.data[0] == '[') {
			size_t inside;
			int err = check_bracket(&len, rest, &inside, what);

			*wrong = i + inside;
			if (err)
				return err;
		} else if (rest.data[0] == '.' && rest.len > 1) {
			*what = "a dot stands at the end of a pattern only";
			return -EINVAL;
		} else if (!is_dialled(rest.data[0]) && rest.data[0] != 'x' &&
			   rest.data[0] != '.') {
			*what = "a pattern has digits, + * #, x, brackets like [2-9], and a dot at "
				"its end";
			return -EINVAL;
		}
		*varies |= !is_dialled(rest.data[0]);
		i += len - 1;
	}
	return 0;
}

static int check_replacement(bool varies, struct slice text, size_t *wrong, const char **what)
{
	bool dot = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = text.data[i], small = byte | 0x20;

		*wrong = i;
		*what = "one dot is enough";
		if (byte == '.' && dot)
			return -EINVAL;
		*what = "the pattern has no x, bracket or dot that this could stand for";
		if (byte == '.' && !varies)
			return -EINVAL;
		*what = "what is dialled has letters, digits, + * # - _ and one dot";
		if (!is_dialled(byte) && (small < 'a' || small > 'z') && byte != '.' &&
			byte != '-' && byte != '_')
			return -EINVAL;
		dot |= byte == '.';
	}
	return 0;
}

/* Where the arrow is; text.len if there is none. */
static size_t find_arrow(struct slice text)
{
	for (size_t i = 0; i + 1 < text.len; i++)
		if (memcmp(text.data + i, ARROW, 2) == 0)
			return i;
	return text.len;
}

static int read_rule(struct rule *out, struct slice typed, struct fault *why, size_t *at)
{
	struct text text = TEXT_IN(out->text);
	struct slice copy, right;
	size_t arrow, wrong = 0;
	const char *what;
	bool varies;

	text_put(&text, typed);
	if (text.cut)
		return refuse(why, at, 0, "the rule is too long");
	copy = text_slice(&text);
	arrow = find_arrow(copy);
	if (arrow == copy.len)
		return refuse(why, at, copy.len,
			"a rule is written as PATTERN -> REPLACEMENT, like 0. -> +49.");
	out->pattern = slice_trim((struct slice){copy.data, arrow});
	right = (struct slice){copy.data + arrow + 2, copy.len - arrow - 2};
	out->replacement = slice_trim(right);
	if (out->pattern.len == 0)
		return refuse(why, at, 0, "nothing stands before the arrow");
	if (out->replacement.len == 0)
		return refuse(why, at, copy.len, "nothing stands behind the arrow");
	if (check_pattern(&varies, out->pattern, &wrong, &what))
		return refuse(why, at, (size_t)(out->pattern.data - copy.data) + wrong, what);
	if (check_replacement(varies, out->replacement, &wrong, &what))
		return refuse(why, at, (size_t)(out->replacement.data - copy.data) + wrong, what);
	return 0;
}

/* The slices of a rule point into it, so that it is read where it stays. */
static int put_rule(
	struct dialplan *plan, size_t place, struct slice text, struct fault *why, size_t *at)
{
	struct rule read;
	int err;

	if (plan->count == DIALPLAN_RULES_MAX)
		return fault_set(why, -EINVAL, "%d rules are enough", DIALPLAN_RULES_MAX);
	err = read_rule(&read, text, why, at);
	if (err)
		return err;
	for (size_t i = plan->count++; i > place; i--)
		(void)read_rule(&plan->rules[i], slice_of(plan->rules[i - 1].text), NULL, NULL);
	return read_rule(&plan->rules[place], text, NULL, NULL);
}

int dialplan_add(struct dialplan *plan, struct slice rule, struct fault *why, size_t *at)
{
	int err;

	if (at)
		*at = 0;
	err = put_rule(plan, plan->own, rule, why, at);
	if (!err)
		plan->own++;
	return err;
}

static int add_usual(struct dialplan *plan, const char *code)
{
	char room[DIALPLAN_RULE_MAX];
	struct text text = TEXT_IN(room);
	int err;

	text_printf(&text, "0. -> +%s.", code);
	err = put_rule(plan, plan->count, slice_of("00. -> +."), NULL, NULL);
	return err ? err : put_rule(plan, plan->count, text_slice(&text), NULL, NULL);
}

int dialplan_set_country(struct dialplan *plan, struct slice code, struct fault *why, size_t *at)
{
	char room[4];
	struct text text = TEXT_IN(room);
	const char *const *rules = NULL;
	uint64_t number;
	int err = 0;

	if (at)
		*at = 0;
	text_put(&text, code);
	if (text.cut || slice_number(&number, code, 999) || code.data[0] == '0')
		return fault_set(why, -EINVAL,
			"the code of a country, like 49: one to three digits, without + and 00");
	for (size_t i = 0; i < sizeof(countries) / sizeof(countries[0]); i++)
		if (strcmp(countries[i].code, room) == 0)
			rules = countries[i].rules;
	for (size_t i = 0; rules && rules[i] && !err; i++)
		err = put_rule(plan, plan->count, slice_of(rules[i]), why, NULL);
	if (!rules)
		err = add_usual(plan, room);
	for (size_t i = 0; i < sizeof(emergencies) / sizeof(emergencies[0]) && !err; i++)
		if (strcmp(emergencies[i].code, room) == 0)
			err = dialplan_add_emergency(
				plan, slice_of(emergencies[i].numbers), why, NULL);
	plan->has_country = true;
	return err ? fault_set(why, err, "%d rules are enough", DIALPLAN_RULES_MAX) : 0;
}

int dialplan_add_emergency(
	struct dialplan *plan, struct slice numbers, struct fault *why, size_t *at)
{
	struct slice rest = numbers, one;
	bool more = true;

	while (more) {
		struct text text;

		if (at)
			*at = numbers.len - rest.len;
		if (plan->emergency_count == EMERGENCIES_MAX)
			return fault_set(why, -EINVAL, "%d numbers are enough", EMERGENCIES_MAX);
		text = TEXT_IN(plan->emergencies[plan->emergency_count]);
		more = slice_cut(&one, &rest, ',');
		if (!dialplan_read(&text, slice_trim(one)))
			return fault_set(why, -EINVAL, "numbers, parted by commas: 112, 110");
		plan->emergency_count++;
	}
	return 0;
}

/* An octet of an IPv4 address begins with no 0, so that the dots of "030.123" part a number. */
static bool may_have_dots(struct slice text)
{
	return text.data[0] == '+' || text.data[0] == '(' || text.data[0] == '0';
}

/* "#2" is a call. */
static bool is_call(struct slice text)
{
	struct slice sign;

	return slice_take(&sign, &text, 1) == 0 && sign.data[0] == '#' &&
	       slice_find(text, '*') == text.len && slice_find(text, '#') == text.len;
}

/* "+49 (0) 30": what is in the brackets is dialled by those only who are there. */
static bool is_national_zero(const struct text *before, struct slice rest)
{
	return before->len > 0 && before->data[0] == '+' && slice_starts_nocase(rest, "(0)");
}

bool dialplan_read(struct text *out, struct slice text)
{
	struct addr addr;
	size_t digits = 0;

	text = slice_trim(text);
	if (text.len == 0 || is_call(text) || addr_parse(&addr, text) == 0 ||
		(slice_find(text, '.') < text.len && !may_have_dots(text)))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = text.data[i];

		if (is_national_zero(out, (struct slice){text.data + i, text.len - i})) {
			i += 2;
			continue;
		}
		if (byte == '\0' ||
			(byte == '+' ? out->len > 0 : !is_dialled(byte) && !strchr(" -./()", byte)))
			return false;
		if (is_dialled(byte))
			text_putc(out, (char)byte);
		digits += is_digit(byte);
	}
	return digits > 0 && !out->cut && out->len <= DIALPLAN_NUMBER_MAX;
}

static bool is_among(const char *const *list, size_t count, struct slice number)
{
	while (count-- > 0)
		if (slice_is(number, list[count]))
			return true;
	return false;
}

bool dialplan_is_emergency(const struct dialplan *plan, struct slice number)
{
	static const char *const elsewhere[] = {"110", "999"};

	if (is_among(everywhere, sizeof(everywhere) / sizeof(everywhere[0]), number))
		return true;
	if (!(plan && plan->has_country) &&
		is_among(elsewhere, sizeof(elsewhere) / sizeof(elsewhere[0]), number))
		return true;
	for (size_t i = 0; plan && i < plan->emergency_count; i++)
		if (slice_is(number, plan->emergencies[i]))
			return true;
	return false;
}

static bool is_in(uint8_t byte, struct slice bracket)
{
	for (size_t i = 1; i + 1 < bracket.len; i++) {
		if (bracket.data[i] == '-' && byte >= bracket.data[i - 1] &&
			byte <= bracket.data[i + 1])
			return true;
		if (bracket.data[i] == byte)
			return true;
	}
	return false;
}

/* Whether the first byte of number is what stands at the front of pattern, which is cut off. */
static bool match_one(struct slice *pattern, struct slice number)
{
	uint8_t sign = pattern->data[0];
	size_t len = sign == '[' ? slice_find(*pattern, ']') + 1 : 1;
	struct slice element;

	if (number.len == 0 || slice_take(&element, pattern, len))
		return false;
	if (sign == '[')
		return is_in(number.data[0], element);
	return sign == 'x' ? is_digit(number.data[0]) : sign == number.data[0];
}

static bool are_digits(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_digit(text.data[i]))
			return false;
	return text.len > 0;
}

/* tail: what was matched from the first part on that varies. */
static bool match(struct slice *tail, struct slice pattern, struct slice number)
{
	bool varies = false;

	*tail = (struct slice){number.data, 0};
	while (pattern.len > 0) {
		struct slice byte;

		if (!varies && !is_dialled(pattern.data[0])) {
			varies = true;
			*tail = number;
		}
		if (pattern.data[0] == '.')
			return are_digits(number);
		if (!match_one(&pattern, number))
			return false;
		(void)slice_take(&byte, &number, 1);
	}
	return number.len == 0;
}

static void replace(struct text *out, struct slice replacement, struct slice tail)
{
	for (size_t i = 0; i < replacement.len; i++)
		if (replacement.data[i] == '.')
			text_put(out, tail);
		else
			text_putc(out, (char)replacement.data[i]);
}

const char *dialplan_apply(struct text *out, const struct dialplan *plan, struct slice number)
{
	bool fixed = dialplan_is_emergency(plan, number);

	for (size_t i = 0; plan && !fixed && i < plan->count; i++) {
		struct slice tail;

		if (match(&tail, plan->rules[i].pattern, number)) {
			replace(out, plan->rules[i].replacement, tail);
			return plan->rules[i].text;
		}
	}
	text_put(out, number);
	return NULL;
}
