/**
 * How far a run has come: a bar where a person watches, now and then a line where a file does.
 *
 * @module
 */
import { SingleBar } from 'cli-progress';
import * as IO from 'fp-ts/lib/IO.js';

import type { Observer } from '../experiment.ts';
import type { StepRecord } from '../trainer/events.ts';
import { eventLine } from './jsonLines.ts';
import type { World } from '../world.ts';

/** Lines of a whole run without a terminal. */
const lines = 20;

const showSeconds = (seconds: number): string => {
  const whole = Math.ceil(seconds);
  const [minutes, hours] = [Math.floor(whole / 60), Math.floor(whole / 3600)];
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
};

interface Shown {
  readonly loss: string;
  readonly rate: string;
  readonly left: string;
}

const shown = ({ step, seconds, loss }: StepRecord, total: number): Shown => {
  const rate = seconds > 0 ? step / seconds : 0;
  return {
    loss: loss.toPrecision(5),
    rate: rate >= 100 ? rate.toFixed(0) : rate.toPrecision(3),
    left: rate > 0 ? showSeconds((total - step) / rate) : '?',
  };
};

/**
 * A bar on standard error that redraws itself.
 *
 * @param name - name of the optimizer
 * @param total - number of steps
 */
export const progressBar =
  (name: string, total: number): IO.IO<Observer> =>
  () => {
    const bar = new SingleBar({
      format: `${name} [{bar}] {value}/{total} | loss {loss} | {rate} steps/s | {left} left`,
      barsize: 24,
      // An interrupt ends the process at once, so the bar changes nothing of the terminal that it would have to put back.
      hideCursor: false,
      linewrap: true,
      gracefulExit: false,
    });
    bar.start(total, 0, { loss: '?', rate: '?', left: '?' });
    return {
      listeners: [
        (event) => () => {
          if (event.event === 'step') bar.update(event.step, shown(event, total));
        },
      ],
      stop: () => bar.stop(),
    };
  };

/**
 * Lines on standard error, about twenty of them in a run.
 *
 * @param world - where to write
 * @param name - name of the optimizer
 * @param total - number of steps
 */
export const progressLines = (world: World, name: string, total: number): IO.IO<Observer> =>
  IO.of({
    listeners: [
      (event) => () => {
        if (event.event === 'evaluation') {
          world.err(`${name} ${event.step}/${total}  test loss ${event.loss.toPrecision(5)}`)();
          return;
        }
        const { step } = event;
        const isDue = step === 1 || Math.floor((step * lines) / total) > Math.floor(((step - 1) * lines) / total);
        if (!isDue) return;
        const { loss, rate, left } = shown(event, total);
        world.err(`${name} ${step}/${total}  loss ${loss}  ${rate} steps/s  ${left} left`)();
      },
    ],
    stop: () => undefined,
  });

/**
 * Every step and evaluation as a JSON line on standard output.
 *
 * @param world - where to write
 * @param name - name of the optimizer
 */
export const progressJson = (world: World, name: string): IO.IO<Observer> =>
  IO.of({ listeners: [(event) => world.out(eventLine(name, event))], stop: () => undefined });
