#include "core/sip/grammar.h"
#include "core/sip/msg.h"
#include "core/sip/msg_private.h"

#include "core/base/text.h"

#include <assert.h>

enum {
	SLOTS = 128,
	STATUS_CLASS_SIZE = 100,
};

/* The sets of section 25.1, and what is let in beyond them. */
#define ANY3(c, x, y, z) ((c) == (x) || (c) == (y) || (c) == (z))
#define ANY6(c, u, v, w, x, y, z) (ANY3(c, u, v, w) || ANY3(c, x, y, z))
#define DIGIT(c) ((c) >= '0' && (c) <= '9')
#define LETTER(c) (((c) >= 'A' && (c) <= 'Z') || ((c) >= 'a' && (c) <= 'z'))
#define HEX(c) (DIGIT(c) || ((c) >= 'A' && (c) <= 'F') || ((c) >= 'a' && (c) <= 'f'))
#define ALNUM(c) (DIGIT(c) || LETTER(c))
#define SPACE(c) ((c) == ' ' || (c) == '\t')
#define VISIBLE(c) ((c) > ' ' && (c) <= '~')
#define UNRESERVED(c) (ALNUM(c) || ANY6(c, '-', '_', '.', '!', '~', '*') || ANY3(c, '\'', '(', ')'))
#define TOKEN(c)                                                                                   \
	(ALNUM(c) || ANY6(c, '-', '.', '!', '%', '*', '_') || ANY3(c, '+', '`', '\'') || (c) == '~')
/* "#" is no part of a user by the grammar, but feature codes are dialled with it. */
#define USER(c) (UNRESERVED(c) || ANY6(c, '&', '=', '+', '$', ',', ';') || ANY3(c, '?', '/', '#'))
#define PASSWORD(c) (UNRESERVED(c) || ANY6(c, '&', '=', '+', '$', ',', ','))
#define PARAM(c)                                                                                   \
	(UNRESERVED(c) || ANY6(c, '[', ']', '/', ':', '&', '+') || ANY3(c, '$', '=', '@') ||       \
		ANY6(c, '#', '^', '{', '|', '}', '`'))
#define FIELD(c)                                                                                   \
	(UNRESERVED(c) || ANY6(c, '[', ']', '/', '?', ':', '+') ||                                 \
		ANY6(c, '$', '@', ',', ';', '#', '|'))
#define OPAQUE(c) (VISIBLE(c) && !ANY3(c, '<', '>', '"'))
/* "_" is no part of a host name by the grammar, but networks of containers have it. */
#define LABEL(c) (ALNUM(c) || ANY3(c, '-', '_', '_'))
#define PHONE(c) (HEX(c) || ANY6(c, '-', '.', '(', ')', '*', '#'))
#define VALUE(c) ((VISIBLE(c) || (c) >= 0x80) && !ANY6(c, ';', ',', '"', '<', '>', '>'))
#define PLAIN(c) (!ANY6(c, ',', '"', '<', '(', ',', ','))

#define CLASS(c)                                                                                   \
	((TOKEN(c) ? SIP_C_TOKEN : 0) | (USER(c) ? SIP_C_USER : 0) |                               \
		(PASSWORD(c) ? SIP_C_PASSWORD : 0) | (PARAM(c) ? SIP_C_PARAM : 0) |                \
		(FIELD(c) ? SIP_C_FIELD : 0) | (OPAQUE(c) ? SIP_C_OPAQUE : 0) |                    \
		(LABEL(c) ? SIP_C_LABEL : 0) | (HEX(c) ? SIP_C_HEX : 0) |                          \
		(DIGIT(c) ? SIP_C_DIGIT : 0) | (PHONE(c) ? SIP_C_PHONE : 0) |                      \
		(VALUE(c) ? SIP_C_VALUE : 0) | (VALUE(c) && (c) != '=' ? SIP_C_NAME : 0) |         \
		(SPACE(c) ? SIP_C_SPACE : 0) | (PLAIN(c) ? SIP_C_PLAIN : 0))
#define CLASS4(c) CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define CLASS16(c) CLASS4(c), CLASS4((c) + 4), CLASS4((c) + 8), CLASS4((c) + 12)
#define CLASS64(c) CLASS16(c), CLASS16((c) + 16), CLASS16((c) + 32), CLASS16((c) + 48)

const uint16_t sip_class[256] = {CLASS64(0), CLASS64(64), CLASS64(128), CLASS64(192)};

/* Four bytes at a time: most of the time that a message takes is spent here. */
const uint8_t *sip_skip(const uint8_t *p, const uint8_t *end, unsigned classes)
{
	for (; end - p >= 4; p += 4) {
		if (!sip_is(p[0], classes))
			return p;
		if (!sip_is(p[1], classes))
			return p + 1;
		if (!sip_is(p[2], classes))
			return p + 2;
		if (!sip_is(p[3], classes))
			return p + 3;
	}
	while (p < end && sip_is(*p, classes))
		p++;
	return p;
}

static const char *const methods[SIP_METHOD_OTHER] = {
	[SIP_INVITE] = "INVITE",
	[SIP_ACK] = "ACK",
	[SIP_BYE] = "BYE",
	[SIP_CANCEL] = "CANCEL",
	[SIP_OPTIONS] = "OPTIONS",
	[SIP_REGISTER] = "REGISTER",
	[SIP_PRACK] = "PRACK",
	[SIP_UPDATE] = "UPDATE",
	[SIP_INFO] = "INFO",
	[SIP_MESSAGE] = "MESSAGE",
	[SIP_SUBSCRIBE] = "SUBSCRIBE",
	[SIP_NOTIFY] = "NOTIFY",
	[SIP_REFER] = "REFER",
	[SIP_PUBLISH] = "PUBLISH",
};

enum { LIST = 1, OURS = 2 };

#define NAMED(name) name, sizeof(name) - 1

/* clang-format off */
static const struct {
	const char *name;
	uint8_t len;
	char compact; /* 0: none */
	uint8_t flags;
} headers[SIP_HEADER_OTHER] = {
	[SIP_ACCEPT] =              {NAMED("Accept"),              0,   LIST},
	[SIP_ALLOW] =               {NAMED("Allow"),               0,   LIST | OURS},
	[SIP_CALL_ID] =             {NAMED("Call-ID"),             'i', OURS},
	[SIP_CONTACT] =             {NAMED("Contact"),             'm', LIST | OURS},
	[SIP_CONTENT_ENCODING] =    {NAMED("Content-Encoding"),    'e', LIST | OURS},
	[SIP_CONTENT_LENGTH] =      {NAMED("Content-Length"),      'l', OURS},
	[SIP_CONTENT_TYPE] =        {NAMED("Content-Type"),        'c', OURS},
	[SIP_CSEQ] =                {NAMED("CSeq"),                0,   OURS},
	[SIP_EXPIRES] =             {NAMED("Expires"),             0,   0},
	[SIP_FROM] =                {NAMED("From"),                'f', OURS},
	[SIP_MAX_FORWARDS] =        {NAMED("Max-Forwards"),        0,   OURS},
	[SIP_MIN_EXPIRES] =         {NAMED("Min-Expires"),         0,   0},
	[SIP_P_ASSERTED_IDENTITY] = {NAMED("P-Asserted-Identity"), 0,   LIST},
	[SIP_PROXY_AUTHENTICATE] =  {NAMED("Proxy-Authenticate"),  0,   0},
	[SIP_PROXY_AUTHORIZATION] = {NAMED("Proxy-Authorization"), 0,   OURS},
	[SIP_REASON] =              {NAMED("Reason"),              0,   LIST},
	[SIP_RECORD_ROUTE] =        {NAMED("Record-Route"),        0,   LIST | OURS},
	[SIP_REQUIRE] =             {NAMED("Require"),             0,   LIST},
	[SIP_RETRY_AFTER] =         {NAMED("Retry-After"),         0,   0},
	[SIP_ROUTE] =               {NAMED("Route"),               0,   LIST | OURS},
	[SIP_SERVER] =              {NAMED("Server"),              0,   0},
	[SIP_SUBJECT] =             {NAMED("Subject"),             's', 0},
	[SIP_SUPPORTED] =           {NAMED("Supported"),           'k', LIST | OURS},
	[SIP_TO] =                  {NAMED("To"),                  't', OURS},
	[SIP_UNSUPPORTED] =         {NAMED("Unsupported"),         0,   LIST},
	[SIP_USER_AGENT] =          {NAMED("User-Agent"),          0,   OURS},
	[SIP_VIA] =                 {NAMED("Via"),                 'v', LIST | OURS},
	[SIP_WARNING] =             {NAMED("Warning"),             0,   LIST},
	[SIP_WWW_AUTHENTICATE] =    {NAMED("WWW-Authenticate"),    0,   0},
};

/*
 * Where to look for a header, by its first and last letter and its length: which it is, if any. A
 * slot that is nobody's has 0, which is one, too: only comparing tells. That no two share a slot, the
 * compiler sees.
 */
#define SLOT(first, last, len) (((first) * 4 + (last) + (len) * 4) % SLOTS)

static const uint8_t slots[SLOTS] = {
	[SLOT('a', 't', 6)] = SIP_ACCEPT,
	[SLOT('a', 'w', 5)] = SIP_ALLOW,
	[SLOT('c', 'd', 7)] = SIP_CALL_ID,
	[SLOT('c', 't', 7)] = SIP_CONTACT,
	[SLOT('c', 'g', 16)] = SIP_CONTENT_ENCODING,
	[SLOT('c', 'h', 14)] = SIP_CONTENT_LENGTH,
	[SLOT('c', 'e', 12)] = SIP_CONTENT_TYPE,
	[SLOT('c', 'q', 4)] = SIP_CSEQ,
	[SLOT('e', 's', 7)] = SIP_EXPIRES,
	[SLOT('f', 'm', 4)] = SIP_FROM,
	[SLOT('m', 's', 12)] = SIP_MAX_FORWARDS,
	[SLOT('m', 's', 11)] = SIP_MIN_EXPIRES,
	[SLOT('p', 'y', 19)] = SIP_P_ASSERTED_IDENTITY,
	[SLOT('p', 'e', 18)] = SIP_PROXY_AUTHENTICATE,
	[SLOT('p', 'n', 19)] = SIP_PROXY_AUTHORIZATION,
	[SLOT('r', 'n', 6)] = SIP_REASON,
	[SLOT('r', 'e', 12)] = SIP_RECORD_ROUTE,
	[SLOT('r', 'e', 7)] = SIP_REQUIRE,
	[SLOT('r', 'r', 11)] = SIP_RETRY_AFTER,
	[SLOT('r', 'e', 5)] = SIP_ROUTE,
	[SLOT('s', 'r', 6)] = SIP_SERVER,
	[SLOT('s', 't', 7)] = SIP_SUBJECT,
	[SLOT('s', 'd', 9)] = SIP_SUPPORTED,
	[SLOT('t', 'o', 2)] = SIP_TO,
	[SLOT('u', 'd', 11)] = SIP_UNSUPPORTED,
	[SLOT('u', 't', 10)] = SIP_USER_AGENT,
	[SLOT('v', 'a', 3)] = SIP_VIA,
	[SLOT('w', 'g', 7)] = SIP_WARNING,
	[SLOT('w', 'e', 16)] = SIP_WWW_AUTHENTICATE,
};

/* Compact forms of headers that have no id (RFC 3515, 3841, 3892, 4028, 6665, 8224). */
static const struct {
	char compact;
	const char *name;
} compact_others[] = {
	{'a', "Accept-Contact"}, {'b', "Referred-By"},         {'d', "Request-Disposition"},
	{'j', "Reject-Contact"}, {'o', "Event"},               {'r', "Refer-To"},
	{'u', "Allow-Events"},   {'x', "Session-Expires"},     {'y', "Identity"},
};

static const struct {
	uint16_t status;
	const char *reason;
} reasons[] = {
	{100, "Trying"},
	{180, "Ringing"},
	{181, "Call Is Being Forwarded"},
	{182, "Queued"},
	{183, "Session Progress"},
	{200, "OK"},
	{202, "Accepted"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Moved Temporarily"},
	{305, "Use Proxy"},
	{380, "Alternative Service"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{412, "Conditional Request Failed"},
	{413, "Request Entity Too Large"},
	{414, "Request-URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Unsupported URI Scheme"},
	{420, "Bad Extension"},
	{421, "Extension Required"},
	{422, "Session Interval Too Small"},
	{423, "Interval Too Brief"},
	{433, "Anonymity Disallowed"}, /* RFC 5079 */
	{480, "Temporarily Unavailable"},
	{481, "Call/Transaction Does Not Exist"},
	{482, "Loop Detected"},
	{483, "Too Many Hops"},
	{484, "Address Incomplete"},
	{485, "Ambiguous"},
	{486, "Busy Here"},
	{487, "Request Terminated"},
	{488, "Not Acceptable Here"},
	{489, "Bad Event"},
	{491, "Request Pending"},
	{493, "Undecipherable"},
	{500, "Server Internal Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Server Time-out"},
	{505, "Version Not Supported"},
	{513, "Message Too Large"},
	{600, "Busy Everywhere"},
	{603, "Decline"},
	{604, "Does Not Exist Anywhere"},
	{606, "Not Acceptable"},
};

/* Section 7.2, by the first digit. */
static const char *const status_classes[] = {
	"", "Provisional", "Success", "Redirection", "Client Error", "Server Error", "Global Failure",
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *sip_method_name(enum sip_method method)
{
	return method < SIP_METHOD_OTHER ? methods[method] : "";
}

enum sip_method sip_method_find(struct slice name)
{
	for (size_t i = 0; i < COUNT(methods); i++)
		if (name.len > 0 && slice_is(name, methods[i]))
			return (enum sip_method)i;
	return SIP_METHOD_OTHER;
}

const char *sip_header_canonical(enum sip_header_name id)
{
	assert(id < SIP_HEADER_OTHER);
	return headers[id].name;
}

static enum sip_header_name find_compact(uint8_t letter)
{
	for (size_t i = 0; i < COUNT(headers); i++)
		if (headers[i].compact && sip_lower(letter) == (uint8_t)headers[i].compact)
			return (enum sip_header_name)i;
	return SIP_HEADER_OTHER;
}

enum sip_header_name sip_header_find(struct slice name)
{
	struct slice known;
	uint8_t id;

	if (name.len < 2)
		return name.len == 1 ? find_compact(name.data[0]) : SIP_HEADER_OTHER;

	id = slots[SLOT((size_t)name.data[0] | 0x20, name.data[name.len - 1] | 0x20u, name.len)];
	known = (struct slice){(const uint8_t *)headers[id].name, headers[id].len};
	if (name.len != known.len)
		return SIP_HEADER_OTHER;
	/* hardly anybody writes it otherwise than we do */
	if (memcmp(name.data, known.data, known.len) == 0 || slice_equal_nocase(name, known))
		return (enum sip_header_name)id;
	return SIP_HEADER_OTHER;
}

bool sip_header_is_list(enum sip_header_name id)
{
	assert(id < SIP_HEADER_OTHER);
	return headers[id].flags & LIST;
}

bool sip_header_is_ours(struct slice name)
{
	enum sip_header_name id = sip_header_find(name);

	if (id == SIP_HEADER_OTHER)
		return slice_is_nocase(name, "Authorization");
	return headers[id].flags & OURS;
}

const char *sip_header_expand(struct slice name)
{
	if (name.len != 1)
		return NULL;

	for (size_t i = 0; i < COUNT(compact_others); i++)
		if (sip_lower(name.data[0]) == (uint8_t)compact_others[i].compact)
			return compact_others[i].name;
	return NULL;
}

const char *sip_reason(uint16_t status)
{
	size_t status_class = status / STATUS_CLASS_SIZE;

	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return status_class < COUNT(status_classes) ? status_classes[status_class] : "";
}
