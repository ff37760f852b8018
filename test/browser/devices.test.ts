/**
 * Graphics in a browser: what training holds on to, and what becomes of a program whose device goes away.
 */
import * as E from 'fp-ts/lib/Either.js';
import type { Browser } from 'playwright-core';

import type { KfacError } from '../../src/core/errors.ts';
import { describeError } from '../../src/core/errors.ts';
import { orThrow } from '../support/training.ts';
import type { Order } from './page/orders.ts';
import type { GraphicsMode, Holding, Lost } from './page/training.ts';
import { buildSite, launch, watchedPage, withChromium } from './support/chromium.ts';
import type { Site } from './support/server.ts';
import { serve } from './support/server.ts';

/** What the browser makes for arrays in a mode, and what a program is told when it takes the device away. */
const modes: ReadonlyArray<readonly [mode: GraphicsMode, kind: string, reason: string]> = [
  ['webgl2', 'Texture', 'the WebGL context was lost'],
  ['webgpu', 'GPUBuffer', 'the device was lost'],
];

/** How many steps are to leak nothing: `npm run endurance` asks for more of them. */
const steps = Number(process.env['ENDURANCE_STEPS'] ?? 120);

/** What went wrong, in words; `null` where nothing did. */
const faultOf = (outcome: E.Either<KfacError, unknown>): string | null =>
  E.isLeft(outcome) ? describeError(outcome.left) : null;

withChromium(() => {
  let site: Site;
  beforeAll(async () => {
    site = await serve(buildSite('test/browser/page/vite.config.mjs'), true);
  });
  afterAll(() => site.close());

  describe.each(modes)('on %s', (mode, kind, reason) => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launch(mode);
    });
    afterAll(() => browser.close());

    const ask = async <A>(run: 'runHere' | 'runInWorker', order: Order): Promise<A> => {
      const { page, complaints } = await watchedPage(browser);
      await page.goto(site.address);
      await page.waitForFunction(`document.title === 'ready'`);
      const answered = await page.evaluate<E.Either<KfacError, A>>(`${run}(${JSON.stringify(order)})`);
      await page.close();
      expect(complaints).toEqual([]);
      return orThrow(answered);
    };

    it(`law: no leaks. ${steps} steps of K-FAC hold what sixty hold, in the browser as in the books`, async () => {
      const order: Order = { do: 'hold', mode, steps: [0, 60, steps] };
      // In the first sixty there are steps of every kind, those that are not taken among them.
      const [before, sixty, later] = await ask<ReadonlyArray<Holding>>('runInWorker', order);
      expect(sixty.held[kind]).toBeGreaterThan(before.held[kind]); // kernels, averages, inverses
      expect(sixty.held[kind]).toBeGreaterThan(sixty.usage.arrays);
      expect([later.held, later.usage]).toEqual([sixty.held, sixty.usage]);
    });

    it('settles everything when the device is lost, says so with advice, and can be opened again', async () => {
      const { devices, pending, later, training, again } = await ask<Lost>('runHere', { do: 'lose', mode });
      expect(devices).toBeGreaterThan(0);
      const told = expect.stringMatching(
        new RegExp(
          `^gpu \\(${mode}\\) failed: ${reason}.*\\. Open the backend again and go on from the last checkpoint`,
        ),
      ) as string;
      // A read that was over in time has its numbers.
      expect(pending.map(faultOf).filter((fault) => fault !== null)).toEqual(pending.filter(E.isLeft).map(() => told));
      expect([...later, ...training].map(faultOf)).toEqual([...later, ...training].map(() => told));
      expect([later.length, training.length]).toEqual([pending.length, 2]);
      expect(again).toEqual(E.right(3));
    });
  });
});
