/** How often the loop of the guest turns: half a second of a processor's time at the most, and minutes where each step is emulated. */
const turns = 200_000_000;
/** What QEMU makes of the byte that the guest writes to its exit device. */
export const exitStatus = (0x10 << 1) | 1;
export const exitPort = 0xf4;

const magic = 0x1badb002;
/** The header says itself where things are. */
const flags = 0x1_0000;
const loadAddress = 0x10_0000;

/**
 * A kernel in the multiboot format that does nothing but count, and then has QEMU exit with {@link exitStatus}: whether it comes
 * so far in time shows whether guests really run.
 */
export function tinyGuest(): Buffer {
  const code = Buffer.from([
    ...[0xb9, 0, 0, 0, 0], // mov ecx, turns
    0x49, // dec ecx
    ...[0x75, 0xfd], // jnz back
    ...[0xb0, 0x10], // mov al, 0x10
    ...[0xe6, exitPort], // out exitPort, al
    0xf4, // hlt
    ...[0xeb, 0xfd], // jmp back
  ]);
  code.writeUInt32LE(turns, 1);
  const header = Buffer.alloc(32);
  const end = loadAddress + header.length + code.length;
  const fields = [magic, flags, -(magic + flags) >>> 0, loadAddress, loadAddress, end, end, loadAddress + header.length];
  fields.forEach((value, at) => header.writeUInt32LE(value, at * 4));
  return Buffer.concat([header, code]);
}
