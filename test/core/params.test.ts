import fc from 'fast-check';

import type { Params } from '../../src/core/params.ts';
import { joinPath, leavesOf, mapParams, pickParams, zipParams } from '../../src/core/params.ts';

const path = fc.constantFrom('a', 'b', 'c', 'a.b', 'encoder.0.weight', 'encoder.0.bias', 'scale');
const trees: fc.Arbitrary<Params<number>> = fc
  .uniqueArray(fc.tuple(path, fc.integer()), { selector: ([key]) => key, maxLength: 6 })
  .map((entries) => Object.fromEntries(entries));

describe('paths', () => {
  const segments = fc.array(fc.constantFrom('', 'encoder', '0', 'weight'));

  it('law: joining is associative and the empty segment is its identity', () => {
    fc.assert(
      fc.property(segments, segments, (a, b) => {
        expect(joinPath(joinPath(...a), joinPath(...b))).toBe(joinPath(...a, ...b));
        expect(joinPath('', ...a, '')).toBe(joinPath(...a));
      }),
    );
  });

  it('worked example', () => {
    expect(joinPath('encoder', '', '0', 'weight')).toBe('encoder.0.weight');
    expect(joinPath()).toBe('');
  });
});

describe('trees', () => {
  it('law: functor. map(identity) = identity and map(g ∘ f) = map(g) ∘ map(f), paths in their order', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const [f, g] = [(x: number) => 2 * x, (x: number) => x + 1];
        expect(mapParams(tree, (x) => x)).toEqual(tree);
        expect(mapParams(tree, (x) => g(f(x)))).toEqual(mapParams(mapParams(tree, f), g));
        expect(Object.keys(mapParams(tree, f))).toEqual(Object.keys(tree));
      }),
    );
  });

  it('law: leaves are those of the paths in order, and a function sees each with its path', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        expect(leavesOf(tree)).toEqual(Object.keys(tree).map((key) => tree[key]));
        expect(leavesOf(mapParams(tree, (_, key) => key))).toEqual(Object.keys(tree));
      }),
    );
  });

  it('law: zip. Leaves of both are combined, those of the first alone kept, those of the second alone dropped', () => {
    fc.assert(
      fc.property(trees, trees, (a, b) => {
        const zipped = zipParams(a, b, (x, y, key) => x * 1000 + y + key.length);
        expect(Object.keys(zipped)).toEqual(Object.keys(a));
        for (const key of Object.keys(a)) {
          expect(zipped[key]).toBe(Object.hasOwn(b, key) ? a[key] * 1000 + b[key] + key.length : a[key]);
        }
      }),
    );
  });

  it('law: picking all paths gives the tree, and picking some their leaves', () => {
    fc.assert(
      fc.property(
        trees.chain((tree) => fc.tuple(fc.constant(tree), fc.subarray(Object.keys(tree)))),
        ([tree, some]) => {
          expect(pickParams(tree, Object.keys(tree))).toEqual(tree);
          expect(Object.entries(pickParams(tree, some))).toEqual(some.map((key) => [key, tree[key]]));
        },
      ),
    );
  });

  it('law: purity. Trees are as they were', () => {
    fc.assert(
      fc.property(trees, trees, (a, b) => {
        const [copyA, copyB] = [{ ...a }, { ...b }];
        mapParams(a, (x) => -x);
        zipParams(a, b, (x, y) => x + y);
        expect([a, b]).toEqual([copyA, copyB]);
      }),
    );
  });
});
