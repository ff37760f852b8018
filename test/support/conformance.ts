/**
 * What every backend must satisfy: it computes what the reference computes, refuses what does not fit, and keeps its
 * hands off what it was given.
 *
 * A new backend joins with one call; see `test/core/backends/conformance.test.ts`.
 *
 * @module
 */
import fc from 'fast-check';
import type * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../src/core/backends/backend.ts';
import type { KfacError } from '../../src/core/errors.ts';
import type { Shaped } from '../../src/core/tensor.ts';
import { arithmeticCases } from './conformance/arithmetic.ts';
import { convolutionCases } from './conformance/convolutions.ts';
import { elementwiseCases } from './conformance/elementwise.ts';
import { linearAlgebraLaws } from './conformance/linearAlgebra.ts';
import { partialPrimitives, refusalOfMisfits, totalPrimitives } from './conformance/mismatches.ts';
import { movementCases } from './conformance/movement.ts';
import { productCases } from './conformance/products.ts';
import { reductionCases } from './conformance/reductions.ts';
import { scopeLaws } from './conformance/scopes.ts';
import { propagationOfSpecialValues, unarySpecialValues } from './conformance/specialValues.ts';
import type { Case, Tolerance } from './conformance/trial.ts';
import { epsilonOf, expectAgreement } from './conformance/trial.ts';
import { orThrow } from './training.ts';

/** Every operation with operands drawn for it. */
export const conformanceCases: ReadonlyArray<Case> = [
  ...productCases,
  ...elementwiseCases,
  ...reductionCases,
  ...movementCases,
  ...arithmeticCases,
  ...convolutionCases,
];

/** Error of elementary functions in epsilons, unless a backend says otherwise. */
const ELEMENTARY = 4;

const operationsOf = (table: ReadonlyArray<Case>): ReadonlyArray<Case['operation']> => [
  ...new Set(table.map(({ operation }) => operation)),
];

/** How a backend is measured. */
export interface ConformanceOptions {
  /** What it may differ by from the reference; by default that of its precision. */
  readonly tolerance?: Partial<Tolerance>;
  /** Cases of each property, where the usual number would take too long. */
  readonly runs?: number;
}

/** Runs the tests of a block with fewer cases of each property. */
const withRuns = (runs: number | undefined): void => {
  if (runs === undefined) return;
  const usual = fc.readConfigureGlobal();
  beforeAll(() => fc.configureGlobal({ ...usual, numRuns: Math.min(runs, usual.numRuns ?? runs) }));
  afterAll(() => fc.configureGlobal(usual));
};

/**
 * Describes a backend that is opened when its tests begin.
 *
 * @param name - shown in the report
 * @param dtype - precision of its floats
 * @param open - opens the backend; a `Left` fails the tests
 * @param options - tolerance and number of cases
 */
export const conformanceOnOpening = <T extends Shaped>(
  name: string,
  dtype: 'f32' | 'f64',
  open: TE.TaskEither<KfacError, Backend<T>>,
  { tolerance = {}, runs }: ConformanceOptions = {},
): void => {
  describe(name, () => {
    let opened: Backend<T> | undefined;
    const subject = (): Backend<T> => {
      if (opened === undefined) throw new Error('the backend is not open yet');
      return opened;
    };
    const allowed: Tolerance = { epsilon: epsilonOf[dtype], elementary: ELEMENTARY, ...tolerance };
    withRuns(runs);
    beforeAll(async () => {
      opened = orThrow(await open());
    });
    afterAll(async () => {
      orThrow(await subject().dispose());
    });

    it('is measured on every operation of the array language', () => {
      const backend = subject();
      expect(backend.dtype).toBe(dtype);
      expect([...operationsOf(conformanceCases)].sort()).toEqual(Object.keys(backend.ops).sort());
      const primitives = [...partialPrimitives, ...totalPrimitives];
      expect(primitives.filter((operation) => !(operation in backend.ops))).toEqual([]);
    });

    describe('law: agreement with the reference, element by element', () => {
      for (const operation of operationsOf(conformanceCases)) {
        it(operation, async () => {
          for (const table of conformanceCases.filter((c) => c.operation === operation)) {
            await expectAgreement(subject(), allowed, table);
          }
        });
      }
    });

    describe('special values', () => {
      unarySpecialValues(subject, allowed);
      propagationOfSpecialValues(subject, allowed);
    });

    describe('shapes that do not fit', () => {
      refusalOfMisfits(subject);
    });

    describe('scopes', () => {
      scopeLaws(subject);
    });

    describe('linear algebra', () => {
      linearAlgebraLaws(subject, dtype, allowed);
    });

    it('reports what it is', () => {
      const report = subject().report();
      expect(report.backend).not.toBe('');
      expect(report.library).not.toBe('');
      expect(report.threads).toBeGreaterThanOrEqual(1);
    });
  });
};

/**
 * Describes a backend.
 *
 * @param name - shown in the report
 * @param make - makes the backend; `Left` where this machine cannot have it, which a caller must deal with
 * @param tolerance - what it may differ by from the reference; by default that of its precision
 */
export const conformance = <T extends Shaped>(
  name: string,
  make: () => E.Either<KfacError, Backend<T>>,
  tolerance: Partial<Tolerance> = {},
): void => {
  const backend = orThrow(make());
  conformanceOnOpening(name, backend.dtype, TE.right(backend), { tolerance });
};
