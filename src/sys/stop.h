/* stop.h: has somebody asked this process to stop?
 *
 * After stop_listen, SIGINT, SIGTERM and SIGHUP only ask: the work goes on to a place where it can
 * end without leaving anything half done. One that was ignored before (nohup) stays so.
 */
#ifndef COMITY_SYS_STOP_H
#define COMITY_SYS_STOP_H

#include <stdbool.h>

void stop_listen(void);
bool stop_asked(void);
/* Wait until FD can be read or is at its end; false: asked to stop, even if that came just before.
 */
bool stop_wait_readable(int fd);

#endif
