/* messages.h: what can roles say to each other, through which doors, and who may?
 *
 * Everything comes from tables/messages.def, doors.def, principals.def and rights.def.
 */
#ifndef COMITY_BASE_MESSAGES_H
#define COMITY_BASE_MESSAGES_H

enum door {
#define DOOR(name, word, text) DOOR_##name,
#include "tables/doors.def"
#undef DOOR
    DOOR_COUNT
};
enum principal_kind {
    PRINCIPAL_NOBODY,
#define PRINCIPAL(name, word, column, text) PRINCIPAL_##name,
#include "tables/principals.def"
#undef PRINCIPAL
    PRINCIPAL_KIND_COUNT
};
enum right {
#define RIGHT(name, word, operator, officer, analyst, reader, partner, text) RIGHT_##name,
#include "tables/rights.def"
#undef RIGHT
    RIGHT_COUNT
};
enum message {
#define SAID(name, number, text) MESSAGE_##name = (number),
#include "tables/messages.def"
#undef SAID
#define MESSAGE(name, number, function, doors, right, changes, text) MESSAGE_##name = (number),
#include "tables/messages.def"
#undef MESSAGE
};

#endif
