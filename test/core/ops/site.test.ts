import type { Site } from '../../../src/core/ops/site.ts';
import { narrowSite, parametersOfSite } from '../../../src/core/ops/site.ts';

const both = { path: 'l', weight: 'l.weight', bias: 'l.bias' } as const;
const alone = { ...both, bias: null } as const;

const sites: ReadonlyArray<readonly [string, Site]> = [
  ['dense', { kind: 'dense', ...both }],
  ['dense without a bias', { kind: 'dense', ...alone }],
  ['embedding', { kind: 'embedding', ...alone, vocabulary: 4 }],
  ['scaleShift', { kind: 'scaleShift', ...both }],
  ['scaleShift without a shift', { kind: 'scaleShift', ...alone }],
];

const only =
  (...paths: ReadonlyArray<string>) =>
  (path: string): boolean =>
    paths.includes(path);

describe.each(sites)('a site whose parameters are partly held: %s', (_, site) => {
  it('all trained: the site itself', () => {
    expect(narrowSite(site, () => true)).toBe(site);
  });

  it('all held, or the weight alone: no site', () => {
    expect(narrowSite(site, () => false)).toBeNull();
    expect(narrowSite(site, only('l.bias'))).toBeNull();
  });

  it('the bias held: the site without it, otherwise the same', () => {
    expect(narrowSite(site, only('l.weight'))).toEqual({ ...site, bias: null });
  });

  it('law: what is left covers trained parameters only, and the site itself where all are', () => {
    for (const trained of [[], ['l.weight'], ['l.bias'], ['l.weight', 'l.bias']]) {
      const narrowed = narrowSite(site, only(...trained));
      const covered = narrowed === null ? [] : parametersOfSite(narrowed);
      for (const path of covered) expect(trained).toContain(path);
      if (parametersOfSite(site).every((path) => trained.includes(path))) expect(narrowed).toBe(site);
    }
  });
});
