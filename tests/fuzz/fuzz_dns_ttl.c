/* Messages of the name service: whatever the bytes are, reading stays inside them. */
#include "core/net/dns_ttl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)dns_ttl_s((struct slice){data, size});
	return 0;
}
