import * as E from 'fp-ts/lib/Either.js';

import { describeError } from '../../../src/core/errors.ts';
import { drawing } from '../../../src/pipelines/reports/packages.ts';
import { errorOf } from '../support.ts';

describe('drawing', () => {
  it('a package that is missing is a KfacError that says how to get it', async () => {
    const missing = Object.assign(new Error("Cannot find package 'vega'"), { code: 'ERR_MODULE_NOT_FOUND' });
    const error = errorOf(await drawing('loss figure', () => Promise.reject(missing))());
    expect(error).toEqual({
      _tag: 'NotDrawn',
      what: 'loss figure',
      reason: "Cannot find package 'vega'",
      advice: 'Figures need packages of their own: npm install vega vega-lite @resvg/resvg-js dejavu-fonts-ttf.',
    });
    expect(describeError(error)).toMatch(/^loss figure not drawn: Cannot find package 'vega'\. Figures need/);
  });

  it('whatever else a package throws is one too', async () => {
    const outcome = await drawing('grid', () => Promise.reject(new Error('no glyph')))();
    expect(outcome).toEqual(
      E.left({ _tag: 'NotDrawn', what: 'grid', reason: 'no glyph', advice: 'The numbers are in the report.' }),
    );
  });
});
