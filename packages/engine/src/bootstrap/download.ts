/**
 * A shell function that fetches the URL `$1` into the file `$2`, with whatever is there for it: it fails when it cannot, and leaves the status
 * that the engine gave, if it gave one, in `said`.
 */
export const download = `download() {
  if has curl; then said=$(curl -fsS --connect-timeout 10 -y 30 -Y 1 -w ' %{http_code} ' -o "$2" "$1")
  elif has wget; then said=$(wget -qSt 1 -T 30 -O "$2" "$1" 2>&1)
  else said=$("\${PACELINE_NODE:-node}" -e '[,u,f]=process.argv;fetch(u).then(async r=>{fs.writeFileSync(f,Buffer.from(await r.arrayBuffer()));console.log("",r.status,"");process.exit(+!r.ok)})' "$1" "$2"); fi
}
`;

const byPython = `python3 -c 'import http.client as h,socket,sys
_,p,u,f=sys.argv;c=h.HTTPConnection("e");c.sock=s=socket.socket(1);s.settimeout(30);s.connect(p);c.request("GET","/"+u.split("/",3)[3])
r=c.getresponse();print("",r.status,"");open(f,"wb").write(r.read());sys.exit(r.status>299)' "$socket" "$1" "$2"`;
const byNode = `"\${PACELINE_NODE:-node}" -e '[,s,u,f]=process.argv;http.get(u,{socketPath:s,timeout:3e4},r=>{console.log("",s=r.statusCode,"");stream.pipeline(r,fs.createWriteStream(f),e=>process.exit(+(!!e||s>299)))}).on("timeout",process.abort)' "$socket" "$1" "$2"`;

/**
 * The same through the Unix socket `$socket`, which wget does not know.
 * @param hasPython as all have that run this by cloud-init: for Node.js, too, there is no room where keys have to be
 */
export function downloadBySocket(hasPython: boolean): string {
  return `download() {
  if has curl; then said=$(curl -fsS --unix-socket "$socket" -y 30 -Y 1 -w ' %{http_code} ' -o "$2" "$1")
  ${hasPython ? '' : `elif ! has python3; then said=$(${byNode})\n  `}else said=$(${byPython}); fi
}
`;
}
