import { createStream } from '../../../../../src/core/backends/gpu/device/stream.ts';

/** A promise that somebody else settles. */
const gate = (): { readonly passed: Promise<void>; readonly open: () => void } => {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
};

describe('createStream', () => {
  it('runs a command before push returns, where nothing is waited for', () => {
    const stream = createStream();
    const seen: Array<number> = [];
    stream.push(() => void seen.push(1));
    expect(seen).toEqual([1]);
  });

  it('law: order. Commands run as they were given, whichever of them take time', async () => {
    const stream = createStream();
    const seen: Array<number> = [];
    const gates = Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? gate() : null));
    gates.forEach((own, i) =>
      stream.push(() => {
        seen.push(i);
        return own?.passed;
      }),
    );
    expect(seen).toEqual([0]);
    for (const own of gates) own?.open();
    await new Promise<void>((resolve) => stream.push(() => resolve()));
    expect(seen).toEqual(gates.map((_, i) => i));
  });

  it('lets a command add commands, which come last', () => {
    const stream = createStream();
    const seen: Array<string> = [];
    stream.push(() => {
      stream.push(() => void seen.push('inner'));
      seen.push('outer');
    });
    stream.push(() => void seen.push('next'));
    expect(seen).toEqual(['outer', 'inner', 'next']);
  });
});
