/**
 * K-FAC in TensorFlow.js on its WebGL backend, in Chromium. Needs `npm run build` first, as `npm test` does.
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

import type { Browser, Page } from 'playwright-core';

import { launch, watchedPage, withChromium } from './support/chromium.ts';

interface Trained {
  readonly backend: string;
  readonly losses: ReadonlyArray<number>;
  readonly weights: ReadonlyArray<number>;
  readonly tensors: readonly [number, number];
  readonly differences: ReadonlyArray<string>;
}

/** The program of the page, as a user's bundler would make it. */
const program = (): string => {
  const args = [resolve('test/browser/support/bundle.mjs'), 'test/browser/support/tfjs.mjs'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  expect([status, stderr]).toEqual([0, '']);
  return (JSON.parse(stdout) as { readonly code: string }).code;
};

describe('K-FAC in TensorFlow.js in a page', () => {
  withChromium(() => {
    let browser: Browser;
    let page: Page;
    let complaints: ReadonlyArray<string>;

    beforeAll(async () => {
      browser = await launch('webgl2');
      ({ page, complaints } = await watchedPage(browser));
      await page.addScriptTag({ type: 'module', content: program() });
      await page.waitForFunction('globalThis.trainedBy !== undefined');
    });

    afterAll(() => browser.close());

    const trained = (backend: string, steps: number, more: number, nudge = 0): Promise<Trained> =>
      page.evaluate<Trained>(`trainedBy(${JSON.stringify(backend)}, ${steps}, ${more}, ${nudge})`);

    it('takes on WebGL the steps that it takes on the processor, as far as 32 bits tell, and holds as many tensors after 200 steps', async () => {
      const cpu = await trained('cpu', 3, 0);
      const webgl = await trained('webgl', 3, 200);
      expect([cpu.backend, webgl.backend]).toEqual(['cpu', 'webgl']);
      const apart = ({ weights }: Trained): number =>
        Math.max(...weights.map((weight, i) => Math.abs(weight - cpu.weights[i])));
      expect(webgl.weights.length).toBe(cpu.weights.length);
      // What a last bit of the inputs does to the same steps: as much as that, numbers of 32 bits leave open.
      const nudged = [await trained('cpu', 3, 0, 2 ** -23), await trained('cpu', 3, 0, -(2 ** -23))].map(apart);
      expect(Math.max(...nudged)).toBeLessThan(1e-4);
      expect(apart(webgl)).toBeLessThan(4 * Math.max(...nudged));
      expect(cpu.losses[2]).toBeLessThan(cpu.losses[0] - 0.05);
      expect(webgl.tensors[1]).toBe(webgl.tensors[0]);
      expect(webgl.differences).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });
});
