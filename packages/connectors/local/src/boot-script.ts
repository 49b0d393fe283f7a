/**
 * Runs the user data of one machine, in its own session. It is a shell and not this process that writes down how it went: the engine
 * may be gone by then. $1 is the directory of the run.
 *
 * `process` is created exclusively and says who boots the machine, so however often a launch is repeated, and by however many engines
 * at once, the user data runs once.
 */
export const bootScript = String.raw`#!/bin/sh
set -C
{ read -r self </proc/self/stat || self=$$; } 2>/dev/null
{ echo "$self" >process; } 2>/dev/null || exit 0
set +C
./user-data
echo $? >exit
# The agent's configuration is there now: tell the supervisor, if it waits already. <> never blocks, even if nobody reads.
[ -p "$1/wake" ] && echo boot 1<>"$1/wake"
exit 0
`;
