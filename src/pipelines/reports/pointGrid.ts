/**
 * Panels of points in the plane, a row for each kind, over the points that they are compared with.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { TopLevelSpec } from 'vega-lite';

import type { NotDrawn } from '../../core/errors.ts';
import { largestMagnitude } from '../../core/rows.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { PointGrid } from '../tasks/exhibit.ts';
import { figureFrame, vegaFigure } from './vegaFigure.ts';

/** More points than this in a panel are not seen. */
const mostPoints = 1000;

const pointsIn = ({ shape, data }: Tensor): ReadonlyArray<{ readonly x: number; readonly y: number }> =>
  Array.from({ length: Math.min(mostPoints, shape[0]) }, (_, i) => ({ x: data[2 * i], y: data[2 * i + 1] }));

/** What lies behind, and a little room around it: what is made far away is seen to leave the panel, and not to shrink the rest. */
const extentOf = ({ data }: Tensor): number => 1.3 * largestMagnitude(data);

/**
 * Draws panels.
 *
 * @param grid - rows of panels, and what lies behind
 * @returns a PNG file
 */
export const pointGrid = ({ rows, behind }: PointGrid): TE.TaskEither<NotDrawn, Uint8Array> => {
  const extent = extentOf(behind);
  const axis = (field: string) => ({
    field,
    type: 'quantitative' as const,
    title: null,
    axis: null,
    scale: { domain: [-extent, extent], nice: false },
  });
  const cloud = (values: ReadonlyArray<object>, color: string, size: number, opacity: number) => ({
    data: { values: [...values] },
    mark: { type: 'circle' as const, color, size, opacity, clip: true },
    encoding: { x: axis('x'), y: axis('y') },
  });
  const back = pointsIn(behind);
  const spec: TopLevelSpec = {
    ...figureFrame,
    vconcat: rows.map(({ label, panels }) => ({
      title: { text: label, anchor: 'start' as const, fontSize: 14 },
      hconcat: panels.map((panel) => ({
        width: 150,
        height: 150,
        title: { text: panel.label, fontSize: 11 },
        layer: [cloud(back, '#bbbbbb', 6, 0.5), cloud(pointsIn(panel.points), '#0072b2', 8, 0.6)],
      })),
    })),
  };
  return pipe(
    vegaFigure('points', spec),
    TE.map(({ png }) => png),
  );
};
