/**
 * The instructions of relaxed vectors, which Node.js 20 has behind a flag and later versions have anyway.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';

const isBehindAFlag = process.versions.node.startsWith('20.');

/** Turns them on for tests of a file, and off after them: other files of the process have what a user has. */
export const withRelaxedVectors = (): void => {
  if (!isBehindAFlag) return;
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  afterAll(() => setFlagsFromString('--no-experimental-wasm-relaxed-simd'));
};
