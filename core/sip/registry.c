#include "core/sip/registry.h"

const char *sip_token(char out[static SIP_TOKEN_SIZE], struct loop *loop)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t random[8];
	struct text text = text_in(out, SIP_TOKEN_SIZE);

	loop_random(loop, random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++) {
		text_putc(&text, digits[random[i] >> 4]);
		text_putc(&text, digits[random[i] & 15]);
	}
	return out;
}

/* RFC 7118, section 5.2.1; of no use to a stack that never speaks so. */
const char *sip_stack_alias(struct sip_stack *stack)
{
	char token[SIP_TOKEN_SIZE];
	struct text alias;

	if (stack->alias[0] != '\0')
		return stack->alias;
	alias = TEXT_IN(stack->alias);
	text_printf(&alias, "%s.invalid", sip_token(token, stack->loop));
	return stack->alias;
}

struct text sip_stack_scratch(struct sip_stack *stack)
{
	return TEXT_IN(stack->scratch);
}

uint32_t sip_stack_hash(const struct sip_stack *stack, struct slice a, struct slice b)
{
	return table_hash(table_hash(stack->hash_seed, a), b);
}
