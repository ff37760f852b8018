/**
 * The interpreters that run in a browser, in a browser: the suite that every backend passes, and steps of K-FAC next to
 * those of the reference.
 */
import type * as E from 'fp-ts/lib/Either.js';
import type { Browser } from 'playwright-core';

import type { KfacError } from '../../src/core/errors.ts';
import { orThrow } from '../support/training.ts';
import type { Order } from './page/orders.ts';
import type { Answer, Request } from './page/runner.ts';
import type { Graphics } from './support/chromium.ts';
import { buildSite, launch, watchedPage, withChromium } from './support/chromium.ts';
import { serve } from './support/server.ts';

interface Place {
  readonly name: string;
  readonly graphics: Graphics;
  /** Whether the page is isolated from other origins. */
  readonly isolated: boolean;
  readonly run: 'runHere' | 'runInWorker';
  readonly request: Request;
}

const places: ReadonlyArray<Place> = [
  {
    name: 'WebAssembly in a worker of an isolated page',
    graphics: 'none',
    isolated: true,
    run: 'runInWorker',
    request: { options: { gpuMode: 'webasm' }, runs: 25, steps: 20 },
  },
  {
    name: 'WebAssembly in an isolated page',
    graphics: 'none',
    isolated: true,
    run: 'runHere',
    request: { options: { gpuMode: 'webasm' }, runs: 1, steps: 3 },
  },
  {
    name: 'WebAssembly in a page that is not isolated',
    graphics: 'none',
    isolated: false,
    run: 'runHere',
    request: { options: { gpuMode: 'webasm' }, runs: 5, steps: 3 },
  },
  {
    name: 'portable in an isolated page',
    graphics: 'none',
    isolated: true,
    run: 'runHere',
    request: { options: { backend: 'portable' }, runs: 1, steps: 3 },
  },
  {
    name: 'portable in a page that is not isolated',
    graphics: 'none',
    isolated: false,
    run: 'runInWorker',
    request: { options: { backend: 'portable' }, runs: 5, steps: 3 },
  },
  {
    name: 'WebGL 2 on a rasteriser',
    graphics: 'webgl2',
    isolated: true,
    run: 'runInWorker',
    request: { options: { gpuMode: 'webgl2' }, runs: 3, steps: 20 },
  },
  {
    name: 'WebGPU on a rasteriser',
    graphics: 'webgpu',
    isolated: true,
    run: 'runInWorker',
    request: { options: { gpuMode: 'webgpu' }, runs: 3, steps: 20 },
  },
  {
    name: 'what is chosen where there is no graphics adapter',
    graphics: 'none',
    isolated: true,
    run: 'runInWorker',
    request: { options: {}, runs: 1, steps: 3 },
  },
];

/** Single precision: sums of some hundred terms, carried through inverses of well damped factors. */
const closeness = 1e-4;

withChromium(() => {
  let folder: string;
  beforeAll(() => {
    folder = buildSite('test/browser/page/vite.config.mjs');
  });

  const ask = async (browser: Browser, { isolated, run, request }: Place): Promise<E.Either<KfacError, Answer>> => {
    const site = await serve(folder, isolated);
    const { page, complaints } = await watchedPage(browser);
    await page.goto(site.address);
    await page.waitForFunction(`document.title === 'ready'`);
    const order: Order = { do: 'conform', request };
    const answered = await page.evaluate<E.Either<KfacError, Answer>>(`${run}(${JSON.stringify(order)})`);
    await page.close();
    await site.close();
    expect(complaints).toEqual([]);
    return answered;
  };

  describe.each(places)('$name', (place) => {
    let answered: Answer;
    beforeAll(async () => {
      const browser = await launch(place.graphics);
      answered = orThrow(await ask(browser, place));
      await browser.close();
    });

    it('passes the suite of all backends', () => {
      expect(answered.tests.length).toBeGreaterThan(150);
      expect(answered.tests.filter(({ fault }) => fault !== null)).toEqual([]);
    });

    it('trains as the reference does', () => {
      const { losses, params, course } = orThrow(answered.departure);
      expect(course[1]).toBeLessThan(course[0]);
      expect(losses).toBeLessThan(closeness);
      expect(params).toBeLessThan(closeness);
    });

    it('multiplies on threads where memory can be shared, and says so where it cannot', () => {
      const { threads, warnings, agree } = answered.products;
      expect([threads, agree]).toEqual([place.isolated ? 3 : 1, true]);
      expect(warnings).toEqual(place.isolated ? [] : [expect.stringContaining('not isolated across origins')]);
    });

    it('runs where it says', () => {
      expect(answered.isolated).toBe(place.isolated);
      const { gpuMode } = place.request.options;
      expect(answered.report.backend).toBe(gpuMode === undefined ? 'portable' : 'gpu');
      expect(answered.report.gpu?.mode).toBe(gpuMode);
      if (gpuMode === undefined) expect(answered.report.library).toContain('fused multiply-add');
    });

    it('warns of what somebody could change, and not of a native backend, which no page can have', () => {
      const expected = [
        ...(place.graphics === 'none' ? [] : ['is a program, not graphics hardware']),
        ...(place.isolated ? [] : ['not isolated across origins']),
      ];
      const { warnings } = answered.report;
      expect(warnings).toEqual(expected.map((part) => expect.stringContaining(part) as string));
    });
  });
});
