/**
 * A disk of 64 MiB whose boot sector writes to all of it, 32 KiB after every 64, and begins anew at its end. It is booted by the
 * firmware, without a kernel, in a second.
 */
export function writingDisk(): Buffer {
  const disk = Buffer.alloc(64 * 1024 * 1024);
  const code = [
    ...[0x31, 0xc0], // xor ax, ax
    ...[0x8e, 0xd8], // mov ds, ax
    ...[0xbe, 0x40, 0x7c], // next: mov si, packet
    ...[0xb8, 0x00, 0x43], // mov ax, extended write
    ...[0xcd, 0x13], // int 13h, of the drive in dl from which it was booted
    ...[0x81, 0x06, 0x48, 0x7c, 0x80, 0x00], // add word [packet + 8], 128
    ...[0xeb, 0xf0], // jmp next
  ];
  disk.set(code);
  // Its length, the number of sectors, where they are in memory, and where they go on the disk.
  const packet = [16, 0, 64, 0, 0x00, 0x7c, 0, 0, 128];
  disk.set(packet, 0x40);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}
