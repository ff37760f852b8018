/**
 * CRC-32C, the checksum of TFRecord files: the polynomial of Castagnoli, which is not the one of zlib.
 *
 * @module
 */

const polynomial = 0x82f63b78; // bits from low to high

const divided = (value: number): number => (value & 1 ? (value >>> 1) ^ polynomial : value >>> 1);

const bits = [0, 1, 2, 3, 4, 5, 6, 7];

/** What each byte comes to, its eight bits divided one after another. */
const table = Array.from({ length: 256 }, (_, byte) => bits.reduce(divided, byte));

/**
 * The checksum of some bytes.
 *
 * @param bytes - any
 * @returns 32 bits
 */
export const crc32c = (bytes: Uint8Array): number =>
  (bytes.reduce((value, byte) => table[(value ^ byte) & 0xff] ^ (value >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;

/** The checksum as records have it: turned by 15 bits and moved, so that a checksum of checksums means something. */
export const maskedCrc32c = (bytes: Uint8Array): number => {
  const value = crc32c(bytes);
  return (((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0;
};
