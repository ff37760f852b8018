/**
 * Losses at points where their values are known to 50 digits.
 *
 * An error is measured by the magnitudes of the terms that a result is made of, written without terms that cancel for
 * themselves: a loss of 10⁻¹⁷ is to be one of 10⁻¹⁷, not 0.
 *
 * @module
 */
import { readFileSync } from 'node:fs';

import type { Loss } from '../../../../src/core/nn/losses/loss.ts';
import { sigmoidCrossEntropy } from '../../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { poisson } from '../../../../src/core/nn/losses/poisson.ts';
import { sigmoidCrossEntropyWith } from '../../../../src/core/nn/losses/sigmoidCrossEntropyWith.ts';
import { softmaxCrossEntropyWith } from '../../../../src/core/nn/losses/softmaxCrossEntropyWith.ts';
import { squaredError } from '../../../../src/core/nn/losses/squaredError.ts';
import type { Ops } from '../../../../src/core/ops/ops.ts';
import type { Shaped, Tensor } from '../../../../src/core/tensor.ts';
import { tensor } from '../../../../src/core/tensor.ts';

/** JSON has no infinities. */
type Stored = number | 'Infinity' | '-Infinity';

type Row = ReadonlyArray<Stored>;

interface Measured {
  readonly values: Row;
  readonly magnitudes: ReadonlyArray<number>;
}

interface SoftmaxRow {
  readonly label: string;
  readonly outputs: Row;
  readonly v: Row;
  readonly judged: ReadonlyArray<{ readonly targets: Row; readonly value: Stored; readonly gradient: Measured }>;
  readonly hessianProduct: Measured;
  readonly squareRoot: Measured;
}

type SigmoidColumn = 'outputs' | 'targets' | 'v' | 'value' | 'gradient' | 'gradientMagnitude';

type SigmoidColumns = Readonly<Record<SigmoidColumn | 'hessianProduct' | 'squareRoot', Row>>;

interface Fixture {
  readonly softmaxCrossEntropy: ReadonlyArray<SoftmaxRow>;
  /** With weights ½, 2 and 3 of classes, and an eighth of each label spread over all. */
  readonly softmaxCrossEntropyWith: ReadonlyArray<SoftmaxRow>;
  /** With a weight of 5 for positives. */
  readonly sigmoidCrossEntropyWith: SigmoidColumns;
  readonly poisson: SigmoidColumns & Readonly<Record<'valueMagnitude', Row>>;
  readonly sigmoidCrossEntropy: SigmoidColumns;
  readonly squaredError: Readonly<Record<'outputs' | 'targets' | 'value' | 'gradient', Row>>;
}

/** One function of a loss at a batch of points, and what it gives there. */
export interface Sample {
  readonly name: string;
  readonly operands: ReadonlyArray<Tensor>;
  readonly run: <T extends Shaped>(ops: Ops<T>, operands: ReadonlyArray<T>) => T;
  readonly expected: ReadonlyArray<number>;
  readonly magnitudes: ReadonlyArray<number>;
  /** What an element of the result is of. */
  readonly labelOf: (position: number) => string;
}

const fixture = JSON.parse(readFileSync('test/fixtures/losses/losses.json', 'utf8')) as Fixture;

const matrix = (rows: ReadonlyArray<Row>): Tensor => tensor(rows.flat().map(Number), [rows.length, rows[0].length]);

/** The four functions of a loss, of outputs and a second array. */
const functions = {
  value:
    (loss: Loss): Sample['run'] =>
    (ops, [outputs, targets]) =>
      loss.value(ops, outputs, targets),
  gradient:
    (loss: Loss): Sample['run'] =>
    (ops, [outputs, targets]) =>
      loss.gradient(ops, outputs, targets),
  hessianProduct:
    (loss: Loss): Sample['run'] =>
    (ops, [outputs, v]) =>
      loss.hessianProduct(ops, outputs, v),
  squareRoot:
    (loss: Loss): Sample['run'] =>
    (ops, [outputs, z]) =>
      loss.squareRoot(ops, outputs)(z),
};

const sampleOf = (
  loss: Loss,
  what: keyof typeof functions,
  operands: ReadonlyArray<Tensor>,
  expected: ReadonlyArray<Measured>,
  labels: ReadonlyArray<string>,
  kind = '',
): Sample => {
  const each = expected[0].values.length;
  return {
    name: `${loss.name}, ${what}${kind}, ${operands[0].shape.join(' × ')}`,
    operands,
    run: functions[what](loss),
    expected: expected.flatMap(({ values }) => values.map(Number)),
    magnitudes: expected.flatMap(({ magnitudes }) => magnitudes),
    labelOf: (position) => `${labels[Math.floor(position / each)]} [${position % each}]`,
  };
};

/** Relative to itself. */
const itself = (values: Row): Measured => ({ values, magnitudes: values.map((x) => Math.abs(Number(x))) });

const isOneHot = (targets: Row): boolean =>
  targets.filter((y) => y === 1).length === 1 && targets.filter((y) => y === 0).length === targets.length - 1;

/** Rows of one length as a batch: targets as probabilities, and as indices where they are one class. */
const softmaxSamples = (
  rows: ReadonlyArray<SoftmaxRow>,
  loss: Loss = softmaxCrossEntropy,
  more = '',
): ReadonlyArray<Sample> => {
  const labels = rows.map(({ label }) => label);
  const outputs = matrix(rows.map((row) => row.outputs));
  const v = matrix(rows.map((row) => row.v));
  const judged = rows.flatMap(({ label, outputs: logits, judged: all }) =>
    all.map((each) => ({ ...each, logits, label: `${label}, targets ${each.targets.slice(0, 10).join(' ')}` })),
  );
  const judgedSamples = (asClasses: boolean): ReadonlyArray<Sample> => {
    const chosen = judged.filter(({ targets }) => !asClasses || isOneHot(targets));
    if (chosen.length === 0) return [];
    const targets = asClasses
      ? tensor(
          chosen.map((each) => each.targets.indexOf(1)),
          [chosen.length],
          'i32',
        )
      : matrix(chosen.map((each) => each.targets));
    const operands = [matrix(chosen.map(({ logits }) => logits)), targets];
    const names = chosen.map(({ label }) => label);
    const kind = `${asClasses ? ' of classes' : ' of probabilities'}${more}`;
    return [
      sampleOf(
        loss,
        'value',
        operands,
        chosen.map(({ value }) => itself([value])),
        names,
        kind,
      ),
      sampleOf(
        loss,
        'gradient',
        operands,
        chosen.map(({ gradient }) => gradient),
        names,
        kind,
      ),
    ];
  };
  return [
    ...judgedSamples(true),
    ...judgedSamples(false),
    ...(['hessianProduct', 'squareRoot'] as const).map((what) =>
      sampleOf(
        loss,
        what,
        [outputs, v],
        rows.map((row) => row[what]),
        labels,
        more,
      ),
    ),
  ];
};

const sigmoidSamples = (
  loss: Loss,
  { outputs, targets, v, ...results }: SigmoidColumns & Partial<Record<'valueMagnitude', Row>>,
  more = '',
): ReadonlyArray<Sample> => {
  const column = (xs: Row): Tensor => matrix(xs.map((x) => [x]));
  const labels = outputs.map((o, i) => `logit ${o}, target ${targets[i]}, v ${v[i]}`);
  const { gradientMagnitude, valueMagnitude = results.value } = results;
  const sample = (what: keyof typeof functions, second: Row, magnitudes: Row = results[what]): Sample =>
    sampleOf(
      loss,
      what,
      [column(outputs), column(second)],
      results[what].map((x, i) => ({ values: [x], magnitudes: [Math.abs(Number(magnitudes[i]))] })),
      labels,
      more,
    );
  return [
    sample('value', targets, valueMagnitude),
    sample('gradient', targets, gradientMagnitude),
    sample('hessianProduct', v),
    sample('squareRoot', v),
  ];
};

const squaredSamples = (): ReadonlyArray<Sample> => {
  const { outputs, targets, ...results } = fixture.squaredError;
  const operands = [outputs, targets].map((xs) => matrix(xs.map((x) => [x])));
  return (['value', 'gradient'] as const).map((what) =>
    sampleOf(
      squaredError,
      what,
      operands,
      results[what].map((x) => itself([x])),
      outputs.map((o, i) => `output ${o}, target ${targets[i]}`),
    ),
  );
};

/** All points, in batches of one shape. */
export const samples = (): ReadonlyArray<Sample> => {
  const rows = fixture.softmaxCrossEntropy;
  const widths = [...new Set(rows.map(({ outputs }) => outputs.length))];
  return [
    ...widths.flatMap((width) => softmaxSamples(rows.filter(({ outputs }) => outputs.length === width))),
    ...softmaxSamples(
      fixture.softmaxCrossEntropyWith,
      softmaxCrossEntropyWith({ classWeights: [0.5, 2, 3], smoothing: 1 / 8 }),
      ', with weights and smoothing',
    ),
    ...sigmoidSamples(sigmoidCrossEntropy, fixture.sigmoidCrossEntropy),
    ...sigmoidSamples(
      sigmoidCrossEntropyWith({ positiveWeight: 5 }),
      fixture.sigmoidCrossEntropyWith,
      ', with a weight for positives',
    ),
    ...sigmoidSamples(poisson, fixture.poisson),
    ...squaredSamples(),
  ];
};
