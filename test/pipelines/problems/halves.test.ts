import { createHash } from 'node:crypto';

import fc from 'fast-check';

import { halves, halvesOf, problemsOf } from '../../../src/pipelines/problems/halves.ts';
import { problems } from '../../../src/pipelines/problems/suite.ts';

const names = problems.map(({ name }) => name);

describe('the halves of the suite', () => {
  it('are the ones that were committed before anything was tuned', () => {
    const tuned = Object.keys(halves).filter((name) => halves[name] === 'tune');
    expect(tuned.sort()).toEqual([
      'bag-of-words',
      'digits',
      'digits-in-bytes',
      'grey-answers',
      'iris-kinds',
      'iris-petals',
      'linear-ill-conditioned',
      'linear-raw-units',
      'linear-regression',
      'logistic-rare',
      'logistic-regression',
      'rare-classes',
      'raw-answers',
      'rings-mislabelled',
      'sentence-answers',
      'sine',
      'soft-targets',
      'tags',
      'twelve-questions',
      'twenty-blobs',
    ]);
  });

  it('have every problem once, and as many each', () => {
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(halves).sort()).toEqual([...names].sort());
    expect(problemsOf('tune')).toHaveLength(names.length / 2);
    expect(problemsOf('report')).toHaveLength(names.length / 2);
    expect(problemsOf('all')).toEqual(problems);
  });

  it('law: halves depend on the set of names and on nothing else', () => {
    const list = fc.uniqueArray(fc.string(), { maxLength: 12 });
    fc.assert(
      fc.property(list, (some) => {
        expect(halvesOf([...some].reverse())).toEqual(halvesOf(some));
        const tuned = Object.values(halvesOf(some)).filter((half) => half === 'tune');
        expect(tuned).toHaveLength(Math.ceil(some.length / 2));
      }),
    );
  });

  it('are dealt in the order of SHA-256', () => {
    const hash = (name: string): string => createHash('sha256').update(name).digest('hex');
    const [first, second] = [...names].sort((a, b) => (hash(a) < hash(b) ? -1 : 1));
    expect([halves[first], halves[second]]).toEqual(['tune', 'report']);
  });
});
