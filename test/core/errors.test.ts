import { inspect } from 'node:util';

import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { KfacError } from '../../src/core/errors.ts';
import { attempt, describeError, orRaise, raise } from '../../src/core/errors.ts';

/** One error of every kind, with texts that tell its fields apart. A new kind does not compile without a row. */
const examples: { readonly [Tag in KfacError['_tag']]: Extract<KfacError, { readonly _tag: Tag }> } = {
  ShapeMismatch: { _tag: 'ShapeMismatch', where: 'matmul', expected: 'two matrices', actual: '[3] and [3]' },
  NonFinite: { _tag: 'NonFinite', where: 'backward', what: 'the gradient of encoder.0', advice: 'Lower the rate.' },
  NotPositiveDefinite: { _tag: 'NotPositiveDefinite', where: 'decoder.1', order: 17, damping: 0.003 },
  BackendUnavailable: {
    _tag: 'BackendUnavailable',
    backend: 'native',
    reason: 'no BLAS was found',
    advice: 'Install OpenBLAS.',
  },
  DeviceFailed: { _tag: 'DeviceFailed', where: 'gpu (webgpu), read', reason: 'it is lost', advice: 'Start again.' },
  BadConfig: { _tag: 'BadConfig', path: 'optimizer.damping', expected: 'a number', actual: 'a text' },
  BadData: {
    _tag: 'BadData',
    source: 'train-images',
    expected: '60000 images',
    actual: '12 images',
    advice: 'Fetch the file again.',
  },
  BadCheckpoint: { _tag: 'BadCheckpoint', source: 'run/state.bin', expected: 'version 1', actual: 'version 7' },
  CollectiveFailed: { _tag: 'CollectiveFailed', operation: 'allReduce', rank: 2, code: 15, reason: 'rank 3 is gone' },
  FileFailed: { _tag: 'FileFailed', path: 'run/log.csv', operation: 'write', reason: 'the disk is full' },
  CallbackFailed: { _tag: 'CallbackFailed', what: 'listener 2, told of step 7', reason: 'no space is left' },
  NotDrawn: { _tag: 'NotDrawn', what: 'loss figure', reason: 'no vega', advice: 'Install vega.' },
};

const anyError = fc.constantFrom(...Object.values(examples));

describe('describeError', () => {
  it.each(Object.entries(examples))('says everything that %s knows, as sentences', (_, error) => {
    const text = describeError(error);
    const fields = Object.entries(error).filter(([name]) => name !== '_tag');
    expect(fields.filter(([, value]) => !text.includes(String(value)))).toEqual([]);
    expect(text).toMatch(/^\S.*\.$/s);
    expect(text).not.toMatch(/undefined|\.\.|\n/);
  });

  it('leaves out the damping where there was none', () => {
    expect(describeError({ _tag: 'NotPositiveDefinite', where: 'cholesky', order: 2 })).toBe(
      'cholesky: not positive definite at order 2. Raise the damping.',
    );
  });

  it('worked example: where, what was expected, what came', () => {
    expect(describeError(examples.BadConfig)).toBe('optimizer.damping: expected a number, got a text.');
    expect(describeError(examples.FileFailed)).toBe('Cannot write run/log.csv: the disk is full.');
  });
});

describe('raise and attempt', () => {
  it('where nobody catches it, the sentence is printed and the data are not', () => {
    const thrown = E.tryCatch(
      () => raise(examples.ShapeMismatch),
      (error) => error,
    );
    expect(inspect(E.isLeft(thrown) ? thrown.left : null)).toContain(
      'Error: matmul: expected two matrices, got [3] and [3].',
    );
    expect(inspect(E.isLeft(thrown) ? thrown.left : null)).not.toContain('kfacError');
  });

  it('law: round trip. attempt(raise(e)) = Left(e)', () => {
    fc.assert(
      fc.property(anyError, (error) => {
        const result = attempt(() => raise(error));
        expect(result).toEqual(E.left(error));
        expect(E.isLeft(result) && result.left).toBe(error);
      }),
    );
  });

  it('law: a value passes through. attempt(() => a) = Right(a)', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(attempt(() => value)).toEqual(E.right(value));
      }),
    );
  });

  it('law: what was thrown by others goes on, the same thing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.constant(new TypeError('foreign'))), (thrown) => {
        const caught: Array<unknown> = [];
        try {
          attempt(() => {
            throw thrown;
          });
        } catch (e) {
          caught.push(e);
        }
        expect(caught).toHaveLength(1);
        expect(Object.is(caught[0], thrown)).toBe(true);
      }),
    );
  });

  it('law: the innermost attempt gets it', () => {
    fc.assert(
      fc.property(anyError, (error) => {
        expect(attempt(() => attempt(() => raise(error)))).toEqual(E.right(E.left(error)));
      }),
    );
  });

  it('is an Error that reads as its sentence where nobody attempts', () => {
    expect(() => raise(examples.ShapeMismatch)).toThrow(new Error('matmul: expected two matrices, got [3] and [3].'));
  });
});

describe('orRaise', () => {
  it('law: undoes attempt, and attempt undoes it', () => {
    fc.assert(
      fc.property(anyError, fc.anything(), (error, value) => {
        expect(attempt(() => orRaise(E.left(error)))).toEqual(E.left(error));
        expect(orRaise(attempt(() => value))).toBe(value);
      }),
    );
  });

  it('ends a script with the sentence of the error', () => {
    expect(() => orRaise(E.left(examples.ShapeMismatch))).toThrow('matmul: expected two matrices, got [3] and [3].');
  });
});
