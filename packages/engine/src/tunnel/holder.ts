/**
 * Where in a tunnel's folder the machine finds its engine. A socket and not a port: while a tunnel is down anybody on the machine could listen
 * at a port of its own, and be told the agent's key and obeyed as the engine. In this folder only its owner and root can make anything.
 */
export function tunnelSocket(folder: string): string {
  return `${folder}/engine`;
}

/**
 * A shell script that makes the SSH session that runs it the holder of a machine's tunnel: it ends the session that was before, which after a
 * cut of the network would go on for hours, and removes its socket, which it leaves behind.
 * @param folder absolute path of a folder on the machine, without quotes; the session's account and root alone may write to it
 */
export function takeTunnel(folder: string): string {
  return [
    `cd '${folder}' || exit`,
    // When a process began, and that it is a session of the SSH server: a number may belong to something else by now.
    `began() { grep -qs '^sshd' /proc/$1/comm && sed 's/.*) //' /proc/$1/stat | cut -d' ' -f20; }`,
    `read -r pid since 2>/dev/null <holder || :`,
    `[ -z "$pid" ] || [ "$pid" = $PPID ] || [ "$(began $pid)" != "$since" ] || kill $pid 2>/dev/null`,
    `echo $PPID $(began $PPID) >holder`,
    `rm -f engine`,
  ].join('\n');
}
