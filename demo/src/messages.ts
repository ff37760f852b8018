/**
 * What the page and its workers tell each other. Every message is plain data of one of these types.
 *
 * @module
 */
import type { BackendReport, Metrics, ReadonlyVector } from 'kfac-ts/core';

import type { LaneId, Setup } from './setup.ts';

/** From the page to the training worker. */
export type Command =
  | { readonly type: 'start'; readonly setup: Setup; readonly files: string }
  | { readonly type: 'adjust'; readonly setup: Setup }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' };

/** A point of a curve. */
export interface Point {
  readonly step: number;
  /** Training time so far. */
  readonly seconds: number;
  readonly loss: number;
}

/** What a model makes of the examples that are shown. */
export type Picture =
  | { readonly kind: 'images'; /** Grey levels in [0, 1], image after image. */ readonly pixels: ReadonlyVector }
  | {
      readonly kind: 'classes';
      readonly classes: ReadonlyArray<number>;
      /** Probability of each of them. */
      readonly certainty: ReadonlyArray<number>;
    }
  | { readonly kind: 'points'; /** Pairs of coordinates, point after point. */ readonly points: ReadonlyVector }
  | { readonly kind: 'text'; /** What is written after the beginning. */ readonly text: string };

/** Images that are shown. */
export interface ImageExamples {
  readonly kind: 'images';
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: ReadonlyVector;
  readonly labels: ReadonlyArray<number>;
}

/** The examples that are shown: images, points of the data, or the beginning of a text. */
export type Examples =
  | ImageExamples
  | { readonly kind: 'points'; readonly points: ReadonlyVector }
  | { readonly kind: 'text'; readonly text: string };

/** A look at a run, now and then. */
export interface Look {
  readonly step: number;
  /** On test examples. */
  readonly loss: number;
  readonly measures: Metrics;
  readonly picture: Picture;
}

/** A symmetric matrix that statistics are averaged in. */
export interface Factor {
  readonly block: string;
  /** `A`, of the inputs of a layer, or `G`, of its output gradients. */
  readonly name: string;
  readonly order: number;
  readonly data: ReadonlyVector;
}

/** From the training worker to the page. */
export type Report =
  | { readonly type: 'opened'; readonly backend: BackendReport; readonly isolated: boolean }
  | { readonly type: 'loaded'; readonly train: number; readonly test: number; readonly examples: Examples }
  | {
      readonly type: 'entered';
      readonly lane: LaneId;
      readonly name: string;
      /** Floating-point operations of a step on average. */
      readonly flops: number;
    }
  | { readonly type: 'stepped'; readonly lane: LaneId; readonly points: ReadonlyArray<Point> }
  | { readonly type: 'looked'; readonly lane: LaneId; readonly look: Look }
  | { readonly type: 'factors'; readonly step: number; readonly factors: ReadonlyArray<Factor> }
  | { readonly type: 'failed'; readonly sentence: string };

/** Eigenvalues of a factor. */
export interface Spectrum {
  readonly block: string;
  readonly name: string;
  /** From the largest to the smallest. */
  readonly values: ReadonlyVector;
}

/** From the page to the worker of spectra. */
export interface SpectraRequest {
  readonly step: number;
  readonly factors: ReadonlyArray<Factor>;
}

/** From the worker of spectra to the page. */
export type SpectraReport =
  | { readonly type: 'spectra'; readonly step: number; readonly spectra: ReadonlyArray<Spectrum> }
  | { readonly type: 'failed'; readonly sentence: string };
