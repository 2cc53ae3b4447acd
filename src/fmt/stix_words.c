#include "fmt/stix_words.h"

static const struct {
    const char *id;
    enum tlp tlp;
} markings[] = {
    {"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", TLP_CLEAR},
    {"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", TLP_GREEN},
    {"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", TLP_AMBER},
    {"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", TLP_AMBER_STRICT},
    {"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", TLP_RED},
    {"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", TLP_CLEAR},
    {"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", TLP_GREEN},
    {"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", TLP_AMBER},
    {"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", TLP_RED},
};

enum { MARKINGS = sizeof markings / sizeof markings[0] };

enum tlp
stix_words_tlp(struct span marking)
{
    for (size_t i = 0; i < MARKINGS; i++)
        if (span_equal(marking, span_of(markings[i].id)))
            return markings[i].tlp;
    return TLP_UNKNOWN;
}

const char *
stix_words_marking(enum tlp tlp)
{
    for (size_t i = 0; i < MARKINGS; i++)
        if (markings[i].tlp == tlp)
            return markings[i].id;
    return NULL;
}

bool
stix_words_is_definition(struct span id)
{
    return stix_words_tlp(id) != TLP_UNKNOWN || span_equal(id, SPAN(STIX_COMITY_EXTENSION))
        || span_equal(id, SPAN(STIX_COMITY_CARD)) || span_equal(id, SPAN(STIX_COMITY_AGREEMENT))
        || span_equal(id, SPAN(STIX_COMITY_BATCH)) || span_equal(id, SPAN(STIX_COMITY_RECEIPT))
        || span_equal(id, SPAN(STIX_TLP2_EXTENSION)) || span_equal(id, SPAN(STIX_COMITY_IDENTITY));
}
