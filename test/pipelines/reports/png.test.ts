import fc from 'fast-check';
import { PNG } from 'pngjs';

import { encodePng } from '../../../src/pipelines/reports/png.ts';

const imageOf = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
  .chain(([width, height]) =>
    fc
      .uint8Array({ minLength: width * height, maxLength: width * height })
      .map((pixels) => ({ width, height, pixels })),
  );

describe('encodePng', () => {
  it('law: an independent decoder gives the image back', () => {
    fc.assert(
      fc.property(imageOf, (image) => {
        const decoded = PNG.sync.read(Buffer.from(encodePng(image)));
        expect([decoded.width, decoded.height]).toEqual([image.width, image.height]);
        const channel = (offset: number) => Array.from(image.pixels, (_, i) => decoded.data[4 * i + offset]);
        expect(channel(0)).toEqual(Array.from(image.pixels));
        expect(channel(1)).toEqual(Array.from(image.pixels));
        expect(new Set(channel(3))).toEqual(new Set([255]));
      }),
    );
  });

  it('worked example: one black pixel, byte by byte', () => {
    const bytes = Buffer.from(encodePng({ width: 1, height: 1, pixels: Uint8Array.of(0) }));
    expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
    // Length 13, type, 1 × 1, 8 bits grey; the checksum is that of every such file.
    expect(bytes.subarray(8, 33).toString('hex')).toBe('0000000d494844520000000100000001080000000' + '03a7e9b55');
    expect(bytes.subarray(-12).toString('hex')).toBe('0000000049454e44ae426082');
  });
});
