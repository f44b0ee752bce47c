/* What the far end says of why it refuses or ends a call, in words for a person. */
#include "core/sip/body.h"
#include "core/sip/reason.h"
#include "core/ua/call_private.h"

enum {
	PIECE_SIZE = 160, /* of what the far end says, that is shown */
	SECONDS_MAX = 1000000,
	Q850_NORMAL = 16,
	Q850_NORMAL_UNSPECIFIED = 31,
};

struct slice call_body(const struct sip_msg *msg)
{
	struct slice body = {0};

	(void)sip_body_find(&body, msg, SDP_CONTENT_TYPE);
	return body;
}

/* Appends a piece to what is said already. */
static void add(struct fault *words, const char *piece)
{
	struct text text = {
		.data = words->words, .len = strlen(words->words), .size = sizeof(words->words)};

	if (piece[0] == '\0')
		return;
	if (text.len > 0)
		text_puts(&text, "; ");
	text_puts(&text, piece);
}

/* Section 20.43: warn-code SP warn-agent SP warn-text, the text in quotes. */
static void add_warning(struct fault *words, const struct sip_msg *msg)
{
	struct sip_cursor cursor = {0};
	char room[PIECE_SIZE];
	struct text piece = TEXT_IN(room);
	struct slice value;
	size_t quote;

	if (!sip_msg_next(&value, &cursor, msg, SIP_WARNING))
		return;
	quote = slice_find(value, '"');
	for (size_t i = quote + 1; i < value.len && value.data[i] != '"'; i++) {
		if (value.data[i] == '\\' && i + 1 < value.len)
			i++;
		text_putc(&piece, (char)value.data[i]);
	}
	if (piece.len > 0) {
		char safe[PIECE_SIZE];
		struct text shown = TEXT_IN(safe);

		text_puts(&shown, "they say: ");
		text_put_escaped(&shown, text_slice(&piece));
		add(words, safe);
	}
}

static void add_retry_after(struct fault *words, const struct sip_msg *msg)
{
	char room[PIECE_SIZE];
	struct text piece = TEXT_IN(room);
	uint64_t seconds;

	if (!sip_msg_retry_after(&seconds, msg, SECONDS_MAX))
		return;
	text_printf(&piece, "they ask to try again in %llu s", (unsigned long long)seconds);
	add(words, room);
}

/* "Q.850 17: user busy" */
static void add_reason(struct fault *words, const struct sip_reason_value *reason)
{
	char room[PIECE_SIZE];
	struct text piece = TEXT_IN(room);

	if (reason->has_cause && reason->protocol == SIP_REASON_Q850)
		text_printf(&piece, "Q.850 %u: ", reason->cause);
	else if (reason->has_cause && reason->protocol == SIP_REASON_SIP)
		text_printf(&piece, "SIP %u: ", reason->cause);
	sip_reason_print(&piece, reason);
	add(words, room);
}

/* Where RFC 3261 has Retry-After (section 20.33). */
static bool may_ask_again(uint16_t status)
{
	static const uint16_t statuses[] = {404, 413, 480, 486, 500, 503, 600, 603};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i] == status)
			return true;
	return false;
}

void call_words_refused(struct fault *words, const struct sip_msg *response)
{
	struct sip_reason_value reason;

	if (response->status == 488 || response->status == 606)
		add_warning(words, response);
	/* RFC 6432: what the telephone network behind a gateway said */
	if (sip_reason_find(&reason, response) && reason.protocol == SIP_REASON_Q850)
		add_reason(words, &reason);
	if (may_ask_again(response->status))
		add_retry_after(words, response);
}

static bool is_normal(const struct sip_reason_value *reason)
{
	static const struct {
		enum sip_reason_protocol protocol;
		uint16_t cause;
	} normal[] = {
		{SIP_REASON_Q850, Q850_NORMAL},
		{SIP_REASON_Q850, Q850_NORMAL_UNSPECIFIED},
		{SIP_REASON_SIP, 200},
		{SIP_REASON_SIP, 487},
	};

	for (size_t i = 0; reason->has_cause && i < sizeof(normal) / sizeof(normal[0]); i++)
		if (normal[i].protocol == reason->protocol && normal[i].cause == reason->cause)
			return true;
	return false;
}

/* RFC 3326: a proxy tells those that rang in vain that another has picked up. */
static bool is_answered_elsewhere(
	const struct sip_reason_value *reason, const struct sip_msg *request)
{
	return request->method == SIP_CANCEL && reason->has_cause &&
	       reason->protocol == SIP_REASON_SIP && reason->cause == 200;
}

void call_words_ended(struct fault *words, const struct sip_msg *request)
{
	struct sip_reason_value reason;

	if (!sip_reason_find(&reason, request))
		return;
	if (is_answered_elsewhere(&reason, request))
		add(words, "answered elsewhere");
	else if (!is_normal(&reason))
		add_reason(words, &reason);
}
