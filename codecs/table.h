/* The rows of the table, each of its own file. For codecs/codec.c alone; others go by codec_find().
 */
#pragma once

#include "codecs/codec.h"

extern const struct codec codec_opus; /* opus.c */
extern const struct codec codec_g722; /* g722.c */
extern const struct codec codec_pcmu; /* g711.c */
extern const struct codec codec_pcma;
extern const struct codec codec_gsm; /* gsm.c */
extern const struct codec codec_l16; /* l16.c */
extern const struct codec codec_l16_8k;
extern const struct codec codec_lpc10; /* lpc10.c */
