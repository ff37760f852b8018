import * as E from 'fp-ts/lib/Either.js';

import { numeric, orElse, orNull } from '../../../src/pipelines/checkpoints/codecs.ts';

describe('what a file of an earlier version lacks', () => {
  const codec = orElse<number | null>(null, orNull(numeric));

  it('has something that stands for it; what is there is read as it is, and what is wrong is refused', () => {
    expect(codec.decode(undefined)).toEqual(E.right(null));
    expect(codec.decode(null)).toEqual(E.right(null));
    expect(codec.decode(3)).toEqual(E.right(3));
    expect(E.isLeft(codec.decode('three'))).toBe(true);
  });
});
