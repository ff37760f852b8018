/**
 * How lanes look: a colour and dashes each, so that colour is not all that tells them apart.
 *
 * @module
 */
import type { State } from '../state.ts';
import type { LaneView } from '../state.ts';
import type { LaneId } from '../setup.ts';
import { lanes } from '../setup.ts';
import { element } from './elements.ts';

/** Colour and dashes of a lane's line. */
export const styles: Readonly<Record<LaneId, { readonly colour: string; readonly dash: ReadonlyArray<number> }>> = {
  second: { colour: '--second', dash: [] },
  adam: { colour: '--adam', dash: [8, 5] },
  sgd: { colour: '--sgd', dash: [2, 4] },
};

/** The lanes that take part, in order. */
export const present = (state: State): ReadonlyArray<{ readonly id: LaneId; readonly view: LaneView }> =>
  lanes.flatMap((id) => {
    const view = state.lanes[id];
    return view === undefined ? [] : [{ id, view }];
  });

/** Names as they are written. */
const titles: Readonly<Record<string, string>> = { adam: 'Adam', sgd: 'SGD' };

/** An optimizer's name for people: `kfac-adaptive` is K-FAC adaptive. */
export const titleOf = (name: string): string =>
  titles[name] ??
  name
    .replace('ekfac', 'EKFAC')
    .replace('kfac', 'K-FAC')
    .replace(/-(?!FAC)/g, ' ');

/** A sample of a lane's line. */
export const keyOf = (id: LaneId): HTMLElement => element('i', { class: `key ${id}`, 'aria-hidden': 'true' });
