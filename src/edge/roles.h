/* roles.h: which processes of the node live at its edge?
 *
 * Each runs until it is told to stop, and gives the process's exit status.
 */
#ifndef COMITY_EDGE_ROLES_H
#define COMITY_EDGE_ROLES_H

#include "sys/role.h"

int front_main(const struct role_start *start);
int courier_main(const struct role_start *start);
int mailer_main(const struct role_start *start);

#endif
