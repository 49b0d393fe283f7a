/**
 * A shell command that makes the SSH session that runs it the holder of a machine's tunnel: it ends the session that was before,
 * which after a cut of the network would keep the port to itself for hours.
 * @param file absolute path of a file on the machine, without quotes; written by this command alone
 */
export function takeTunnel(file: string): string {
  return [
    // When a process began, and that it is a session of the SSH server: a number may belong to something else by now.
    `began() { grep -qs '^sshd' /proc/$1/comm && sed 's/.*) //' /proc/$1/stat | cut -d' ' -f20; }`,
    `read -r pid since 2>/dev/null <'${file}' || :`,
    `[ -z "$pid" ] || [ "$pid" = $PPID ] || [ "$(began $pid)" != "$since" ] || kill $pid 2>/dev/null`,
    `echo $PPID $(began $PPID) >'${file}'`,
  ].join('\n');
}
