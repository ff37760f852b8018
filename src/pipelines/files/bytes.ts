/**
 * Bytes of files that are put together.
 *
 * @module
 */

/**
 * Some bytes, one after another.
 *
 * @param parts - in order
 */
export const joinedBytes = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((at, part) => {
    whole.set(part, at);
    return at + part.length;
  }, 0);
  return whole;
};
