/* agreement_simulate.h: on the reports that are stored, what would a draft let cross that today's
 * agreements do not, or the other way round?
 *
 * Each report is judged twice, by today's agreements and as if the draft were in force beside them
 * (in the place of one of its id). Worked on in slices between other questions, newest batch first;
 * one at a time. Nothing is kept or sent.
 */
#ifndef COMITY_CORE_AGREEMENT_SIMULATE_H
#define COMITY_CORE_AGREEMENT_SIMULATE_H

#include "core/core.h"

struct simulation;

struct simulation *simulation_new(struct core *core); /* NULL: no memory */
void simulation_free(struct simulation *simulation);
/* DOOR's channel has gone, and with it who waited. */
void simulation_gone(struct core *core, enum door door);

#endif
