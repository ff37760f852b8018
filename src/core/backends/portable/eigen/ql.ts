/**
 * Eigenvalues of a symmetric tridiagonal matrix by the implicit QL algorithm with Wilkinson's shift.
 *
 * The rotations are handed out in sweeps and not applied here: they do not depend on the eigenvectors, which are better
 * rotated later, many sweeps for each part that fits into a cache.
 *
 * @module
 */

/** A sweep of rotations of neighbouring columns, `top` and `top + 1` first, then downwards. */
export interface Sweep {
  readonly top: number;
  readonly count: number;
}

/** Where rotations go. */
export interface Rotations {
  /** Takes one rotation (c, s). */
  readonly add: (c: number, s: number) => void;
  /** Ends a sweep of `count` rotations that were added. */
  readonly end: (sweep: Sweep) => void;
}

/** Below this, relative to a matrix of size 1, an entry is 0: far below the rounding of everything else. */
const negligible = 2 ** -200;

/** √(f² + g²); with care where the squares would underflow. */
const hypotenuse = (f: number, g: number): number => {
  const square = f * f + g * g;
  return square > 1e-280 ? Math.sqrt(square) : Math.hypot(f, g);
};

/** First entry below the diagonal, from `from` on, that is negligible. */
const blockEnd = (diagonal: Float64Array, below: Float64Array, from: number): number => {
  let m = from;
  while (m < diagonal.length - 1) {
    const size = Math.abs(diagonal[m]) + Math.abs(diagonal[m + 1]);
    if (Math.abs(below[m]) <= Number.EPSILON * size + negligible) return m;
    m += 1;
  }
  return m;
};

/** Sweeps after which an eigenvalue counts as one that does not come: two or three are the rule. */
const mostSweeps = 60;

/**
 * Turns the diagonal into the eigenvalues, in no particular order.
 *
 * @param diagonal - n entries, about 1 in size; become the eigenvalues
 * @param below - entries below the diagonal, the last one 0; overwritten
 * @param rotations - receives what turns the basis into eigenvectors
 * @returns whether all eigenvalues were found, which holds unless an entry is not finite
 */
export const diagonalise = (diagonal: Float64Array, below: Float64Array, rotations: Rotations): boolean => {
  for (let l = 0; l < diagonal.length; l += 1) {
    for (let sweeps = 0; ; sweeps += 1) {
      const m = blockEnd(diagonal, below, l);
      if (m === l) break;
      if (sweeps === mostSweeps) return false;
      const half = (diagonal[l + 1] - diagonal[l]) / (2 * below[l]);
      const root = hypotenuse(half, 1);
      // The difference of the last entry and the shift, the eigenvalue of the leading 2 by 2 block next to entry l.
      let g = diagonal[m] - diagonal[l] + below[l] / (half + (half >= 0 ? root : -root));
      let s = 1;
      let c = 1;
      let shift = 0;
      let i = m - 1;
      for (; i >= l; i -= 1) {
        const f = s * below[i];
        const b = c * below[i];
        const r = hypotenuse(f, g);
        below[i + 1] = r;
        if (r === 0) {
          diagonal[i + 1] -= shift;
          below[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = diagonal[i + 1] - shift;
        const t = (diagonal[i] - g) * s + 2 * c * b;
        shift = s * t;
        diagonal[i + 1] = g + shift;
        g = c * t - b;
        rotations.add(c, s);
      }
      rotations.end({ top: m - 1, count: m - 1 - i });
      if (i >= l) continue;
      diagonal[l] -= shift;
      below[l] = g;
      below[m] = 0;
    }
  }
  return true;
};
