/**
 * How a value uses the parameters that it depends on, as far as no site has accounted for them.
 *
 * What a site records says all of a parameter's cotangent only where the parameter meets data once on its way to the site
 * (in a product, a look-up, a sum) and is moved or added to otherwise, and where no other way leads past the site. The way of
 * each parameter is followed from the parameter on, operation by operation, without looking at a number. What it met and
 * where its elements lie afterwards is taken on the site's word.
 *
 * @module
 */

/** The parameter's own elements, moved perhaps; what they became by meeting data once; or anything else. */
export type Use = 'whole' | 'met' | 'bent';

/** What an operation does to a use of an operand. */
export type Step = keyof typeof after;

/** Uses by name. */
export type Uses = ReadonlyMap<string, Use>;

const after = {
  /** Elements change places. */
  moves: { whole: 'whole', met: 'met', bent: 'bent' },
  /** Something is added, or rows are looked up. */
  adds: { whole: 'met', met: 'met', bent: 'bent' },
  /** A product. */
  meets: { whole: 'met', met: 'bent', bent: 'bent' },
  /** Elements are summed. */
  sums: { whole: 'bent', met: 'met', bent: 'bent' },
  /** Anything else. */
  bends: { whole: 'bent', met: 'bent', bent: 'bent' },
} as const satisfies Record<string, Record<Use, Use>>;

/** No use of anything. */
export const unused: Uses = new Map();

/** A use of a parameter itself. */
export const used = (name: string): Uses => new Map([[name, 'whole']]);

/** The uses in a result. What two operands use is bent, unless the result holds them side by side. */
const joined = (all: ReadonlyArray<Uses>, apart: boolean): Uses => {
  const result = new Map<string, Use>();
  for (const uses of all) {
    for (const [name, use] of uses) {
      const other = result.get(name);
      result.set(name, other === undefined || (apart && other === use) ? use : 'bent');
    }
  }
  return result;
};

/**
 * The uses in an operation's result.
 *
 * @param operands - uses in the operands
 * @param steps - what the operation does to each, or to all
 * @param apart - whether the result holds the operands side by side
 */
export const usesAfter = (operands: ReadonlyArray<Uses>, steps: Step | ReadonlyArray<Step>, apart = false): Uses => {
  if (operands.every(({ size }) => size === 0)) return unused;
  const stepped = operands.map((uses, i): Uses => {
    const step = after[typeof steps === 'string' ? steps : steps[i]];
    return new Map([...uses].map(([name, use]) => [name, step[use]]));
  });
  return stepped.length === 1 ? stepped[0] : joined(stepped, apart);
};

/**
 * The uses that a site leaves open: those of other parameters, and those that are not what it says.
 *
 * @param uses - uses in the output of the site
 * @param parameters - the parameters of the site
 */
export const usesPast = (uses: Uses, parameters: ReadonlyArray<string>): Uses => {
  const open = [...uses].filter(([name, use]) => use !== 'met' || !parameters.includes(name));
  return open.length === 0 ? unused : new Map(open);
};
