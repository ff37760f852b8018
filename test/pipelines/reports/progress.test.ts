import { progressBar, progressJson, progressLines } from '../../../src/pipelines/reports/progress.ts';
import { recordingWorld } from '../support.ts';

const step = (n: number, seconds: number) =>
  ({ event: 'step', step: n, seconds, loss: 123.456789, metrics: {} }) as const;

describe('progressLines', () => {
  it('says loss, rate and time left, about twenty times', () => {
    const world = recordingWorld();
    const { listeners } = progressLines(world, 'kfac', 1000)();
    for (let n = 1; n <= 1000; n += 1) void listeners[0](step(n, n / 4))();
    expect(world.errLines).toHaveLength(21);
    expect(world.errLines[1]).toBe('kfac 50/1000  loss 123.46  4.00 steps/s  3 min 58 s left');
    expect(world.outLines).toEqual([]);
  });

  it('says something of every step of a short run', () => {
    const world = recordingWorld();
    const { listeners } = progressLines(world, 'adam', 3)();
    for (const n of [1, 2, 3]) void listeners[0](step(n, n))();
    expect(world.errLines.map((line) => line.slice(0, 8))).toEqual(['adam 1/3', 'adam 2/3', 'adam 3/3']);
  });

  it('says what an evaluation gave', () => {
    const world = recordingWorld();
    const { listeners } = progressLines(world, 'adam', 3)();
    void listeners[0]({ event: 'evaluation', step: 2, seconds: 1, loss: 0.5, measures: {} })();
    expect(world.errLines).toEqual(['adam 2/3  test loss 0.50000']);
  });
});

describe('progressJson', () => {
  it('is a line of JSON for each event, the seconds of the stages apart', () => {
    const world = recordingWorld();
    const { listeners } = progressJson(world, 'adam')();
    void listeners[0]({ ...step(1, 0.5), metrics: { loss: 1, learningRate: 2, 'seconds.forward': 0.25 } })();
    void listeners[0]({ event: 'evaluation', step: 1, seconds: 0.5, loss: 3, measures: { accuracy: 0.75 } })();
    expect(world.outLines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { event: 'step', step: 1, seconds: 0.5, loss: 1, optimizer: 'adam', learningRate: 2, stages: { forward: 0.25 } },
      { event: 'evaluation', step: 1, seconds: 0.5, loss: 3, optimizer: 'adam', accuracy: 0.75 },
    ]);
  });
});

describe('progressBar', () => {
  it('is silent without a terminal, and leaves nothing running', () => {
    const { listeners, stop } = progressBar('adam', 3)();
    void listeners[0](step(1, 0.5))();
    stop();
    expect(listeners).toHaveLength(1);
  });
});
