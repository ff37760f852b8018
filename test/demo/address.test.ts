import fc from 'fast-check';

import { setupOfQuery } from '../../demo/src/address.ts';
import { defaultSetup, paces, places, secondOrder, suggested } from '../../demo/src/setup.ts';
import { initial, reduce } from '../../demo/src/state.ts';

describe('a setup from an address', () => {
  it('takes what it knows, with the settings that follow from task and method', () => {
    const { setup, refused } = setupOfQuery(
      '?task=mnist-classifier&preset=ekfac&batch=64&pace=steps&backend=webasm&seed=0&damping=0.2&inverseEvery=9',
      defaultSetup,
    );
    expect(refused).toEqual([]);
    expect(setup).toEqual({
      ...defaultSetup,
      ...suggested('mnist-classifier', 'ekfac'),
      task: 'mnist-classifier',
      preset: 'ekfac',
      batch: 64,
      pace: 'steps',
      place: 'webasm',
      seed: 0,
      damping: 0.2,
      inverseEvery: 9,
    });
    expect(setupOfQuery('', defaultSetup)).toEqual({ setup: defaultSetup, refused: [] });
  });

  it.each([
    [
      'task=chess',
      'task: expected one of mnist-autoencoder, mnist-classifier, fashion-classifier, language-model, gan-ring, gan-mnist, translation, got "chess".',
    ],
    ['batch=-1', 'batch: expected a whole number of at least 1, got "-1".'],
    ['batch=2.5', 'batch: expected a whole number of at least 1, got "2.5".'],
    ['batch=0x10', 'batch: expected a whole number of at least 1, got "0x10".'],
    ['batch=', 'batch: expected a whole number of at least 1, got "".'],
    ['batch=1e300', 'batch: expected a whole number of at least 1, got "1e300".'],
    ['seed=x', 'seed: expected a whole number of at least 0, got "x".'],
    ['threads=0', 'threads: expected a whole number of at least 1, got "0".'],
    ['damping=0', 'damping: expected a number above 0, got "0".'],
    ['damping=Infinity', 'damping: expected a number above 0, got "Infinity".'],
    ['statisticsEvery=0.5', 'statisticsEvery: expected a whole number of at least 1, got "0.5".'],
    ['inverseEvery=NaN', 'inverseEvery: expected a whole number of at least 1, got "NaN".'],
    ['backend=abacus', `backend: expected one of ${places.join(', ')}, got "abacus".`],
    ['pace=1', `pace: expected one of ${paces.join(', ')}, got "1".`],
    ['preset=adam', `preset: expected one of ${secondOrder.join(', ')}, got "adam".`],
    ['seed=1&seed=2', 'seed: expected one value, got "1" and "2".'],
    ['btach=1', /^setting: expected one of task, preset, .*, got "btach"\.$/],
    [`task=${'x'.repeat(500)}`, new RegExp(`, got "${'x'.repeat(40)}…"\\.$`)],
    ['__proto__=1&toString=2', /got "__proto__"\. In the address, setting: expected .*, got "toString"\.$/],
  ])('refuses %s in words, and leaves the setting as it was', (query, sentence) => {
    const { setup, refused } = setupOfQuery(`?${query}`, defaultSetup);
    expect(setup).toEqual(defaultSetup);
    const said = refused.join(' ');
    expect(said.startsWith('In the address, ')).toBe(true);
    expect(said.slice('In the address, '.length)).toMatch(
      sentence instanceof RegExp ? sentence : new RegExp(`^${sentence.replaceAll('.', '\\.')}$`),
    );
    expect(initial(setup, true, refused).failure).toBe(said);
    expect(reduce(initial(setup, true, refused), { type: 'started', now: 0 }).failure).toBeNull();
  });

  it('says everything that it refuses, and takes the rest', () => {
    const { setup, refused } = setupOfQuery('?batch=x&seed=7&pace=slow', defaultSetup);
    expect(refused).toHaveLength(2);
    expect(setup).toEqual({ ...defaultSetup, seed: 7 });
  });

  it('law: whatever the address, a setup that can be shown, and a sentence for whatever is not in it', () => {
    const names = ['task', 'preset', 'backend', 'pace', 'batch', 'threads', 'seed', 'damping', 'inverseEvery', 'other'];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), fc.string()), (settings) => {
        const { setup, refused } = setupOfQuery(`?${new URLSearchParams(settings).toString()}`, defaultSetup);
        const taken = Object.values(settings).filter((text) =>
          Object.values(setup).some((x) => String(x) === text.trim() || Number(text) === x),
        );
        expect(refused.length).toBeGreaterThanOrEqual(Object.keys(settings).length - taken.length);
        expect(setup.batch >= 1 && setup.damping > 0 && setup.threads >= 1).toBe(true);
      }),
    );
  });
});
