/* What is wrong with a certificate, or with a handshake, in words. */
#include "core/base/text.h"
#include "core/net/tls_private.h"

enum {
	SHOWN_SIZE = 128, /* of a name; what is too long is cut */
	NAMES_SIZE = 200, /* of those of a certificate */
};

static const char *show(char out[static SHOWN_SIZE], const char *name)
{
	struct text text = text_in(out, SHOWN_SIZE);

	text_put_escaped(&text, slice_of(name));
	return out;
}

static struct slice bytes_of(const struct openssl *openssl, const ASN1_STRING *string)
{
	return (struct slice){openssl->crypto.ASN1_STRING_get0_data(string),
		(size_t)openssl->crypto.ASN1_STRING_length(string)};
}

/* A DNS name, or a SIP URI, of which out gets the host (RFC 5922, section 7.1). */
static bool name_of(struct slice *out, const struct openssl *openssl, const GENERAL_NAME *name)
{
	if (name->type != GEN_DNS && name->type != GEN_URI)
		return false;

	*out = bytes_of(openssl, name->d.ia5);
	if (name->type == GEN_DNS)
		return true;
	if (!slice_starts_nocase(*out, "sip:"))
		return false;
	out->data += sizeof("sip:") - 1;
	out->len -= sizeof("sip:") - 1;
	return slice_find(*out, '@') == out->len; /* a person's */
}

static void put_address(struct text *out, struct slice ip)
{
	struct addr addr = {.family = ip.len == 4 ? ADDR_IPV4 : ADDR_IPV6};
	char text[ADDR_TEXT_SIZE];

	if (ip.len != 4 && ip.len != sizeof(addr.ip))
		return;
	memcpy(addr.ip, ip.data, ip.len);
	text_puts(out, addr_print(text, &addr));
}

static void put_name(struct text *out, const struct openssl *openssl, const GENERAL_NAME *name)
{
	const char *between = out->len > 0 ? ", " : "";
	struct slice bytes;

	if (name_of(&bytes, openssl, name)) {
		text_puts(out, between);
		text_put_escaped(out, bytes);
	} else if (name->type == GEN_IPADD) {
		text_puts(out, between);
		put_address(out, bytes_of(openssl, name->d.iPAddress));
	}
}

/* Its alternative names; NULL: it has none. */
static GENERAL_NAMES *names_of(const struct openssl *openssl, const X509 *certificate)
{
	return openssl->crypto.X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

static const GENERAL_NAME *name_at(const struct openssl *openssl, const GENERAL_NAMES *names, int i)
{
	return openssl->crypto.OPENSSL_sk_value((const OPENSSL_STACK *)names, i);
}

static int count_of(const struct openssl *openssl, const GENERAL_NAMES *names)
{
	return names ? openssl->crypto.OPENSSL_sk_num((const OPENSSL_STACK *)names) : 0;
}

/* The common name counts where there are no others (RFC 6125, section 6.4.4). */
static void list_names(struct text *out, const struct openssl *openssl, const X509 *certificate)
{
	GENERAL_NAMES *names = names_of(openssl, certificate);
	char common[SHOWN_SIZE] = "";

	for (int i = 0; i < count_of(openssl, names); i++)
		put_name(out, openssl, name_at(openssl, names, i));
	openssl->crypto.GENERAL_NAMES_free(names);
	if (out->len > 0)
		return;
	(void)openssl->crypto.X509_NAME_get_text_by_NID(
		openssl->crypto.X509_get_subject_name(certificate), NID_commonName, common,
		sizeof(common));
	text_put_escaped(out, slice_of(common));
}

/* OpenSSL looks at DNS names only. */
static bool has_sip_uri(const struct openssl *openssl, const X509 *certificate, const char *host)
{
	GENERAL_NAMES *names = names_of(openssl, certificate);
	bool found = false;

	for (int i = 0; i < count_of(openssl, names) && !found; i++) {
		const GENERAL_NAME *name = name_at(openssl, names, i);
		struct slice bytes;

		found = name->type == GEN_URI && name_of(&bytes, openssl, name) &&
			slice_is_nocase(bytes, host);
	}
	openssl->crypto.GENERAL_NAMES_free(names);
	return found;
}

static void tell_whose(
	struct fault *why, const struct openssl *openssl, const X509 *certificate, const char *host)
{
	char room[NAMES_SIZE];
	struct text names = TEXT_IN(room);

	list_names(&names, openssl, certificate);
	fault_set(why, 0,
		"the certificate of %s is for %s: whoever answers there is not whom you asked for",
		host, names.len > 0 ? room : "nobody");
}

static void tell_unknown(struct fault *why, const char *host)
{
	fault_set(why, 0,
		"the certificate of %s is signed by an unknown authority; if you know that one, "
		"name its certificate: tls_ca_file = FILE, or --tls-ca-file FILE",
		host);
}

int tls_judge(int good, X509_STORE_CTX *chain, const struct openssl *openssl, const char *host,
	struct fault *why)
{
	const X509 *certificate = openssl->crypto.X509_STORE_CTX_get_current_cert(chain);
	int error = openssl->crypto.X509_STORE_CTX_get_error(chain);
	int depth = openssl->crypto.X509_STORE_CTX_get_error_depth(chain);
	const char *whose = depth > 0 ? "an authority behind the certificate" : "the certificate";
	char shown[SHOWN_SIZE];

	if (good)
		return 1;
	if (error == X509_V_ERR_HOSTNAME_MISMATCH && has_sip_uri(openssl, certificate, host)) {
		openssl->crypto.X509_STORE_CTX_set_error(chain, X509_V_OK);
		return 1;
	}

	show(shown, host);
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		tell_whose(why, openssl, certificate, shown);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		fault_set(why, 0,
			"%s of %s has expired; its owner has to renew it, or the clock here is "
			"wrong",
			whose, shown);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		fault_set(why, 0,
			"%s of %s is not valid yet; the clock here is wrong, or its owner's was",
			whose, shown);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		tell_unknown(why, shown);
		break;
	default:
		fault_set(why, 0, "%s of %s is not good: %s", whose, shown,
			openssl->crypto.X509_verify_cert_error_string(error));
	}
	return 0;
}

void tls_explain_lack(struct fault *why, const char *peer)
{
	char shown[SHOWN_SIZE];

	fault_set(why, 0, "no TLS with %s: it wants a certificate of ours: --tls-certificate FILE",
		show(shown, peer));
}

void tls_explain(struct fault *why, const struct openssl *openssl, const char *peer)
{
	static const struct {
		int reason;
		const char *words;
	} table[] = {
		{SSL_R_WRONG_VERSION_NUMBER, "it does not speak TLS there"},
		{SSL_R_HTTP_REQUEST, "it speaks HTTP"},
		{SSL_R_UNSUPPORTED_PROTOCOL, "it speaks no TLS of version 1.2 or later"},
		{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "it speaks no TLS of version 1.2 or later"},
		{SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
			"it wants a certificate of ours: --tls-certificate FILE"},
		{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "it does not take our certificate"},
		{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "to it our certificate has expired"},
		{SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "it does not take our certificate"},
		{SSL_R_TLSV1_ALERT_UNKNOWN_CA, "it does not know who signed our certificate"},
		{SSL_R_TLSV1_UNRECOGNIZED_NAME, "it knows nobody of that name"},
	};
	unsigned long error = openssl->crypto.ERR_peek_last_error();
	const char *words = openssl->crypto.ERR_reason_error_string(error);
	char shown[SHOWN_SIZE];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == table[i].reason)
			words = table[i].words;
	fault_set(why, 0, "no TLS with %s: %s", show(shown, peer), words ? words : "it broke off");
}
