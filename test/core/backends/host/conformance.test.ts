import { nativeBackend } from '../../../../src/core/backends/native/backend.ts';
import { gpuBackend } from '../../../../src/core/backends/gpu/backend.ts';
import { conformance } from '../../../support/conformance.ts';

conformance('native f32', () => nativeBackend({ dtype: 'f32' }));
conformance('native f64', () => nativeBackend({ dtype: 'f64' }));
conformance('gpu', () => gpuBackend());
