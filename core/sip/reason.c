#include "core/sip/reason.h"
#include "core/sip/grammar.h"

enum {
	CAUSE_MAX = 999,
	WORDS_SIZE = 256, /* bytes of the far end's text that are shown */
};

/* ITU-T Q.850, table 1: what a telephone network says of a call that ended. */
static const struct {
	uint16_t cause;
	const char *words;
} q850[] = {
	{1, "unallocated number"},
	{2, "no route to transit network"},
	{3, "no route to destination"},
	{4, "send special information tone"},
	{5, "misdialled trunk prefix"},
	{6, "channel unacceptable"},
	{7, "call awarded and being delivered"},
	{8, "preemption"},
	{9, "preemption, circuit reserved for reuse"},
	{14, "query on release, ported number"},
	{16, "normal call clearing"},
	{17, "user busy"},
	{18, "no user responding"},
	{19, "no answer from user"},
	{20, "subscriber absent"},
	{21, "call rejected"},
	{22, "number changed"},
	{23, "redirection to new destination"},
	{24, "call rejected due to a feature at the destination"},
	{25, "exchange routing error"},
	{26, "non-selected user clearing"},
	{27, "destination out of order"},
	{28, "invalid number format"},
	{29, "facility rejected"},
	{30, "response to status enquiry"},
	{31, "normal, unspecified"},
	{34, "no circuit available"},
	{38, "network out of order"},
	{39, "permanent frame mode connection out of service"},
	{40, "permanent frame mode connection operational"},
	{41, "temporary failure"},
	{42, "switching equipment congestion"},
	{43, "access information discarded"},
	{44, "requested circuit not available"},
	{46, "precedence call blocked"},
	{47, "resource unavailable"},
	{49, "quality of service not available"},
	{50, "requested facility not subscribed"},
	{53, "outgoing calls barred within closed user group"},
	{55, "incoming calls barred within closed user group"},
	{57, "bearer capability not authorized"},
	{58, "bearer capability not presently available"},
	{62, "inconsistent outgoing access information and subscriber class"},
	{63, "service or option not available"},
	{65, "bearer capability not implemented"},
	{66, "channel type not implemented"},
	{69, "requested facility not implemented"},
	{70, "only restricted digital information is available"},
	{79, "service or option not implemented"},
	{81, "invalid call reference value"},
	{82, "identified channel does not exist"},
	{83, "suspended call exists, but not this call identity"},
	{84, "call identity in use"},
	{85, "no call suspended"},
	{86, "call with the requested identity has been cleared"},
	{87, "user not member of closed user group"},
	{88, "incompatible destination"},
	{90, "closed user group does not exist"},
	{91, "invalid transit network selection"},
	{95, "invalid message"},
	{96, "mandatory information element missing"},
	{97, "message type not implemented"},
	{98, "message not compatible with call state"},
	{99, "information element not implemented"},
	{100, "invalid information element contents"},
	{101, "message not compatible with call state"},
	{102, "recovery on timer expiry"},
	{103, "parameter not implemented, passed on"},
	{110, "message with unrecognized parameter discarded"},
	{111, "protocol error"},
	{127, "interworking, unspecified"},
};

static enum sip_reason_protocol find_protocol(struct slice name)
{
	if (SIP_IS_WORD(name, "sip"))
		return SIP_REASON_SIP;
	if (slice_is_nocase(name, "Q.850"))
		return SIP_REASON_Q850;
	return SIP_REASON_OTHER;
}

static int read_cause(struct sip_reason_value *value, struct slice digits)
{
	uint64_t cause;

	if (value->has_cause || slice_number(&cause, digits, CAUSE_MAX))
		return -EPROTO;
	value->has_cause = true;
	value->cause = (uint16_t)cause;
	return 0;
}

/* A quoted string; a single word without quotes is let in. */
static int read_text(struct sip_reason_value *value, struct slice text)
{
	if (value->text.data)
		return -EPROTO;
	if (text.len >= 2 && *text.data == '"')
		text = (struct slice){text.data + 1, text.len - 2};
	value->text = text;
	return 0;
}

static int read_param(struct sip_reason_value *value, const struct sip_pair *pair)
{
	if (SIP_IS_WORD(pair->name, "cause"))
		return read_cause(value, pair->value);
	if (SIP_IS_WORD(pair->name, "text"))
		return read_text(value, pair->value);
	return 0; /* RFC 3326, section 2: there may be others */
}

int sip_reason_parse(struct sip_reason_value *out, struct slice value)
{
	struct sip_scan scan = sip_scan_of(sip_trim(value), NULL);
	struct sip_reason_value reason = {0};
	struct sip_pair pair;
	int err;

	reason.protocol_name = sip_scan_run(&scan, SIP_C_TOKEN);
	reason.protocol = find_protocol(reason.protocol_name);
	sip_scan_space(&scan);
	if (reason.protocol_name.len == 0 || (scan.p < scan.end && *scan.p != ';'))
		return -EPROTO;

	for (;;) {
		err = sip_scan_pair(&pair, &scan);
		if (err == -ENOENT)
			break;
		if (!err)
			err = read_param(&reason, &pair);
		if (err)
			return err;
	}
	*out = reason;
	return 0;
}

/* How much it tells: the network's own cause is finer than the status that it was made into. */
static unsigned weight(const struct sip_reason_value *value)
{
	static const unsigned weights[] = {
		[SIP_REASON_Q850] = 3,
		[SIP_REASON_SIP] = 2,
		[SIP_REASON_OTHER] = 1,
	};

	return value->has_cause ? weights[value->protocol] : 1;
}

bool sip_reason_find(struct sip_reason_value *out, const struct sip_msg *msg)
{
	struct sip_cursor cursor = {0};
	struct sip_reason_value value;
	unsigned best = 0;
	struct slice text;

	while (sip_msg_next(&text, &cursor, msg, SIP_REASON)) {
		if (sip_reason_parse(&value, text) || weight(&value) <= best)
			continue;
		best = weight(&value);
		*out = value;
	}
	return best > 0;
}

static const char *q850_words(uint16_t cause)
{
	for (size_t i = 0; i < sizeof(q850) / sizeof(q850[0]); i++)
		if (q850[i].cause == cause)
			return q850[i].words;
	return NULL;
}

const char *sip_reason_words(const struct sip_reason_value *value)
{
	const char *phrase;

	if (!value->has_cause)
		return NULL;
	if (value->protocol == SIP_REASON_Q850)
		return q850_words(value->cause);
	if (value->protocol == SIP_REASON_OTHER)
		return NULL;
	phrase = sip_reason(value->cause);
	return *phrase ? phrase : NULL;
}

/* Section 25.1: a backslash stands before the byte that is meant. */
static void print_text(struct text *out, struct slice text)
{
	char room[WORDS_SIZE];
	struct text plain = TEXT_IN(room);

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\\' && i + 1 < text.len)
			i++;
		text_putc(&plain, (char)text.data[i]);
	}
	text_put_escaped(out, text_slice(&plain));
}

void sip_reason_print(struct text *out, const struct sip_reason_value *value)
{
	const char *words = sip_reason_words(value);

	if (value->text.len > 0) {
		print_text(out, value->text);
	} else if (words) {
		text_puts(out, words);
	} else {
		text_put_escaped(out, value->protocol_name);
		if (value->has_cause)
			text_printf(out, " cause %u", value->cause);
	}
}
