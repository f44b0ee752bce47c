#include "core/ua/service_route.h"

#include "core/base/text.h"
#include "core/sip/print.h"
#include "core/sip/uri.h"

#include <stdlib.h>

enum { LINES_SIZE = 4096 };

void service_route_drop(struct service_route *route)
{
	free(route->lines);
	free(route->hop);
	*route = (struct service_route){0};
}

/* The URI of the first Route line, in the brackets that it has (RFC 3608, section 5); NULL if there
 * is none that can be used. */
static char *first_of(const char *lines)
{
	struct slice rest = slice_of(lines), before, uri;
	struct sip_uri parsed;

	slice_cut(&before, &rest, '<');
	if (!slice_cut(&uri, &rest, '>') || sip_uri_parse(&parsed, uri, NULL))
		return NULL;
	return slice_copy(uri);
}

/* RFC 3608, section 5. */
void service_route_keep(struct service_route *route, const struct sip_msg *response)
{
	char room[LINES_SIZE];
	struct text lines = TEXT_IN(room);

	for (size_t i = 0; i < response->header_count; i++)
		if (slice_is_nocase(response->headers[i].name, "Service-Route"))
			sip_print_header(&lines, SIP_ROUTE, response->headers[i].value);
	service_route_drop(route);
	route->lines = lines.len > 0 && !lines.cut ? slice_copy(text_slice(&lines)) : NULL;
	if (route->lines)
		route->hop = first_of(route->lines);
	if (!route->hop)
		service_route_drop(route);
}
